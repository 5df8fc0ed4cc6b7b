// accel: what runs a vCPU, behind the small interface in vcpu.ts. interp/ executes on the target's generated
// interpreter; soft-tlb.ts holds the translations that generated code consults.
export * from './create-cpu.js';
export * from './soft-tlb.js';
export * from './vcpu.js';
export { InterpreterVcpu } from './interp/index.js';
export type { Interpreter, InterpreterStore } from './interp/index.js';
export * from './jit/index.js';
