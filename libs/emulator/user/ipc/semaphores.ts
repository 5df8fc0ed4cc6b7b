import { Errno, WaitQueue } from '../kernel/contracts.js';
import type { IpcPermissions } from './registry.js';
import { IPC_NOWAIT, IpcObject } from './registry.js';

/** SEMVMX. */
export const MAX_SEMAPHORE_VALUE = 32767;
const SEM_UNDO = 0x1000;

/** One element of semop(2)'s array. */
export interface SemaphoreOperation {
  readonly number: number;
  readonly change: number;
  readonly flags: number;
}

/** A semop(2) that waits: its operations take effect all at once, or not yet. */
export interface SemaphoreWaiter {
  readonly operations: readonly SemaphoreOperation[];
  readonly process: SemaphoreUser;
  readonly queue: WaitQueue;
  /** The operation that cannot be done, which GETNCNT and GETZCNT count. */
  blockedBy: SemaphoreOperation;
  outcome: 'done' | Errno | undefined;
}

/** A process, as semaphores see it: whose values are given back at its end (SEM_UNDO). */
export interface SemaphoreUser {
  readonly pid: number;
}

interface Semaphore {
  value: number;
  /** The process that changed it last. */
  pid: number;
}

export class SemaphoreSet extends IpcObject {
  readonly semaphores: readonly Semaphore[];
  /** Real time of the last semop, s since 1970. */
  operatedS = 0;
  readonly #waiters: SemaphoreWaiter[] = [];
  readonly #undo = new Map<SemaphoreUser, Int32Array>();

  /** @param nowS real time, s since 1970 */
  constructor(
    key: number,
    permissions: IpcPermissions,
    count: number,
    private readonly nowS: () => number,
  ) {
    super(key, permissions);
    this.semaphores = Array.from({ length: count }, () => ({ value: 0, pid: 0 }));
  }

  /** @throws Errno EINVAL */
  semaphore(number: number): Semaphore {
    const found = this.semaphores[number];
    if (!found) throw new Errno('EINVAL');
    return found;
  }

  /** How many wait for the value to grow (GETNCNT), or for it to become zero (GETZCNT). */
  waiting(number: number, what: 'growth' | 'zero'): number {
    return this.#waiters.filter(
      ({ blockedBy }) => blockedBy.number === number && (what === 'zero') === (blockedBy.change === 0),
    ).length;
  }

  /**
   * semop(2).
   * @returns undefined where it is done; who waits otherwise
   * @throws Errno EAGAIN, ERANGE, EFBIG
   */
  operate(operations: readonly SemaphoreOperation[], process: SemaphoreUser): SemaphoreWaiter | undefined {
    if (operations.some(({ number }) => number >= this.semaphores.length)) throw new Errno('EFBIG');
    const blockedBy = this.#attempt(operations, process);
    if (!blockedBy) {
      this.#resumeWaiters();
      return undefined;
    }
    if (blockedBy.flags & IPC_NOWAIT) throw new Errno('EAGAIN');
    const waiter: SemaphoreWaiter = { operations, process, queue: new WaitQueue(), blockedBy, outcome: undefined };
    this.#waiters.push(waiter);
    return waiter;
  }

  /** The waiter gives up: time-out or signal. */
  cancel(waiter: SemaphoreWaiter): void {
    const index = this.#waiters.indexOf(waiter);
    if (index >= 0) this.#waiters.splice(index, 1);
  }

  /** SETVAL and SETALL: what SEM_UNDO remembered of them is void. */
  set(values: ReadonlyMap<number, number>, pid: number): void {
    for (const value of values.values()) if (value < 0 || value > MAX_SEMAPHORE_VALUE) throw new Errno('ERANGE');
    for (const [number, value] of values) {
      Object.assign(this.semaphore(number), { value, pid });
      for (const undo of this.#undo.values()) undo[number] = 0;
    }
    this.changedS = this.nowS();
    this.#resumeWaiters();
  }

  /** A process ends: what it did with SEM_UNDO is taken back; a value stops at zero, semop(2), BUGS. */
  processEnded(process: SemaphoreUser): void {
    const undo = this.#undo.get(process);
    if (!undo) return;
    this.#undo.delete(process);
    undo.forEach((adjustment, number) => {
      const semaphore = this.semaphores[number];
      if (!semaphore || adjustment === 0) return;
      semaphore.value = Math.min(MAX_SEMAPHORE_VALUE, Math.max(0, semaphore.value + adjustment));
      semaphore.pid = process.pid;
    });
    this.operatedS = this.nowS();
    this.#resumeWaiters();
  }

  /** IPC_RMID: who waits is told. */
  dissolve(): void {
    for (const waiter of this.#waiters.splice(0)) end(waiter, new Errno('EIDRM'));
  }

  /** Does all operations or none. @returns the first that has to wait */
  #attempt(operations: readonly SemaphoreOperation[], process: SemaphoreUser): SemaphoreOperation | undefined {
    const values = new Map<number, number>();
    for (const operation of operations) {
      const { number, change } = operation;
      const value = values.get(number) ?? this.semaphore(number).value;
      if (change === 0 ? value !== 0 : value + change < 0) return operation;
      if (value + change > MAX_SEMAPHORE_VALUE) throw new Errno('ERANGE');
      values.set(number, value + change);
    }
    for (const { number, change, flags } of operations) {
      this.semaphore(number).pid = process.pid;
      if (!(flags & SEM_UNDO)) continue;
      const undo = this.#undo.get(process) ?? new Int32Array(this.semaphores.length);
      this.#undo.set(process, undo);
      undo[number] = (undo[number] ?? 0) - change;
    }
    for (const [number, value] of values) this.semaphore(number).value = value;
    this.operatedS = this.nowS();
    return undefined;
  }

  /** Completes waiting calls that can be completed now, in the order in which they came, until none can. */
  #resumeWaiters(): void {
    for (let at = 0; at < this.#waiters.length;) {
      const waiter = this.#waiters[at] as SemaphoreWaiter;
      let outcome: SemaphoreWaiter['outcome'];
      try {
        const blockedBy = this.#attempt(waiter.operations, waiter.process);
        if (blockedBy) waiter.blockedBy = blockedBy;
        else outcome = 'done';
      } catch (error) {
        if (!(error instanceof Errno)) throw error;
        outcome = error;
      }
      if (!outcome) {
        at++;
        continue;
      }
      this.#waiters.splice(at, 1);
      end(waiter, outcome);
      at = 0; // what it changed may be what another waits for
    }
  }
}

function end(waiter: SemaphoreWaiter, outcome: 'done' | Errno): void {
  waiter.outcome = outcome;
  waiter.queue.wake();
}
