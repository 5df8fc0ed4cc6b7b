/** System V message queues: msgget(2), msgop(2), msgctl(2). */
import { readStruct, writeStruct } from '../abi/struct.js';
import {
  IPC_NOWAIT,
  IpcAccess,
  IpcCommand,
  MAX_MESSAGE_BYTES,
  MAX_OBJECTS,
  MessageQueue,
  requireAccess,
  requireOwner,
} from '../ipc/index.js';
import type { SyscallResult } from '../kernel/contracts.js';
import { Errno } from '../kernel/contracts.js';
import type { KernelSyscall } from '../kernel/run-loop.js';
import type { Thread } from '../kernel/thread.js';
import { changePermissions, infoInts, nowSeconds, permissionsAt } from './ipc-common.js';

const MSG_STAT = 11;
const MSG_INFO = 12;
const MSG_STAT_ANY = 13;
/** Looks at a message without taking it: for checkpoints, and a build option of Linux. */
const MSG_COPY = 0o40000;
/** MSGMNB, and the segments that Linux no longer has. */
const QUEUE_BYTES = 16384;
const SEGMENT_BYTES = 16;
const SEGMENTS = 0xffff;

const get: KernelSyscall = (thread, key, flags) => {
  const { kernel, owner } = thread;
  const queue = kernel.ipc.queues.get(
    key | 0,
    flags,
    owner.credentials,
    () => undefined,
    (permissions) => {
      const created = new MessageQueue(key | 0, permissions, () => nowSeconds(thread));
      created.changedS = nowSeconds(thread);
      return created;
    },
  );
  return queue.id;
};

/** Tries again each time the queue changes, unless the caller does not want to wait. */
function until(
  queue: MessageQueue,
  attempt: () => number | undefined,
  nonblocking: boolean,
  refusal: string,
): SyscallResult {
  const run = (): SyscallResult => {
    const result = attempt();
    if (result !== undefined) return result;
    if (nonblocking) throw new Errno(refusal);
    return { queues: [queue.changed], retry: run, interrupted: 'eintr' };
  };
  return run();
}

/** A `long`, as `mtype` is one. */
const signedLong = ({ memory }: Thread, address: number): number =>
  memory.pointerBytes === 8 ? Number(BigInt.asIntN(64, memory.u64(address))) : memory.i32(address);

function send(thread: Thread, id: number, address: number, size: number, flags: number): SyscallResult {
  const { memory, owner, kernel } = thread;
  const type = signedLong(thread, address);
  if ((size | 0) < 0 || size > MAX_MESSAGE_BYTES || type < 1) throw new Errno('EINVAL');
  const bytes = memory.read(address + memory.pointerBytes, size).slice();
  const queue = kernel.ipc.queues.find(id);
  requireAccess(queue, owner.credentials, IpcAccess.Write);
  return until(queue, () => queue.send({ type, bytes }, owner.pid), (flags & IPC_NOWAIT) !== 0, 'EAGAIN');
}

/** @param wanted signed */
function receive(
  thread: Thread,
  id: number,
  address: number,
  size: number,
  wanted: number,
  flags: number,
): SyscallResult {
  const { memory, owner, kernel } = thread;
  if ((size | 0) < 0) throw new Errno('EINVAL');
  if (flags & MSG_COPY) throw new Errno('ENOSYS');
  const queue = kernel.ipc.queues.find(id);
  requireAccess(queue, owner.credentials, IpcAccess.Read);
  const take = (): number | undefined => {
    const message = queue.receive(wanted, size, flags, owner.pid);
    if (!message) return undefined;
    if (memory.pointerBytes === 8) memory.setU64(address, BigInt(message.type));
    else memory.setU32(address, message.type);
    memory.write(address + memory.pointerBytes, message.bytes);
    return message.bytes.length;
  };
  return until(queue, take, (flags & IPC_NOWAIT) !== 0, 'ENOMSG');
}

function status(thread: Thread, queue: MessageQueue, address: number): void {
  writeStruct(thread.memory, address, thread.kernel.abi.ipc.msqidDs, {
    ...queue.permissionFields(),
    msg_stime: queue.lastSent.timeS,
    msg_rtime: queue.lastReceived.timeS,
    msg_ctime: queue.changedS,
    msg_cbytes: queue.usedBytes,
    msg_qnum: queue.length,
    msg_qbytes: queue.limitBytes,
    msg_lspid: queue.lastSent.pid,
    msg_lrpid: queue.lastReceived.pid,
  });
}

/** @param command without IPC_64 */
function control(thread: Thread, id: number, command: number, address: number): number {
  const { kernel, owner } = thread;
  const { queues } = kernel.ipc;
  if (command === IpcCommand.Info || command === MSG_INFO) {
    const used = command === MSG_INFO;
    const all = [...queues.all];
    const messages = all.reduce((sum, { length }) => sum + length, 0);
    const bytes = all.reduce((sum, { usedBytes }) => sum + usedBytes, 0);
    infoInts(thread, address, [
      ...[used ? queues.size : (MAX_OBJECTS * QUEUE_BYTES) / 1024, used ? messages : QUEUE_BYTES],
      ...[MAX_MESSAGE_BYTES, QUEUE_BYTES, MAX_OBJECTS, SEGMENT_BYTES, used ? bytes : QUEUE_BYTES, SEGMENTS],
    ]);
    return queues.highestId;
  }
  const queue = queues.find(id);
  switch (command) {
    case IpcCommand.Status:
    case MSG_STAT:
      requireAccess(queue, owner.credentials, IpcAccess.Read);
      status(thread, queue, address);
      return command === MSG_STAT ? queue.id : 0;
    case MSG_STAT_ANY:
      status(thread, queue, address);
      return queue.id;
    case IpcCommand.Set: {
      const limit = Number(readStruct(thread.memory, address, kernel.abi.ipc.msqidDs).msg_qbytes);
      if (limit > QUEUE_BYTES && owner.credentials.euid !== 0) throw new Errno('EPERM');
      changePermissions(thread, queue, permissionsAt(thread, address, kernel.abi.ipc.msqidDs));
      queue.limitBytes = limit;
      queue.changed.wake();
      return 0;
    }
    case IpcCommand.Remove:
      requireOwner(queue, owner.credentials);
      queues.remove(queue);
      queue.changed.wake();
      return 0;
    default:
      throw new Errno('EINVAL');
  }
}

export const messageQueues = { get, send, receive, control };
