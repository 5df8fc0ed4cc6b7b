// ipc: System V IPC — shared memory, semaphores, message queues (sysvipc(7)) — and POSIX message queues (mq_overview(7)).
// The system calls on them are in syscalls/.
import { IpcRegistry } from './registry.js';
import type { MessageQueue } from './message-queue.js';
import type { PosixQueue } from './posix-queue.js';
import type { SemaphoreSet } from './semaphores.js';
import type { SharedMemorySegment } from './shared-memory.js';

export * from './message-queue.js';
export * from './posix-queue.js';
export * from './registry.js';
export * from './semaphores.js';
export * from './shared-memory.js';

/** The IPC objects of one system of processes. */
export class IpcNamespace {
  readonly segments = new IpcRegistry<SharedMemorySegment>();
  readonly semaphores = new IpcRegistry<SemaphoreSet>();
  readonly queues = new IpcRegistry<MessageQueue>();
  /** POSIX message queues by name, without the slash. */
  readonly posixQueues = new Map<string, PosixQueue>();
}
