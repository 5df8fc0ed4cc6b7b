// vfs: the trees of Linux user mode. inode.ts is what every tree implements; host-tree.ts shows a host directory,
// memory-tree.ts is tmpfs and the overlay, generated-tree.ts serves /proc and /sys, mounts.ts joins them and resolves
// paths, so that nothing outside the root is reachable. files/file-system.ts puts a guest's tree together.
export * from './generated-tree.js';
export * from './host-tree.js';
export * from './inode.js';
export * from './memory-tree.js';
export * from './mounts.js';
export * from './sparse-bytes.js';
