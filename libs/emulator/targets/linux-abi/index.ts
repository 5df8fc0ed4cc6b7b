// linux-abi: what all architectures' Linux ABIs are described with: the CPU without privileged state (user-cpu), numbers of
// the kernel's interface (kernel-abi) and of files (file-abi), structure layouts. Each architecture's own stand in
// targets/<isa>/linux-abi.
export * from './common.js';
export * from './file-abi.js';
export * from './ipc-abi.js';
export * from './kernel-abi.js';
export * from './layout.js';
export * from './user-cpu.js';
