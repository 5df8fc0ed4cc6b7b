// hw: the parts on the boards, one file each, named after the part and grouped by what it does (intc, timer, char,
// power, ...). Every part is made with defineDevice (device.ts) from a register table (registers.ts); a part knows no
// CPU and no board. The board gives it a scheduler and its far ends, maps its banks on a bus and connects its lines.
export * from './device.js';
export * from './registers.js';
export * from './char/index.js';
export * from './intc/index.js';
export * from './timer/index.js';
export * from './power/index.js';
export * from './block/index.js';
export * from './flash/index.js';
export * from './i2c/index.js';
export * from './misc/index.js';
export * from './northbridge/index.js';
export * from './pci/index.js';
