// boards: one declarative file per board. types.ts is the contract with machines and CPUs, define-board.ts turns a
// declaration into buses, catalogue entry and documentation, boot/ reads images and builds firmware tables.
export * from './types.js';
