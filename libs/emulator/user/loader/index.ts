// loader: from a file to a process's first instruction. ELF headers (elf), mapping of segments (load-program), what the
// program finds on its stack (initial-stack).
export * from './elf.js';
export * from './initial-stack.js';
export * from './load-program.js';
