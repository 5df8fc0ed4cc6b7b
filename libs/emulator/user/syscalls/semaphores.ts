/** System V semaphores: semget(2), semop(2), semctl(2). */
import { SEMBUF } from '../../targets/index.js';
import { readStruct, writeStruct } from '../abi/struct.js';
import {
  IpcAccess,
  IpcCommand,
  MAX_OBJECTS,
  MAX_SEMAPHORE_VALUE,
  requireAccess,
  requireOwner,
  SemaphoreSet,
} from '../ipc/index.js';
import type { SyscallResult } from '../kernel/contracts.js';
import { Errno } from '../kernel/contracts.js';
import type { KernelSyscall } from '../kernel/run-loop.js';
import type { Thread } from '../kernel/thread.js';
import { changePermissions, infoInts, nowSeconds, permissionsAt } from './ipc-common.js';
import { readTimespec } from './time-values.js';

/** SEMMSL and SEMOPM: semaphores of a set, operations of one call. */
const MAX_SEMAPHORES = 32000;
const MAX_OPERATIONS = 500;

const Command = {
  GetPid: 11,
  GetValue: 12,
  GetAll: 13,
  CountGrowth: 14,
  CountZero: 15,
  SetValue: 16,
  SetAll: 17,
  StatusByIndex: 18,
  UsageInfo: 19,
  StatusByIndexAny: 20,
} as const;

const get: KernelSyscall = (thread, key, count, flags) => {
  const { kernel, owner } = thread;
  if ((count | 0) < 0 || count > MAX_SEMAPHORES) throw new Errno('EINVAL');
  const set = kernel.ipc.semaphores.get(
    key | 0,
    flags,
    owner.credentials,
    (found) => {
      if (count > found.semaphores.length) throw new Errno('EINVAL');
    },
    (permissions) => {
      if (count === 0) throw new Errno('EINVAL');
      const created = new SemaphoreSet(key | 0, permissions, count, () => nowSeconds(thread));
      created.changedS = nowSeconds(thread);
      return created;
    },
  );
  return set.id;
};

/** semtimedop(2). @param timeoutNs relative; undefined waits for ever */
function operate(
  thread: Thread,
  id: number,
  address: number,
  count: number,
  timeoutNs: number | undefined,
): SyscallResult {
  if (count < 1) throw new Errno('EINVAL');
  if (count > MAX_OPERATIONS) throw new Errno('E2BIG');
  const operations = Array.from({ length: count }, (_, i) => {
    const { sem_num, sem_op, sem_flg } = readStruct(thread.memory, address + i * SEMBUF.size, SEMBUF);
    return { number: sem_num, change: sem_op, flags: sem_flg };
  });
  const set = thread.kernel.ipc.semaphores.find(id);
  const changes = operations.some(({ change }) => change !== 0);
  requireAccess(set, thread.owner.credentials, changes ? IpcAccess.Write : IpcAccess.Read);
  const waiter = set.operate(operations, thread.owner);
  if (!waiter) return 0;
  const deadlineNs = timeoutNs === undefined ? undefined : thread.clock.monotonicNs() + timeoutNs;
  const outcome = (): number | undefined => {
    if (waiter.outcome instanceof Errno) throw waiter.outcome;
    return waiter.outcome === 'done' ? 0 : undefined;
  };
  const wait = (): SyscallResult =>
    outcome() ?? {
      queues: [waiter.queue],
      ...(deadlineNs === undefined ? {} : { deadlineNs }),
      retry: wait,
      timeout: () => {
        set.cancel(waiter);
        const result = outcome();
        if (result === undefined) throw new Errno('EAGAIN');
        return result;
      },
      interrupted: 'eintr',
      partial: () => (waiter.outcome === 'done' ? 0 : undefined),
      cancel: () => set.cancel(waiter),
    };
  return wait();
}

function values(thread: Thread, address: number, count: number): Map<number, number> {
  const bytes = thread.memory.read(address, 2 * count);
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  return new Map(
    Array.from({ length: count }, (_, i) => [i, view.getUint16(2 * i, thread.memory.byteOrder === 'little')]),
  );
}

function storeValues(thread: Thread, address: number, set: SemaphoreSet): void {
  const bytes = new Uint8Array(2 * set.semaphores.length);
  const view = new DataView(bytes.buffer);
  set.semaphores.forEach(({ value }, i) => view.setUint16(2 * i, value, thread.memory.byteOrder === 'little'));
  thread.memory.write(address, bytes);
}

/** @param command without IPC_64. @param argument `union semun`: a value or an address */
function control(thread: Thread, id: number, number: number, command: number, argument: number): number {
  const { kernel, owner } = thread;
  const { semaphores } = kernel.ipc;
  if (command === IpcCommand.Info || command === Command.UsageInfo) {
    const used = command === Command.UsageInfo;
    const total = [...semaphores.all].reduce((sum, set) => sum + set.semaphores.length, 0);
    const all = MAX_OBJECTS * MAX_SEMAPHORES;
    infoInts(thread, argument, [
      ...[all, MAX_OBJECTS, all, all, MAX_SEMAPHORES, MAX_OPERATIONS, MAX_OPERATIONS],
      ...[used ? semaphores.size : 20, MAX_SEMAPHORE_VALUE, used ? total : MAX_SEMAPHORE_VALUE],
    ]);
    return semaphores.highestId;
  }
  const set = semaphores.find(id);
  const readable = (): void => requireAccess(set, owner.credentials, IpcAccess.Read);
  const writable = (): void => requireAccess(set, owner.credentials, IpcAccess.Write);
  switch (command) {
    case IpcCommand.Status:
    case Command.StatusByIndex:
    case Command.StatusByIndexAny:
      if (command !== Command.StatusByIndexAny) readable();
      writeStruct(thread.memory, argument, kernel.abi.ipc.semidDs, {
        ...set.permissionFields(),
        sem_otime: set.operatedS,
        sem_ctime: set.changedS,
        sem_nsems: set.semaphores.length,
      });
      return command === IpcCommand.Status ? 0 : set.id;
    case IpcCommand.Set:
      changePermissions(thread, set, permissionsAt(thread, argument, kernel.abi.ipc.semidDs));
      return 0;
    case IpcCommand.Remove:
      requireOwner(set, owner.credentials);
      semaphores.remove(set);
      set.dissolve();
      return 0;
    case Command.GetAll:
      readable();
      storeValues(thread, argument, set);
      return 0;
    case Command.SetAll:
      writable();
      set.set(values(thread, argument, set.semaphores.length), owner.pid);
      return 0;
    case Command.SetValue:
      set.semaphore(number);
      if (argument >>> 0 > MAX_SEMAPHORE_VALUE) throw new Errno('ERANGE');
      writable();
      set.set(new Map([[number, argument]]), owner.pid);
      return 0;
    case Command.GetValue:
      readable();
      return set.semaphore(number).value;
    case Command.GetPid:
      readable();
      return set.semaphore(number).pid;
    case Command.CountGrowth:
    case Command.CountZero:
      readable();
      set.semaphore(number);
      return set.waiting(number, command === Command.CountZero ? 'zero' : 'growth');
    default:
      throw new Errno('EINVAL');
  }
}

const timed =
  (wide: boolean): KernelSyscall =>
  (thread, id, address, count, timeout) =>
    operate(thread, id, address, count, timeout === 0 ? undefined : readTimespec(thread, timeout, wide));

export const semaphores = { get, control, operate: timed };
