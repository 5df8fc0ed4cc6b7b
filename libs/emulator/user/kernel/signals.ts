import type { KernelAbi, SignalAction, SignalInfo } from '../../targets/index.js';

/** Handlers that are no addresses. */
export const SIG_DFL = 0;
export const SIG_IGN = 1;

/** si_code values that all ABIs share (asm-generic/siginfo.h). */
export const SignalCode = {
  User: 0,
  Kernel: 0x80,
  Queue: -1,
  Tkill: -6,
  ChildExited: 1,
  ChildKilled: 2,
  ChildDumped: 3,
  ChildTrapped: 4,
  ChildStopped: 5,
  ChildContinued: 6,
} as const;

/** What a signal does where no handler is set (signal(7)). */
export type DefaultAction = 'terminate' | 'core' | 'ignore' | 'stop' | 'continue';

const DEFAULT_ACTIONS: Readonly<Record<string, DefaultAction>> = {
  SIGCHLD: 'ignore',
  SIGURG: 'ignore',
  SIGWINCH: 'ignore',
  SIGCONT: 'continue',
  SIGSTOP: 'stop',
  SIGTSTP: 'stop',
  SIGTTIN: 'stop',
  SIGTTOU: 'stop',
  SIGQUIT: 'core',
  SIGILL: 'core',
  SIGTRAP: 'core',
  SIGABRT: 'core',
  SIGBUS: 'core',
  SIGFPE: 'core',
  SIGSEGV: 'core',
  SIGSYS: 'core',
  SIGXCPU: 'core',
  SIGXFSZ: 'core',
  SIGEMT: 'core',
};

/** Signals that wait for one receiver; beyond them real-time ones are not told apart any more (RLIMIT_SIGPENDING). */
const MAX_QUEUED = 4096;

/** Signals that a fault raises are taken before all others. */
const SYNCHRONOUS = ['SIGSEGV', 'SIGBUS', 'SIGILL', 'SIGTRAP', 'SIGFPE', 'SIGSYS'];

export const bitOf = (signal: number): bigint => 1n << BigInt(signal - 1);

/** Signals of an ABI: numbers, names, what they do by default. */
export class SignalTable {
  readonly #names: ReadonlyMap<number, string>;
  readonly #actions: ReadonlyMap<number, DefaultAction>;
  /** SIGKILL and SIGSTOP: never blocked, caught or ignored. */
  readonly unblockable: bigint;
  readonly synchronous: bigint;
  readonly stopping: bigint;
  readonly firstRealTime = 32;

  constructor(private readonly abi: KernelAbi) {
    this.#names = new Map([...abi.signals].map(([name, number]) => [number, name]));
    this.#actions = new Map(
      Object.entries(DEFAULT_ACTIONS).flatMap(([name, action]) => {
        const number = abi.signals.get(name);
        return number === undefined ? [] : [[number, action] as const];
      }),
    );
    const mask = (names: readonly string[]): bigint =>
      names.reduce((bits, name) => bits | (abi.signals.has(name) ? bitOf(this.number(name)) : 0n), 0n);
    this.unblockable = mask(['SIGKILL', 'SIGSTOP']);
    this.synchronous = mask(SYNCHRONOUS);
    this.stopping = mask(['SIGSTOP', 'SIGTSTP', 'SIGTTIN', 'SIGTTOU']);
  }

  get last(): number {
    return this.abi.lastSignal;
  }

  number(name: string): number {
    const number = this.abi.signals.get(name);
    if (number === undefined) throw new RangeError(`${this.abi.name} has no signal ${name}`);
    return number;
  }

  name(signal: number): string {
    return this.#names.get(signal) ?? (signal === this.firstRealTime ? 'SIGRTMIN' : `SIGRT_${signal - 32}`);
  }

  /** As the kernel itself sends it. */
  ofKernel(name: string): SignalInfo {
    return { signal: this.number(name), code: SignalCode.Kernel, detail: { kind: 'none' } };
  }

  defaultAction(signal: number): DefaultAction {
    return this.#actions.get(signal) ?? 'terminate';
  }
}

/** What a process (or the processes that share it by CLONE_SIGHAND) does on each signal. */
export class SignalHandlers {
  readonly #actions: SignalAction[];

  constructor(private readonly table: SignalTable) {
    this.#actions = Array.from({ length: table.last + 1 }, () => ({
      handler: SIG_DFL,
      flags: 0,
      restorer: 0,
      mask: 0n,
    }));
  }

  get(signal: number): Readonly<SignalAction> {
    return this.#actions[signal] as SignalAction;
  }

  set(signal: number, action: SignalAction): void {
    this.#actions[signal] = { ...action, mask: action.mask & ~this.table.unblockable };
  }

  /** Would the signal change nothing at all? */
  ignores(signal: number): boolean {
    const { handler } = this.get(signal);
    return handler === SIG_IGN || (handler === SIG_DFL && this.table.defaultAction(signal) === 'ignore');
  }

  clone(): SignalHandlers {
    const copy = new SignalHandlers(this.table);
    this.#actions.forEach((action, signal) => (copy.#actions[signal] = { ...action }));
    return copy;
  }

  /** For execve: handlers lie in the old program, so their signals get the default again. */
  exec(): SignalHandlers {
    const copy = this.clone();
    copy.#actions.forEach((action, signal) => {
      if (action.handler !== SIG_IGN) copy.#actions[signal] = { handler: SIG_DFL, flags: 0, restorer: 0, mask: 0n };
    });
    return copy;
  }
}

/** Signals that wait to be delivered, to a thread or to any thread of a process. */
export class PendingSignals {
  #set = 0n;
  readonly #queue: SignalInfo[] = [];

  constructor(private readonly table: SignalTable) {}

  get set(): bigint {
    return this.#set;
  }

  /** Real-time signals queue up; of the others one of a kind waits at a time. */
  add(info: SignalInfo): void {
    const bit = bitOf(info.signal);
    const coalesced = info.signal < this.table.firstRealTime || this.#queue.length >= MAX_QUEUED;
    if (coalesced && this.#set & bit) return;
    this.#set |= bit;
    this.#queue.push(info);
  }

  /** Takes the signal that is to be delivered next, of those in `allowed`. */
  take(allowed: bigint): SignalInfo | undefined {
    const candidates = this.#set & allowed;
    if (candidates === 0n) return undefined;
    const faults = candidates & this.table.synchronous;
    const signal = lowestSignal(faults === 0n ? candidates : faults);
    const index = this.#queue.findIndex((info) => info.signal === signal);
    const [info] = this.#queue.splice(index, 1);
    if (!this.#queue.some((other) => other.signal === signal)) this.#set &= ~bitOf(signal);
    return info;
  }

  discard(signals: bigint): void {
    if (!(this.#set & signals)) return;
    this.#set &= ~signals;
    for (let i = this.#queue.length - 1; i >= 0; i--)
      if (bitOf((this.#queue[i] as SignalInfo).signal) & signals) this.#queue.splice(i, 1);
  }
}

function lowestSignal(set: bigint): number {
  for (let signal = 1; ; signal++, set >>= 1n) if (set & 1n) return signal;
}
