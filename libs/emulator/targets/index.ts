// targets: one folder per instruction set, each with its state layout, encodings with their semantics, and the run-time
// part (privileged registers, traps, translation) behind the interface in cpu-core.ts.
export * from './cpu-core.js';
export { MIPS_MODELS, mipsModel } from './mips/models.js';
export type { MipsModel } from './mips/models.js';
export { MipsCpu } from './mips/cpu.js';
export { mipsDescription, mipsInstructions } from './mips/target.js';
export { GPR_NAMES, mipsDisassembler } from './mips/disassemble.js';
export * from './linux-abi/index.js';
export { mipsO32 } from './mips/linux-abi/index.js';
export * from './describe.js';
