// accel: what runs a vCPU, behind the small interface in vcpu.ts; create-cpu.ts makes one of a target. interp/ executes on the
// target's generated interpreter, jit/ translates what runs often. The tables that generated code consults, as the host fills them:
// translations of addresses (soft-tlb), pages that lie at their own address (mirror-table), translations of code (jump-cache,
// dispatch-table).
export * from './create-cpu.js';
export * from './soft-tlb.js';
export * from './vcpu.js';
export { InterpreterVcpu } from './interp/index.js';
export type { Interpreter, InterpreterStore } from './interp/index.js';
export * from './jit/index.js';
