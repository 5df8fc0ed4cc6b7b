/** System V IPC as system calls of their own, and through ipc(2), which older libraries call. */
import { Errno } from '../kernel/contracts.js';
import type { KernelResult, KernelSyscall } from '../kernel/run-loop.js';
import type { Thread } from '../kernel/thread.js';
import { messageQueues } from './message-queues.js';
import { semaphores } from './semaphores.js';
import { sharedMemory } from './shared-memory.js';

/** Asks for the structures with 32-bit ids and times (linux/ipc.h). The older ones are not offered. */
const IPC_64 = 0x100;

/** @throws Errno EINVAL for the structures of Linux 2.2 */
function modern(command: number): number {
  const needsNoStructure = command === 0 || (command >= 11 && command <= 17);
  if (!(command & IPC_64) && !needsNoStructure) throw new Errno('EINVAL');
  return command & ~IPC_64;
}

const semop = semaphores.operate(false);

/** Numbers of ipc(2)'s calls. */
const Call = {
  SEMOP: 1,
  SEMGET: 2,
  SEMCTL: 3,
  SEMTIMEDOP: 4,
  MSGSND: 11,
  MSGRCV: 12,
  MSGGET: 13,
  MSGCTL: 14,
  SHMAT: 21,
  SHMDT: 22,
  SHMGET: 23,
  SHMCTL: 24,
} as const;

/** ipc(2): call number, with the version of its arguments in the upper half. */
function ipc(
  thread: Thread,
  call: number,
  first: number,
  second: number,
  third: number,
  pointer: number,
  fifth: number,
): KernelResult {
  const { memory } = thread;
  const version = call >>> 16;
  switch (call & 0xffff) {
    case Call.SEMOP:
      return semop(thread, first, pointer, second, 0);
    case Call.SEMTIMEDOP:
      return semop(thread, first, pointer, second, fifth);
    case Call.SEMGET:
      return semaphores.get(thread, first, second, third);
    case Call.SEMCTL:
      return semaphores.control(thread, first, second, modern(third), memory.u32(pointer));
    case Call.MSGSND:
      return messageQueues.send(thread, first, pointer, second, third);
    case Call.MSGRCV:
      // Version 0 passes buffer and type in a structure (struct ipc_kludge).
      return version === 0
        ? messageQueues.receive(thread, first, memory.u32(pointer), second, memory.i32(pointer + 4), third)
        : messageQueues.receive(thread, first, pointer, second, fifth | 0, third);
    case Call.MSGGET:
      return messageQueues.get(thread, first, second);
    case Call.MSGCTL:
      return messageQueues.control(thread, first, modern(second), pointer);
    case Call.SHMAT:
      if (version === 1) throw new Errno('EINVAL');
      memory.setU32(third, sharedMemory.attach(thread, first, pointer, second));
      return 0;
    case Call.SHMDT:
      return sharedMemory.detach(thread, pointer);
    case Call.SHMGET:
      return sharedMemory.get(thread, first, second, third);
    case Call.SHMCTL:
      return sharedMemory.control(thread, first, modern(second), pointer);
    default:
      throw new Errno('ENOSYS');
  }
}

export const ipcSyscalls: Readonly<Record<string, KernelSyscall>> = {
  ipc,
  semget: semaphores.get,
  semop,
  semtimedop: semop,
  semtimedop_time64: semaphores.operate(true),
  semctl: (thread, id, number, command, argument) =>
    semaphores.control(thread, id, number, command & ~IPC_64, argument),
  msgget: messageQueues.get,
  msgsnd: messageQueues.send,
  msgrcv: (thread, id, address, size, wanted, flags) =>
    messageQueues.receive(thread, id, address, size, wanted | 0, flags),
  msgctl: (thread, id, command, address) => messageQueues.control(thread, id, command & ~IPC_64, address),
  shmget: sharedMemory.get,
  shmat: sharedMemory.attach,
  shmdt: sharedMemory.detach,
  shmctl: (thread, id, command, address) => sharedMemory.control(thread, id, command & ~IPC_64, address),
};
