import { createMipsVcpu, InterpreterVcpu } from '../accel/index.js';
import type { InterpreterStore, TranslationServiceFactory, TranslationStats } from '../accel/index.js';
import { buildBoard, loadImages } from '../boards/index.js';
import type { BoardHost, BoardInfo, BuiltBoard, ConsoleInfo, MachineConfig, PowerEvent } from '../boards/index.js';

/** Bytes that a UART sent at one instant of virtual time. */
export interface ConsoleChunk {
  readonly uart: string;
  readonly tNs: number;
  readonly data: Uint8Array;
}

export interface RunLimit {
  /** Stop at this virtual time. Default: never. */
  readonly untilNs?: number;
  /** Stop after this many instructions. Default: never. */
  readonly instructions?: number;
  /**
   * What to do when every CPU waits for an interrupt: `skip` moves virtual time to the next event (the default),
   * `stop` returns, so that the caller can wait for the host's clock.
   */
  readonly idle?: 'skip' | 'stop';
}

export type MachineStop =
  /** `untilNs` or `instructions` reached. */
  | { readonly kind: 'limit' }
  /** Every CPU waits; the next event is due at `untilNs`. Only with `idle: 'stop'`. */
  | { readonly kind: 'idle'; readonly untilNs: number | undefined }
  | { readonly kind: 'power-off' }
  | { readonly kind: 'reset' }
  /** The guest can never continue. */
  | { readonly kind: 'dead'; readonly reason: string };

export interface MachineStats {
  readonly instructions: number;
  readonly virtualNs: number;
  readonly exits: Record<string, number>;
  readonly tlbMisses: number;
  /** Absent where nothing is translated. */
  readonly translation?: Readonly<TranslationStats>;
}

/** Where the CPU is at one instant. */
export interface MachineSample {
  /** Virtual address of the next instruction. */
  readonly programCounter: number;
  /** Instructions since the sample before. */
  readonly instructions: number;
  /**
   * The calls that the CPU is in at this instant, innermost first: virtual addresses of the call instructions, as far as the
   * stack can be read.
   * @param functionStart where the function begins that an address lies in, if that is known
   */
  callers(functionStart: (address: number) => number | undefined): number[];
}

/**
 * A board with its CPU, images loaded, ready to run. All its methods are synchronous and none looks at the host's
 * clock: what a machine does is a function of its configuration and of when (in virtual time) input was sent.
 */
export interface Machine {
  readonly board: BoardInfo;
  readonly consoles: readonly ConsoleInfo[];
  /** Virtual time since power-on, integer nanoseconds. */
  readonly nowNs: number;
  /** Calls back for everything a UART sends, in the middle of the run. @returns a function that stops it */
  onConsole(listener: (chunk: ConsoleChunk) => void): () => void;
  /** Types into a console: the bytes wait in the stamped input queue until the UART has room. Never dropped. */
  sendConsole(uart: string, data: Uint8Array): void;
  /** Calls back when input was sent. @returns a function that stops it */
  onInput(listener: () => void): () => void;
  /** Calls back every so many instructions, in the middle of the run; what the guest does stays the same. */
  onSample(everyInstructions: number, listener: (sample: MachineSample) => void): void;
  /** Runs until a limit or the guest's end. Never throws on guest behaviour. */
  run(limit: RunLimit): MachineStop;
  /** Lets virtual time pass while every CPU waits, at most to the next event. */
  passIdleTime(untilNs: number): void;
  /** Resets the board as its reset button does: images are loaded and entered again. */
  reset(): void;
  stats(): MachineStats;
  /** Bytes of main memory in pages that were written: what it takes of the host. */
  readonly ramWrittenBytes: number;
  /** SHA-256 of main memory, hexadecimal. The machine must not run meanwhile. */
  ramSha256(): Promise<string>;
  /** Ends threads that work for the machine. It must not run again. */
  close(): void;
}

