import { IdleWatch } from './idle-watch.js';
import type { Machine, MachineStop } from './machine.js';

/**
 * `virtual`: idle time is skipped, a run takes as long as its instructions. `wall`: while the guest idles, virtual time
 * passes as fast as the host's.
 */
export type ClockMode = 'virtual' | 'wall';

export interface RunOptions {
  readonly clock: ClockMode;
  /** Virtual time after which the run ends. Default: none. */
  readonly timeoutNs?: number;
  /** Host time after which the run is given up, milliseconds. Default: none. */
  readonly wallGuardMs?: number;
  readonly signal?: AbortSignal;
  /** Called between slices, at least every few ten milliseconds of host time while the guest computes. */
  readonly onSlice?: (nowNs: number) => void;
  /** A wait of the caller's own making, that ends early when there is something to do. */
  readonly wake?: { wait(ms: number): Promise<void> };
  /** Called when the guest has begun to idle after work: a good moment to tidy up. Only on the `wall` clock. */
  readonly onIdle?: () => void;
  /** Whether a guest reset ends the run (the default), or the board starts again. */
  readonly stopOnReset?: boolean;
}

export type MachineEnd =
  | { readonly kind: 'power-off' | 'reset' | 'timeout' | 'wall-guard' | 'aborted' }
  | { readonly kind: 'dead'; readonly reason: string };

/** Instructions between two looks at the outside world: about 10 ms of an interpreter. */
const SLICE_INSTRUCTIONS = 4_000_000;
/** Longest single wait; abort and guard are looked at in between. */
const LONGEST_WAIT_MS = 250;

/**
 * Drives a machine to its end in slices, letting the event loop run between them. Host time decides only when slices
 * run and how long idle waits last, never what the guest sees at a given virtual time.
 */
export async function runMachine(machine: Machine, options: RunOptions): Promise<MachineEnd> {
  const {
    clock,
    timeoutNs = Infinity,
    wallGuardMs = Infinity,
    signal,
    onSlice,
    onIdle,
    wake,
    stopOnReset = true,
  } = options;
  const startedMs = performance.now();
  const waiter = new InputWaiter(machine, signal);
  const idleness = new IdleWatch(startedMs);
  try {
    for (;;) {
      if (signal?.aborted) return { kind: 'aborted' };
      if (machine.nowNs >= timeoutNs) return { kind: 'timeout' };
      if (performance.now() - startedMs >= wallGuardMs) return { kind: 'wall-guard' };
      const stop: MachineStop = machine.run({
        untilNs: timeoutNs,
        instructions: SLICE_INSTRUCTIONS,
        idle: clock === 'wall' ? 'stop' : 'skip',
      });
      onSlice?.(machine.nowNs);
      switch (stop.kind) {
        case 'power-off':
        case 'dead':
          return stop;
        case 'reset':
          if (stopOnReset) return stop;
          machine.reset();
          break;
        case 'limit':
          await nextTurn();
          break;
        case 'idle': {
          const dueMs = ((stop.untilNs ?? Infinity) - machine.nowNs) / 1e6;
          const beganMs = performance.now();
          await waiter.wait(Math.min(dueMs, LONGEST_WAIT_MS), wake);
          const passedNs = Math.round((performance.now() - beganMs) * 1e6);
          machine.passIdleTime(Math.min(machine.nowNs + passedNs, timeoutNs));
          if (idleness.waited(beganMs, performance.now())) onIdle?.();
        }
      }
    }
  } finally {
    waiter.dispose();
  }
}

/** Waits for host time to pass, but no longer than until input arrives or the run is aborted. */
class InputWaiter {
  #arrived = false;
  #wakeUp: (() => void) | undefined;
  readonly #dispose: () => void;

  constructor(machine: Machine, signal: AbortSignal | undefined) {
    const notify = (): void => {
      this.#arrived = true;
      this.#wakeUp?.();
    };
    const stopListening = machine.onInput(notify);
    signal?.addEventListener('abort', notify);
    this.#dispose = () => {
      stopListening();
      signal?.removeEventListener('abort', notify);
    };
  }

  async wait(ms: number, wake: RunOptions['wake']): Promise<void> {
    if (this.#arrived) {
      this.#arrived = false;
      return;
    }
    let timer: ReturnType<typeof setTimeout> | undefined;
    const elapsed = wake
      ? wake.wait(ms)
      : new Promise<void>((resolve) => {
          timer = setTimeout(resolve, ms);
        });
    const input = new Promise<void>((resolve) => {
      this.#wakeUp = resolve;
    });
    await Promise.race([elapsed, input]);
    clearTimeout(timer);
    this.#wakeUp = undefined;
    this.#arrived = false;
  }

  dispose(): void {
    this.#dispose();
  }
}

/**
 * Lets pending input, timers and messages be handled: a macrotask, without the delay of a timer. The first message that
 * Node 24 delivers loads its HTTP client for it, 20 ms and 15 MB: browsers only get one.
 */
function nextTurn(): Promise<void> {
  if (typeof setImmediate === 'function') return new Promise((resolve) => setImmediate(resolve));
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(undefined);
  });
}
