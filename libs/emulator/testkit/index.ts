// testkit: what tests, benchmarks and the build need and the product never loads.
// Programs and files from outside the repository (prerequisites, toolchain, guests), running them with time-outs and
// timed marks (process), QEMU as oracle and peer (qemu). The IR oracle with the reference vCPU built on it, random
// instructions from the encoding tables, an assembler and executables of its words (mips-assembler, mips-elf), MIPS
// lockstep, which sets the interpreter against the oracle, and MIPS programs that set all engines against each other (bench):
// random ones with all kinds of control flow (control-flow), and such as are made for one difficulty (directed).
export * from './guests.js';
export * from './ir-oracle.js';
export * from './mips-assembler.js';
export * from './mips-bench.js';
export * from './mips-control-flow.js';
export * from './mips-elf.js';
export * from './mips-lockstep.js';
export * from './mips-sequences.js';
export * from './prerequisites.js';
export * from './process.js';
export * from './qemu.js';
export * from './random.js';
export * from './random-instructions.js';
export * from './reference-vcpu.js';
export * from './toolchain.js';
