// pci: the bus (pci-bus.ts), the header that all functions share (config-header.ts), the functions of Intel's PIIX4.
export * from './config-header.js';
export * from './pci-bus.js';
export * from './piix4-ide.js';
export * from './piix4-isa.js';
export * from './piix4-pm.js';
