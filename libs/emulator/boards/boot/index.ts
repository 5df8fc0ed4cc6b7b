// boot: reading images that come from outside (elf, inspect) and the tables a boot monitor leaves for a kernel (yamon).
export * from './elf.js';
export * from './inspect.js';
export * from './yamon.js';
