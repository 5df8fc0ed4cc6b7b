// northbridge: what stands between a CPU, its memory and PCI.
export * from './gt64120.js';
