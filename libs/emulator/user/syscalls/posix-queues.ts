/** POSIX message queues: mq_open(2) and its like. */
import type { ProcessFiles } from '../files/index.js';
import { Socket } from '../files/sockets/socket.js';
import { decodeOpenFlags } from '../files/syscalls/arguments.js';
import { PRIORITY_LIMIT, PosixQueue, QueueFile } from '../ipc/index.js';
import type { SyscallResult } from '../kernel/contracts.js';
import { Errno } from '../kernel/contracts.js';
import type { KernelSyscall } from '../kernel/run-loop.js';
import type { Thread } from '../kernel/thread.js';
import { Access, FileType } from '../vfs/inode.js';
import { readTimespecExact } from './time-values.js';

/** fs.mqueue.queues_max, msg_default, msgsize_default, and the hard limits, mq_overview(7). */
const MAX_QUEUES = 256;
const DEFAULT_MESSAGES = 10;
const DEFAULT_MESSAGE_BYTES = 8192;
const UNPRIVILEGED = { messages: 10, bytes: 8192 };
const HARD = { messages: 65536, bytes: 16 << 20 };
const NAME_MAX = 255;
const SIGEV_SIGNAL = 0;
const SIGEV_THREAD = 2;
/** What the C library wants to be told of, through a netlink socket: its cookie, with the reason in the last byte. */
const COOKIE_BYTES = 32;
const NOTIFY_WOKENUP = 1;
const NOTIFY_REMOVED = 2;

/** The name without the slash, which the C library takes away. @throws Errno EACCES, ENOENT, ENAMETOOLONG */
function nameAt(thread: Thread, address: number): string {
  const name = Buffer.from(thread.memory.cString(address)).toString('latin1');
  if (name === '') throw new Errno('ENOENT');
  if (name.includes('/')) throw new Errno('EACCES');
  if (name.length > NAME_MAX) throw new Errno('ENAMETOOLONG');
  return name;
}

/** A signed word of `struct mq_attr`: flags, longest queue, longest message, messages now. */
const attribute = ({ memory }: Thread, address: number, index: number): number =>
  memory.pointerBytes === 8
    ? Number(BigInt.asIntN(64, memory.u64(address + 8 * index)))
    : memory.i32(address + 4 * index);

function create(thread: Thread, files: ProcessFiles, name: string, mode: number, attributes: number): PosixQueue {
  const { ipc } = thread.kernel;
  const { credentials } = thread.owner;
  const messages = attributes === 0 ? DEFAULT_MESSAGES : attribute(thread, attributes, 1);
  const bytes = attributes === 0 ? DEFAULT_MESSAGE_BYTES : attribute(thread, attributes, 2);
  const limit = credentials.euid === 0 ? HARD : UNPRIVILEGED;
  if (messages <= 0 || bytes <= 0 || messages > limit.messages || bytes > limit.bytes) throw new Errno('EINVAL');
  if (ipc.posixQueues.size >= MAX_QUEUES) throw new Errno('ENOSPC');
  const inode = files.fileSystem.anonymousInode(FileType.REGULAR, mode & 0o777 & ~thread.owner.umask);
  inode.change({ uid: credentials.euid, gid: credentials.egid });
  const queue = new PosixQueue(inode, messages, bytes);
  ipc.posixQueues.set(name, queue);
  return queue;
}

const open: KernelSyscall = (thread, nameAddress, flagWord, mode, attributes) => {
  const { owner, kernel } = thread;
  const { files } = owner;
  const name = nameAt(thread, nameAddress);
  const word = decodeOpenFlags(kernel.abi.files, flagWord);
  const existing = kernel.ipc.posixQueues.get(name);
  if (existing && word.create && word.exclusive) throw new Errno('EEXIST');
  if (!existing && !word.create) throw new Errno('ENOENT');
  const access = (word.flags.read ? Access.READ : 0) | (word.flags.write ? Access.WRITE : 0);
  if (existing && !existing.inode.permits(owner.credentials, access)) throw new Errno('EACCES');
  const limit = owner.limit(kernel.abi.resources.files).soft;
  if (!files.descriptorTable.hasRoom(limit)) throw new Errno('EMFILE');
  const queue = existing ?? create(thread, files, name, mode, attributes);
  const file = new QueueFile(files.fileSystem.anonymousMount, word.flags, queue, name);
  return files.descriptorTable.add(file, { limit, closeOnExec: true });
};

const unlink: KernelSyscall = (thread, nameAddress) => {
  const { posixQueues } = thread.kernel.ipc;
  const name = nameAt(thread, nameAddress);
  const queue = posixQueues.get(name);
  if (!queue) throw new Errno('ENOENT');
  const { euid } = thread.owner.credentials;
  // The directory of queues is sticky.
  if (euid !== 0 && euid !== queue.inode.attributes().uid) throw new Errno('EACCES');
  posixQueues.delete(name);
  return 0;
};

function queueAt({ owner }: Thread, descriptor: number): QueueFile {
  const file = owner.files.file(descriptor);
  if (!(file instanceof QueueFile)) throw new Errno('EBADF');
  return file;
}

