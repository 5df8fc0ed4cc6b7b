export * from './interpreter-vcpu.js';
