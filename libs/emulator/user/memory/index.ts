// memory: a process's address space. Physical pages counted by reference (page-pool), pages of files and shared memory
// (mapped-pages), mappings (mapping, address-map), the page table and what faults do (page-table, virtual-memory), and
// access for system calls (guest-memory).
export * from './address-map.js';
export * from './guest-memory.js';
export * from './mapped-pages.js';
export * from './mapping.js';
export * from './page-pool.js';
export * from './virtual-memory.js';