/** What runs the CPU. Results never depend on it: only speed does. */
export interface EngineOptions {
  /** `jit` (default): hot code is translated, the rest interpreted. `interp`: everything is interpreted. */
  readonly accel?: Accel | undefined;
  /** Visits of a branch target before it is translated, at least 1. Default {@link DEFAULT_JIT_THRESHOLD}. */
  readonly jitThreshold?: number | undefined;
  /** Where translations are made; Node has `translateInThread`. Default: in this thread, the machine waits for them. */
  readonly translationService?: TranslationServiceFactory | undefined;
  /** Where the CPU's interpreter is looked up before it is generated. Default: nowhere. */
  readonly interpreters?: InterpreterStore | undefined;
  /** Hexadecimal SHA-256; Node has `sha256InPlace`. Default: Web Crypto's, which needs a copy of RAM for a moment. */
  readonly sha256?: ((bytes: Uint8Array) => Promise<string>) | undefined;
  /** What translations of an image are kept under, as known code is compared anyway; Node has `imageName`. Default: its SHA-256. */
  readonly imageName?: ((bytes: Uint8Array) => string) | undefined;
  /** Takes remarks for the person who runs the machine: what failed, and was done in a slower way. Without it, it stops then. */
  readonly warn?: ((line: string) => void) | undefined;
}

export const ACCELS = ['jit', 'interp'] as const;
export type Accel = (typeof ACCELS)[number];
export const DEFAULT_JIT_THRESHOLD = 2000;

/** Builds a machine. @throws ConfigError for every bad input, naming the field and the mend */
export async function createMachine(config: MachineConfig, engine: EngineOptions = {}): Promise<Machine> {
  const outside = new Outside();
  const loaded = loadImages(config);
  const booted = loaded.firmware ?? loaded.kernel;
  const nameOf = engine.imageName ?? engine.sha256 ?? sha256;
  const image = engine.translationService && booted ? await nameOf(booted) : undefined;
  const host: BoardHost<InterpreterVcpu> = {
    cpuLinearBytes: InterpreterVcpu.linearBytes,
    createCpu: (options) =>
      createMipsVcpu({
        ...options,
        interpreters: engine.interpreters,
        translation:
          engine.accel === 'interp'
            ? undefined
            : {
                ...{ threshold: engine.jitThreshold ?? DEFAULT_JIT_THRESHOLD, service: engine.translationService },
                ...{ image, warn: engine.warn },
              },
      }),
    onTransmit: (uart, byte) => outside.transmit(uart, byte),
    onPower: (event) => outside.power(event),
  };
  const built = await buildBoard(config, host, loaded);
  outside.board = built;
  return new EmulatedMachine(built, outside, engine.sha256);
}

/** What a board reports while it runs; the board is known only after it was built with these callbacks. */
class Outside {
  board: BuiltBoard<InterpreterVcpu> | undefined;
  powerEvent: PowerEvent | undefined;
  readonly consoleListeners = new Set<(chunk: ConsoleChunk) => void>();

  transmit(uart: string, byte: number): void {
    const chunk = { uart, tNs: this.board?.scheduler.nowNs ?? 0, data: Uint8Array.of(byte) };
    for (const listener of this.consoleListeners) listener(chunk);
  }

  power(event: PowerEvent): void {
    this.powerEvent ??= event;
    this.board?.cpu.requestLeave();
  }
}

class EmulatedMachine implements Machine {
  readonly #inputListeners = new Set<() => void>();
  #sampling: { every: number; last: number; listener: (sample: MachineSample) => void } | undefined;

  constructor(
    private readonly built: BuiltBoard<InterpreterVcpu>,
    private readonly outside: Outside,
    private readonly sha256: EngineOptions['sha256'],
  ) {}

  get board(): BoardInfo {
    return this.built.info;
  }

  get consoles(): readonly ConsoleInfo[] {
    return this.built.consoles;
  }

  get nowNs(): number {
    return this.built.scheduler.nowNs;
  }

