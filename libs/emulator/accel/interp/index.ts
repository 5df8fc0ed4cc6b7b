export * from './interpreter-store.js';
export * from './interpreter-vcpu.js';
