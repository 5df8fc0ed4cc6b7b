// hw/char: serial ports.
export * from './ns16550.js';
