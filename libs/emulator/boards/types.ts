import type { BlockBackend, ByteOrder, InputQueue, Scheduler } from '../core/index.js';
import type { AddressSpace, LinearMemory, RamBlock } from '../memory/index.js';

/** An image that is read when the board is switched on or reset, so that nobody keeps it meanwhile. */
export interface ImageFile {
  /** All bytes, always the same. @throws EmulatorError when they are not any more */
  read(): Uint8Array;
}

/** What a caller asks a machine to be. Every bad value is a `ConfigError` that names the field. */
export interface MachineConfig {
  /** Catalogue id, for example `malta`. */
  board: string;
  /** CPU model id of the board; default: the board's. */
  cpu?: string;
  /** RAM in bytes; default: the board's. */
  memoryBytes?: number;
  /** ELF executable (`vmlinux`, or a self-extracting `vmlinuz`). The CPU's byte order follows its header. */
  kernel?: Uint8Array | ImageFile;
  initrd?: Uint8Array | ImageFile;
  /** ELF executable, or a raw image of the boot flash. */
  firmware?: Uint8Array | ImageFile;
  /** Byte order for raw firmware; ELF images decide by themselves. */
  byteOrder?: ByteOrder;
  cmdline?: string;
  drives?: readonly BlockBackend[];
  /** Unix seconds at which the guest's real-time clock starts; default 2026-01-01T00:00:00Z, never the host's time. */
  rtcStartSeconds?: number;
}

/** A board's catalogue entry: everything a person or a form needs to know, derived from the board's declaration. */
export interface BoardInfo {
  id: string;
  name: string;
  description: string;
  arch: 'mips';
  byteOrders: ByteOrder[];
  cpus: { id: string; description: string }[];
  defaultCpu: string;
  memory: { minBytes: number; maxBytes: number; defaultBytes: number };
  consoles: ConsoleInfo[];
  devices: DeviceInfo[];
  /** How many drives can be attached. */
  drives: number;
  defaultCmdline: string;
  /** How images are started, one sentence. */
  boot: string;
  instructionsPerSecond: number;
  selfTest: boolean;
}

export interface ConsoleInfo {
  name: string;
  description: string;
}

export interface DeviceInfo {
  name: string;
  type: string;
  description: string;
  address?: string;
  irq?: string;
}

/** What a board hands to whoever makes its CPU. */
export interface CpuOptions {
  /** CPU model id from the board's list, for example `24Kf`. */
  readonly model: string;
  readonly byteOrder: ByteOrder;
  /** The CPU's view of the machine. */
  readonly bus: AddressSpace;
  readonly memory: LinearMemory;
  readonly scheduler: Scheduler;
  /** Virtual nanoseconds that one instruction takes. */
  readonly nsPerInstruction: number;
  /** Rate of CP0 Count in virtual time. */
  readonly countHz: number;
  /** Virtual nanoseconds that one access to a device register takes, a multiple of {@link nsPerInstruction}. */
  readonly deviceAccessNs: number;
}

/** What a board needs of a CPU; a vCPU implements it beside its run loop. */
export interface BoardCpu {
  /**
   * Level of one interrupt pin.
   * @param n number of the Cause.IP bit that shows it (2..7 are the hardware pins)
   */
  setIrqLine(n: number, level: boolean): void;
  /** Back to the architecture's reset state, which fetches from the reset vector. */
  reset(): void;
  /** After {@link reset}: starts at `pc` with some general registers preset, as a boot monitor hands over. */
  boot(entry: CpuEntry): void;
}

export interface CpuEntry {
  /** Virtual address. */
  readonly pc: number;
  /** Register number to unsigned 32-bit value; all others stay as reset left them. */
  readonly gpr: Readonly<Record<number, number>>;
}

export type PowerEvent = 'power-off' | 'reset';

/** The outside of a board, given when it is built. */
export interface BoardHost<C extends BoardCpu> {
  /** Bytes of linear memory that the CPU will allocate (state, soft TLB, tables), beside all RAM. */
  readonly cpuLinearBytes: number;
  createCpu(options: CpuOptions): C | Promise<C>;
  /** A UART sent a byte at the scheduler's current time. */
  onTransmit(uart: string, byte: number): void;
  /**
   * The guest switched the board off or reset it. Called in the middle of a guest store: note it and leave the run
   * loop at the next instruction boundary.
   */
  onPower(event: PowerEvent): void;
}

/** A board with its CPU, images loaded, about to execute its first instruction. */
export interface BuiltBoard<C extends BoardCpu> {
  readonly info: BoardInfo;
  readonly cpuModel: string;
  readonly byteOrder: ByteOrder;
  readonly scheduler: Scheduler;
  /** Console input enters here under the UART's name. */
  readonly input: InputQueue;
  readonly memory: LinearMemory;
  readonly bus: AddressSpace;
  /** Main memory, for hashing and snapshots. */
  readonly ram: RamBlock;
  readonly cpu: C;
  readonly consoles: readonly ConsoleInfo[];
  readonly nsPerInstruction: number;
  /** Board reset: devices and CPU to their reset state, images loaded and entered again; RAM keeps the rest. */
  reset(): void;
}
