/** Processes as descriptors: pidfd_open(2), pidfd_send_signal(2), pidfd_getfd(2). */
import { OpenFile, plainFlags } from '../files/open-file.js';
import { Errno, Poll } from '../kernel/contracts.js';
import type { Process } from '../kernel/process.js';
import type { KernelSyscall } from '../kernel/run-loop.js';
import { SignalCode } from '../kernel/signals.js';
import type { Thread } from '../kernel/thread.js';
import { FileType } from '../vfs/inode.js';
import { queuedInfo } from './signals.js';

/** A process that somebody holds: its number is not given to another one before all of them are closed. */
class ProcessFile extends OpenFile {
  constructor(
    { owner: { files } }: Thread,
    readonly process: Process,
    nonblocking: boolean,
  ) {
    const { fileSystem } = files;
    const inode = fileSystem.anonymousInode(FileType.REGULAR);
    super(
      inode,
      fileSystem.anonymousMount,
      plainFlags({ read: true, write: true, nonblocking }),
      undefined,
      process.ended,
    );
  }

  /** Readable when it has ended. */
  override poll(): number {
    return this.process.isAlive ? 0 : Poll.IN;
  }

  override get anonymousName(): string {
    return 'anon_inode:[pidfd]';
  }
}

/** A descriptor for a process, closed by execve. @throws Errno EMFILE */
export function openProcess(thread: Thread, process: Process, nonblocking = false): number {
  const { owner, kernel } = thread;
  const { descriptorTable } = owner.files;
  const limit = owner.limit(kernel.abi.resources.files).soft;
  if (!descriptorTable.hasRoom(limit)) throw new Errno('EMFILE');
  return descriptorTable.add(new ProcessFile(thread, process, nonblocking), { limit, closeOnExec: true });
}

/** The process that a descriptor stands for. @throws Errno EBADF */
export function processAt(thread: Thread, descriptor: number): { process: Process; nonblocking: boolean } {
  const file = thread.owner.files.file(descriptor | 0);
  if (!(file instanceof ProcessFile)) throw new Errno('EBADF');
  return { process: file.process, nonblocking: file.flags.nonblocking };
}

const open: KernelSyscall = (thread, pid, flags) => {
  const { O_NONBLOCK } = thread.kernel.abi.files.openFlags;
  if (flags & ~O_NONBLOCK || (pid | 0) <= 0) throw new Errno('EINVAL');
  const process = thread.kernel.processes.get(pid);
  if (!process) throw new Errno(thread.kernel.threads.has(pid) ? 'EINVAL' : 'ESRCH');
  return openProcess(thread, process, (flags & O_NONBLOCK) !== 0);
};

const sendSignal: KernelSyscall = (thread, descriptor, signal, info, flags) => {
  if (flags !== 0) throw new Errno('EINVAL');
  const { process } = processAt(thread, descriptor);
  const { kernel, owner } = thread;
  if (signal > kernel.signals.last) throw new Errno('EINVAL');
  const given =
    info === 0
      ? ({
          signal,
          code: SignalCode.User,
          detail: { kind: 'sender', pid: owner.pid, uid: owner.credentials.uid },
        } as const)
      : queuedInfo(thread, signal, process.pid, info);
  if (!kernel.processes.has(process.pid)) throw new Errno('ESRCH');
  if (signal !== 0) kernel.sender.toProcess(process, given);
  return 0;
};

const getDescriptor: KernelSyscall = (thread, descriptor, wanted, flags) => {
  if (flags !== 0) throw new Errno('EINVAL');
  const { process } = processAt(thread, descriptor);
  const { owner, kernel } = thread;
  if (!process.isAlive) throw new Errno('ESRCH');
  const { euid } = owner.credentials;
  if (euid !== 0 && euid !== process.credentials.uid) throw new Errno('EPERM');
  const file = process.files.file(wanted | 0);
  const limit = owner.limit(kernel.abi.resources.files).soft;
  return owner.files.descriptorTable.add(file, { limit, closeOnExec: true });
};

export const pidfdSyscalls: Readonly<Record<string, KernelSyscall>> = {
  pidfd_open: open,
  pidfd_send_signal: sendSignal,
  pidfd_getfd: getDescriptor,
};