/** Waits until a time of the real-time clock; an address of 0 waits for ever. */
function until(
  thread: Thread,
  file: QueueFile,
  attempt: () => number | undefined,
  address: number,
  wide: boolean,
  whileWaiting: () => () => void = () => () => undefined,
): SyscallResult {
  const until = address === 0 ? undefined : readTimespecExact(thread, address, wide);
  const first = attempt();
  if (first !== undefined) return first;
  if (file.flags.nonblocking) throw new Errno('EAGAIN');
  const deadlineNs =
    until === undefined ? undefined : thread.clock.monotonicNs() + Number(until - thread.clock.realtimeNs());
  const stop = whileWaiting();
  const ending = <T>(give: () => T): T => {
    try {
      return give();
    } finally {
      stop();
    }
  };
  const timedOut = (): never => {
    throw new Errno('ETIMEDOUT');
  };
  const block = (): SyscallResult => ({
    queues: [file.changed],
    ...(deadlineNs === undefined ? {} : { deadlineNs }),
    retry: () => {
      const result = attempt();
      if (result === undefined) return block();
      stop();
      return result;
    },
    timeout: () => ending(() => attempt() ?? timedOut()),
    interrupted: 'restart',
    cancel: stop,
  });
  if (deadlineNs !== undefined && deadlineNs <= thread.clock.monotonicNs()) return ending(timedOut);
  return block();
}

const send =
  (wide: boolean): KernelSyscall =>
  (thread, descriptor, address, length, priority, timeout) => {
    if (priority >= PRIORITY_LIMIT) throw new Errno('EINVAL');
    const file = queueAt(thread, descriptor);
    if (!file.flags.write) throw new Errno('EBADF');
    if (length > file.queue.messageBytes) throw new Errno('EMSGSIZE');
    const bytes = thread.memory.read(address, length).slice();
    return until(thread, file, () => file.queue.send({ priority, bytes }), timeout, wide);
  };

const receive =
  (wide: boolean): KernelSyscall =>
  (thread, descriptor, address, length, priorityAddress, timeout) => {
    const file = queueAt(thread, descriptor);
    if (!file.flags.read) throw new Errno('EBADF');
    const { queue } = file;
    if (length < queue.messageBytes) throw new Errno('EMSGSIZE');
    const take = (): number | undefined => {
      const message = queue.receive();
      if (!message) return undefined;
      thread.memory.write(address, message.bytes);
      if (priorityAddress !== 0) thread.memory.setU32(priorityAddress, message.priority);
      return message.bytes.length;
    };
    return until(thread, file, take, timeout, wide, () => queue.awaitMessage());
  };

/** @param event struct sigevent: value, signal, how; 0 takes the registration back */
const notify: KernelSyscall = (thread, descriptor, event) => {
  const { memory, owner, kernel } = thread;
  const file = queueAt(thread, descriptor);
  const { queue } = file;
  if (event === 0) {
    if (queue.notice?.pid === owner.pid) queue.endNotice();
    return 0;
  }
  const word = memory.pointerBytes;
  const value = memory.u32(event + (word === 8 && memory.byteOrder === 'big' ? 4 : 0));
  const [signal, how] = [memory.u32(event + word), memory.u32(event + word + 4)];
  if (how > SIGEV_THREAD) throw new Errno('EINVAL');
  if (how === SIGEV_SIGNAL && (signal < 1 || signal > kernel.signals.last)) throw new Errno('EINVAL');
  const cookie = how === SIGEV_THREAD ? memory.read(value, COOKIE_BYTES) : undefined;
  const socket = how === SIGEV_THREAD ? owner.files.file(signal | 0) : undefined;
  if (how === SIGEV_THREAD && !(socket instanceof Socket && socket.isNetlink)) throw new Errno('EBADF');
  if (queue.notice) throw new Errno('EBUSY');
  const tell = (): void =>
    kernel.sender.toProcess(owner, {
      signal,
      code: kernel.abi.ipc.queueSignalCode,
      detail: { kind: 'sender', pid: owner.pid, uid: owner.credentials.uid, value },
    });
  if (cookie && socket instanceof Socket) {
    socket.retain(); // until somebody has been told
    const post = (reason: number): void => {
      const bytes = cookie.slice();
      bytes[COOKIE_BYTES - 1] = reason;
      socket.take(bytes);
      socket.drop();
    };
    queue.notice = { pid: owner.pid, file, tell: () => post(NOTIFY_WOKENUP), removed: () => post(NOTIFY_REMOVED) };
    return 0;
  }
  queue.notice = { pid: owner.pid, file, tell: how === SIGEV_SIGNAL ? tell : undefined };
  return 0;
};

/** Of the attributes only O_NONBLOCK can be changed. */
const attributes: KernelSyscall = (thread, descriptor, next, old) => {
  const { memory, kernel } = thread;
  const { O_NONBLOCK } = kernel.abi.files.openFlags;
  const file = queueAt(thread, descriptor);
  const { queue, flags } = file;
  const wanted = next === 0 ? undefined : attribute(thread, next, 0);
  if (wanted !== undefined && wanted & ~O_NONBLOCK) throw new Errno('EINVAL');
  if (old !== 0) {
    const values = [
      flags.nonblocking ? O_NONBLOCK : 0,
      queue.maxMessages,
      queue.messageBytes,
      queue.length,
      0,
      0,
      0,
      0,
    ];
    values.forEach((value, i) => {
      if (memory.pointerBytes === 8) memory.setU64(old + 8 * i, BigInt(value));
      else memory.setU32(old + 4 * i, value);
    });
  }
  if (wanted !== undefined) flags.nonblocking = (wanted & O_NONBLOCK) !== 0;
  return 0;
};

export const posixQueueSyscalls: Readonly<Record<string, KernelSyscall>> = {
  mq_open: open,
  mq_unlink: unlink,
  mq_timedsend: send(false),
  mq_timedsend_time64: send(true),
  mq_timedreceive: receive(false),
  mq_timedreceive_time64: receive(true),
  mq_notify: notify,
  mq_getsetattr: attributes,
};
