// memory: the machine's linear memory (CPU state, soft TLBs, RAM), buses as region graphs that flatten to ranges, DMA,
// and page tracking (dirty pages, pages that hold translated code).
export * from './address-space.js';
export * from './linear-memory.js';
