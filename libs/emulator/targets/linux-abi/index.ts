// linux-abi: what all architectures' Linux ABIs are described with: structure layouts, and the shape of an ABI's part for
// files. Each architecture's own numbers stand in targets/<isa>/linux-abi.
export * from './common.js';
export * from './file-abi.js';
export * from './layout.js';
