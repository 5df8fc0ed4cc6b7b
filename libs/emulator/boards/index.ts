// boards: one folder per board. types.ts is the contract with machines and CPUs; define-board.ts turns a declaration into
// buses, catalogue entry and machine; catalogue.ts knows all boards and checks configurations; boot/ reads images and
// builds firmware tables.
export * from './board-page.js';
export * from './boot/index.js';
export * from './catalogue.js';
export type { LoadedConfig } from './images.js';
export { loadImages } from './images.js';
export * from './types.js';
