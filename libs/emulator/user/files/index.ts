// files: open files of Linux user mode — descriptors, pipes, sockets, polling — and the system calls on them.
// The kernel half calls createFileSystem once and works with the service it gives (kernel/contracts.ts). Every process
// is announced to `processes`, which /proc lists.
export * from './api.js';
export * from './host-stream.js';
export { createFileSystem } from './file-system.js';
