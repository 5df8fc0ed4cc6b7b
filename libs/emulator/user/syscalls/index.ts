// syscalls: the kernel half's system calls by generic name, one file for each group of the manual's section 2.
import type { KernelSyscall } from '../kernel/run-loop.js';
import { identitySyscalls } from './identity.js';
import { ipcSyscalls } from './ipc.js';
import { limitSyscalls } from './limits.js';
import { memorySyscalls } from './memory.js';
import { miscSyscalls } from './misc.js';
import { pidfdSyscalls } from './pidfd.js';
import { posixQueueSyscalls } from './posix-queues.js';
import { debuggerSyscalls } from './ptrace.js';
import { processSyscalls } from './process.js';
import { schedulingSyscalls } from './scheduling.js';
import { signalSyscalls } from './signals.js';
import { threadSyscalls } from './threads.js';
import { timeSyscalls } from './time.js';

export { SYSTEM } from './misc.js';

type Tables = readonly (() => Readonly<Record<string, KernelSyscall>>)[];

export const KERNEL_SYSCALLS: Tables = [
  () => memorySyscalls,
  () => threadSyscalls,
  () => processSyscalls,
  () => signalSyscalls,
  () => identitySyscalls,
  () => limitSyscalls,
  () => timeSyscalls,
  () => miscSyscalls,
  () => schedulingSyscalls,
];

/** Groups that few programs use: they are looked through last, and loaded only then where that can be put off. */
export const SELDOM_SYSCALLS: Tables = [
  () => pidfdSyscalls,
  () => ipcSyscalls,
  () => posixQueueSyscalls,
  () => debuggerSyscalls,
];
