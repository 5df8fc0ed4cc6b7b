import type { TargetDescription } from '../jit/ir/index.js';

/** Why an address is translated. */
export const Access = { Read: 0, Write: 1, Fetch: 2 } as const;
export type Access = (typeof Access)[keyof typeof Access];

/** What an engine offers to the architecture that it runs. */
export interface EngineHost {
  /** The CPU's area of linear memory as 32-bit words: field at byte offset `o` is element `o >> 2`. */
  readonly words: Int32Array;
  /** The same as bytes, for wider fields. */
  readonly view: DataView;
  /** Brings the scheduler's clock to the current instruction; call it before looking at time or arming timers. */
  syncTime(): void;
  /** Drops every cached translation of all modes. */
  flushTranslations(): void;
  /** Drops what is cached for one 4 KiB page. */
  flushPage(address: number): void;
  /** Selects the translations of an address space; those of others are kept where there is room. */
  selectAddressSpace(identifier: number): void;
  /** Selects the translations of a mode, 0..2. */
  selectMode(mode: number): void;
  /** The instruction word before the current one, when it was executed just before it in a straight line. */
  previousInstruction(): number | undefined;
  /** Asks for control at the next instruction boundary, to take an interrupt. */
  requestAttention(): void;
  /** Ends the engine's run after the current instruction has completed. */
  requestLeave(): void;
}

/** A helper of the architecture. Only those whose signature has a result return a number that anyone looks at. */
export type HelperFunction =
  ((a: number, b: number, c: number) => number) | ((a: number, b: number, c: number) => void);

/** What a stack is walked with. Addresses are virtual. */
export interface StackSource {
  /** A word of memory, unsigned; undefined where it cannot be read. */
  word(address: number): number | undefined;
  /** Where the function begins that an address lies in, if that is known. */
  functionStart(address: number): number | undefined;
}

/** An architecture's run-time part: registers that generated code does not handle itself, traps, translation. */
export interface CpuCore {
  readonly description: TargetDescription;
  /** Implementations of {@link TargetDescription.helpers}, by name. */
  readonly helpers: Readonly<Record<string, HelperFunction>>;
  /** The CPU waits for an interrupt. */
  readonly halted: boolean;
  /** Ends waiting; called when {@link wakeupPending} says so. */
  wake(): void;
  /**
   * Translates a virtual address for an access in the current mode. On success {@link translatedAddress} and
   * {@link translatedWritable} hold the result; on failure the exception has been raised.
   */
  translate(address: number, access: Access): boolean;
  /** Physical address of the last successful translation. */
  readonly translatedAddress: number;
  /** Stores to that page need no further check by the architecture. */
  readonly translatedWritable: boolean;
  /**
   * Size of the aligned block whose pages have appeared together with that one, in bytes, 0 or absent where they have not: {@link translateQuietly}
   * finds them.
   */
  readonly translatedBlockBytes?: number;
  /**
   * The same for reads, where that needs nobody's help: nothing is raised and nothing changes but the result.
   * @returns false where reading would do more
   */
  translateQuietly?(address: number): boolean;
  raiseAddressError(address: number, access: Access): void;
  raiseBusError(address: number, access: Access): void;
  /** Takes the highest pending enabled interrupt, if there is one. @returns whether state was redirected */
  takeInterrupt(): boolean;
  /** A pending interrupt would end waiting. */
  readonly wakeupPending: boolean;
  /** Some interrupt is unmasked, so that waiting can end. */
  readonly canWake: boolean;
  setIrqLine(line: number, level: boolean): void;
  /**
   * Physical address of what a virtual one shows at present, as a debugger wants to see it: nothing is raised and nothing
   * changes. Undefined where it shows nothing.
   */
  probe?(address: number): number | undefined;
  /** The calls that the CPU is in, innermost first: virtual addresses of the call instructions. */
  callers?(source: StackSource): number[];
  reset(): void;
  boot(entry: { readonly pc: number; readonly gpr: Readonly<Record<number, number>> }): void;
}
