// user: Linux user mode. Runs programs of another architecture, with the processes they start, on an emulated CPU: memory
// (address spaces), loader (ELF), kernel (processes, threads, signals, time), syscalls, vfs and files (everything with
// a path or a descriptor). Numbers and structures of an architecture's ABI are in targets/<isa>/linux-abi.
export * from './run-program.js';
export { ARCHITECTURES } from './architectures.js';
export type { Architecture } from './architectures.js';
export * from './check-program.js';
export type { InterpreterStore } from '../accel/index.js';
export { HostInput } from './files/index.js';
export type { BindMount, GuestFile, HostOutput, HostTerminal, TreeEntry } from './files/index.js';
