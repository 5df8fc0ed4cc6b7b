// boards: one folder per board. types.ts is the contract with machines and CPUs; define-board.ts turns a declaration into
// buses, catalogue entry and machine; catalogue.ts knows all boards and checks configurations; boot/ reads images and
// builds firmware tables; machine.ts runs a built board, run-machine.ts drives it in host time.
export * from './boot/index.js';
export * from './catalogue.js';
export * from './machine.js';
export * from './run-machine.js';
export * from './types.js';
