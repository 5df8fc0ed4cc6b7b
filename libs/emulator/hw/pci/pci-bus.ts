import type { AccessWidth, LineSink } from '../../core/index.js';
import { EmulatorError } from '../../core/index.js';
import type { MmioHandler } from '../../memory/index.js';
import { AddressSpace } from '../../memory/index.js';

/**
 * A conventional PCI bus: functions with their configuration space, the I/O and memory spaces that their base address
 * registers decode in, interrupt pins and special cycles.
 * Source: PCI Local Bus Specification 2.2, sections 2.2.6 (interrupt pins), 3.2.2 (addressing), 3.6.2 (special
 * cycle), 6.1 and 6.2 (configuration space).
 */

export type InterruptPin = 'A' | 'B' | 'C' | 'D';
const PINS: readonly InterruptPin[] = ['A', 'B', 'C', 'D'];

/** Where a function sits: its IDSEL number and function number. */
export interface PciSlot {
  readonly device: number;
  readonly function: number;
}

export class PciBus {
  /** I/O space. Ports below 64 KiB that no function claims belong to the ISA bridge, if the board has one. */
  readonly io: AddressSpace;
  /** Memory space as targets decode it. */
  readonly memory: AddressSpace;
  readonly #functions = new Map<number, MmioHandler>();
  readonly #specialCycleListeners: ((message: number) => void)[] = [];
  readonly #pins = new Map<string, boolean>();
  #router: ((device: number, pin: InterruptPin, level: boolean) => void) | undefined;

  /** @param dma what bus masters see in memory space: the host bridge decides which addresses reach RAM */
  constructor(
    readonly name: string,
    readonly dma: AddressSpace,
  ) {
    this.io = new AddressSpace(`${name}-io`);
    this.memory = new AddressSpace(`${name}-memory`);
  }

  attach(slot: PciSlot, config: MmioHandler): void {
    const key = keyOf(slot);
    if (this.#functions.has(key)) throw new EmulatorError(`${this.name}: ${slot.device}.${slot.function} is taken`);
    this.#functions.set(key, config);
  }

  /** Configuration read. @returns undefined when no function answers (master abort) */
  readConfig(slot: PciSlot, register: number, width: AccessWidth): number | undefined {
    return this.#functions.get(keyOf(slot))?.read(register, width);
  }

  /** Configuration write. @returns false when no function answers (master abort) */
  writeConfig(slot: PciSlot, register: number, width: AccessWidth, value: number): boolean {
    const config = this.#functions.get(keyOf(slot));
    config?.write(register, width, value);
    return config !== undefined;
  }

  /** Broadcasts a message to all functions. @param message bits 15:0 type, 31:16 data */
  specialCycle(message: number): void {
    for (const listener of this.#specialCycleListeners) listener(message);
  }

  onSpecialCycle(listener: (message: number) => void): void {
    this.#specialCycleListeners.push(listener);
  }

  /** The wire from a function's interrupt pin. */
  interrupt(device: number, pin: InterruptPin): LineSink {
    return (level) => {
      this.#pins.set(`${device}${pin}`, level);
      this.#router?.(device, pin, level);
    };
  }

  /** Connects the interrupt pins of all slots to the board's traces. */
  routeInterrupts(router: (device: number, pin: InterruptPin, level: boolean) => void): void {
    this.#router = router;
    for (const [key, level] of this.#pins) router(parseInt(key, 10), key.slice(-1) as InterruptPin, level);
  }
}

const keyOf = ({ device, function: number }: PciSlot): number => device * 8 + number;

/** Rotates pins over PIRQA..D (0..3), as slots on a backplane are wired: slot n's INTA is the (n + A)th trace. */
export const rotatePin = (slot: number, pin: InterruptPin): number => (slot + PINS.indexOf(pin)) % 4;

/** A stretch of a bus whose place software chooses; mapped only while it is enabled. */
export class MovableWindow {
  #base: number | undefined;
  #unmap: (() => void) | undefined;

  constructor(
    private readonly space: AddressSpace,
    private readonly name: string,
    private readonly size: number,
    private readonly handler: MmioHandler,
    private readonly priority = 0,
  ) {}

  /** Current base, undefined while it decodes nothing. */
  get base(): number | undefined {
    return this.#base;
  }

  /** Moves it, or takes it away with `undefined`. A place beyond the end of the space decodes nothing. */
  place(base: number | undefined): void {
    const fits = base !== undefined && base + this.size <= this.space.sizeBytes;
    const target = fits ? base : undefined;
    if (target === this.#base) return;
    this.#unmap?.();
    this.#base = target;
    this.#unmap =
      target === undefined
        ? undefined
        : this.space.mapMmio(this.name, target, this.size, this.handler, 'little', this.priority);
  }
}
