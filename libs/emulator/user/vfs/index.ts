// vfs: the trees of Linux user mode. inode.ts is what every tree implements; host-tree.ts shows a host directory,
// memory-tree.ts is tmpfs and the overlay, mounts.ts joins them and resolves paths, so that nothing outside is reachable.