  onConsole(listener: (chunk: ConsoleChunk) => void): () => void {
    this.outside.consoleListeners.add(listener);
    return () => this.outside.consoleListeners.delete(listener);
  }

  sendConsole(uart: string, data: Uint8Array): void {
    this.built.input.push(uart, data);
    for (const listener of this.#inputListeners) listener();
  }

  onInput(listener: () => void): () => void {
    this.#inputListeners.add(listener);
    return () => this.#inputListeners.delete(listener);
  }

  run({ untilNs = Infinity, instructions = Infinity, idle = 'skip' }: RunLimit): MachineStop {
    const { scheduler, cpu, nsPerInstruction } = this.built;
    const lastInstruction = cpu.stats.instructions + instructions;
    for (;;) {
      scheduler.fireDue();
      const { powerEvent } = this.outside;
      if (powerEvent) {
        this.outside.powerEvent = undefined;
        return { kind: powerEvent };
      }
      if (scheduler.nowNs >= untilNs) return { kind: 'limit' };
      const eventNs = Math.min(scheduler.nextDeadlineNs, untilNs);
      if (cpu.waiting) {
        if (cpu.deaf) return { kind: 'dead', reason: 'The CPU waits for an interrupt with all interrupts masked' };
        if (idle === 'stop') return { kind: 'idle', untilNs: eventNs === Infinity ? undefined : eventNs };
        if (eventNs === Infinity)
          return { kind: 'dead', reason: 'The CPU waits for an interrupt and no device will ever raise one' };
        scheduler.setTime(eventNs);
        continue;
      }
      const budget = Math.min(
        Math.ceil((eventNs - scheduler.nowNs) / nsPerInstruction),
        lastInstruction - cpu.stats.instructions,
      );
      if (budget <= 0) return { kind: 'limit' };
      cpu.run(Math.min(budget, this.#untilSample()));
      this.#sample();
    }
  }

  onSample(everyInstructions: number, listener: (sample: MachineSample) => void): void {
    this.#sampling = { every: everyInstructions, last: this.built.cpu.stats.instructions, listener };
  }

  #untilSample(): number {
    const sampling = this.#sampling;
    return sampling ? sampling.last + sampling.every - this.built.cpu.stats.instructions : Infinity;
  }

  #sample(): void {
    const sampling = this.#sampling;
    if (!sampling || this.#untilSample() > 0) return;
    const { cpu } = this.built;
    const { instructions } = cpu.stats;
    sampling.listener({
      programCounter: cpu.programCounter,
      instructions: instructions - sampling.last,
      callers: (functionStart) => cpu.callers(functionStart),
    });
    sampling.last = instructions;
  }

  passIdleTime(untilNs: number): void {
    const { scheduler, cpu } = this.built;
    if (!cpu.waiting) return;
    const target = Math.floor(Math.min(untilNs, scheduler.nextDeadlineNs));
    if (target > scheduler.nowNs) scheduler.setTime(target);
  }

  reset(): void {
    this.built.reset();
  }

  stats(): MachineStats {
    const { instructions, exits, tlbMisses, mmio, translation } = this.built.cpu.stats;
    const translated = translation && { translation: { ...translation } };
    return { instructions, virtualNs: this.nowNs, exits: { ...exits, mmio }, tlbMisses, ...translated };
  }

  close(): void {
    this.built.cpu.close();
  }

  get ramWrittenBytes(): number {
    return this.built.ram.writtenBytes;
  }

  async ramSha256(): Promise<string> {
    const { bytes } = this.built.ram;
    return this.sha256 ? this.sha256(bytes) : sha256(bytes.slice()); // Web Crypto takes no shared memory
  }
}

/** Hexadecimal. */
async function sha256(bytes: Uint8Array): Promise<string> {
  const digest = await globalThis.crypto.subtle.digest('SHA-256', bytes as BufferSource); // a copy, or an image in plain memory
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
