// hw/intc: interrupt controllers.
export * from './i8259.js';
