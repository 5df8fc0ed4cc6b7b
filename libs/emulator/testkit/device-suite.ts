import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { AccessWidth } from '../core/index.js';
import { Scheduler } from '../core/index.js';
import type { Device, DeviceContext } from '../hw/device.js';
import type { MmioHandler } from '../memory/index.js';

/** What the suite needs to know of a device type. */
export interface DeviceCase<D extends Device> {
  /**
   * Builds the device with its far ends. Far ends must be pure functions of virtual time and of what the device does,
   * so that a restored twin with far ends of its own sees the same world.
   */
  readonly create: (context: DeviceContext) => D;
  /** Bus values after reset by bank and register name, from the data sheet. */
  readonly resetValues: { readonly [bank: string]: { readonly [register: string]: number } };
  /** Where guests reach the device, default its banks. */
  readonly handlers?: (device: D) => readonly { readonly handler: MmioHandler; readonly sizeBytes: number }[];
  /** Things other than bus accesses that happen to it: input pins, acknowledge cycles. `choice` is 0..2^32-1. */
  readonly stimulate?: (device: D, choice: number) => void;
  /** Longest stretch of virtual time between two accesses, default 200 µs. */
  readonly longestPauseNs?: number;
}

const ACCESSES = 6000;
const SEEDS = [1, 2, 3];
/** A device may be programmed to fire faster than any test wants to follow. */
const MAX_EVENTS_PER_PAUSE = 200;

/**
 * The suite that every device passes: reset values; saved and restored into a fresh twin it goes on as before; any
 * guest access at any offset and width is answered, without touching the host.
 */
export function testDevice<D extends Device>(name: string, device: DeviceCase<D>): void {
  describe(`${name}: what every device guarantees`, () => {
    beforeEach(forbidHost);
    afterEach(allowHost);

    it('has its reset values when it is created and after a reset', () => {
      const bench = new Bench(device);
      expect(bench.readNamed(device.resetValues)).toEqual(device.resetValues);
      bench.hammer(seededRandom(7), 500);
      bench.device.reset();
      expect(bench.readNamed(device.resetValues)).toEqual(device.resetValues);
    });

    it.each(SEEDS)('answers any access at any offset and width (seed %i)', (seed) => {
      const bench = new Bench(device);
      for (const { value, limit } of bench.hammer(seededRandom(seed), ACCESSES)) {
        if (!Number.isInteger(value) || value < 0 || value >= limit)
          throw new Error(`a read returned ${value}, not an integer below ${limit}`);
      }
    });

    it.each(SEEDS)('continues in a restored twin exactly as in the original (seed %i)', (seed) => {
      const random = seededRandom(seed + 100);
      const original = new Bench(device);
      for (let round = 0; round < 12; round++) {
        original.hammer(random, 1 + (random() % 150));
        const saved = structuredClone(original.device.saveState());
        const twin = new Bench(device, original.scheduler.nowNs);
        twin.device.restoreState(saved);
        expect(twin.device.saveState()).toEqual(saved);
        const next = random();
        expect(twin.hammer(seededRandom(next), 100)).toEqual(original.hammer(seededRandom(next), 100));
        expect(twin.device.saveState()).toEqual(original.device.saveState());
      }
    });
  });
}

/** What one read returned, and what the outside saw at that moment. */
interface Observation {
  readonly value: number;
  readonly limit: number;
  readonly lines: readonly boolean[];
  readonly nextDeadlineNs: number;
}

/** A device alone on a table, with its own clock. */
class Bench<D extends Device> {
  readonly scheduler = new Scheduler();
  readonly device: D;
  readonly #handlers: readonly { readonly handler: MmioHandler; readonly sizeBytes: number }[];

  constructor(
    private readonly deviceCase: DeviceCase<D>,
    nowNs = 0,
  ) {
    this.scheduler.setTime(nowNs);
    this.device = deviceCase.create({ scheduler: this.scheduler, name: 'dut' });
    this.#handlers =
      deviceCase.handlers?.(this.device) ??
      this.device.banks.map((bank) => ({ handler: bank, sizeBytes: bank.sizeBytes }));
  }

  readNamed(names: DeviceCase<D>['resetValues']): DeviceCase<D>['resetValues'] {
    return mapValues(names, (registers, bankName) => {
      const bank = this.device.banks.find((candidate) => candidate.name === bankName);
      return mapValues(registers, (_, registerName) => {
        const register = bank?.reg[registerName];
        if (!bank || !register) throw new Error(`there is no register ${registerName} in bank '${bankName}'`);
        return bank.read(register.start, register.width);
      });
    });
  }

  /** Random accesses, stimuli and pauses; returns what every read showed. */
  hammer(random: () => number, steps: number): Observation[] {
    const observations: Observation[] = [];
    for (let step = 0; step < steps; step++) {
      if (random() % 4 === 0) this.#pause(random() % (this.deviceCase.longestPauseNs ?? 200_000));
      if (random() % 8 === 0) this.deviceCase.stimulate?.(this.device, random());
      const place = this.#handlers[random() % this.#handlers.length];
      if (!place) continue;
      const width = ([1, 2, 4] as const)[random() % 3] as AccessWidth;
      const beyond = random() % 16 === 0 ? 4096 : 4;
      const offset = random() % (place.sizeBytes + beyond);
      const limit = 2 ** (8 * width);
      if (random() % 2 === 0) {
        place.handler.write(offset, width, interestingValue(random) % limit);
      } else {
        const value = place.handler.read(offset, width);
        const lines = this.device.lines.map(({ level }) => level);
        observations.push({ value, limit, lines, nextDeadlineNs: this.scheduler.nextDeadlineNs });
      }
    }
    return observations;
  }

  #pause(durationNs: number): void {
    const endNs = this.scheduler.nowNs + durationNs;
    for (let events = 0; this.scheduler.nextDeadlineNs <= endNs; events++) {
      if (events === MAX_EVENTS_PER_PAUSE) return;
      this.scheduler.setTime(Math.max(this.scheduler.nextDeadlineNs, this.scheduler.nowNs));
      this.scheduler.fireDue();
    }
    this.scheduler.setTime(endNs);
  }
}

/** Mostly bytes and single bits, because those are what registers react to. */
function interestingValue(random: () => number): number {
  switch (random() % 4) {
    case 0:
      return 2 ** (random() % 32);
    case 1:
      return random() % 256;
    case 2:
      return [0, 0xffff_ffff, 0x8000_0000, 0xff][random() % 4] as number;
    default:
      return random();
  }
}

/** xorshift32 (Marsaglia, "Xorshift RNGs", 2003): unsigned 32-bit values, the same on every host. */
function seededRandom(seed: number): () => number {
  let x = (Math.imul(seed, 0x9e37_79b9) ^ 0x5bd1_e995) >>> 0 || 1;
  return () => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return (x >>>= 0);
  };
}

function mapValues<A, B>(
  record: { readonly [key: string]: A },
  map: (value: A, key: string) => B,
): { [key: string]: B } {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value, key)]));
}

/** The doors to the host that exist in browsers and Node alike. */
const HOST_DOORS: readonly (readonly [holder: object, name: string])[] = [
  [Date, 'now'],
  [Math, 'random'],
  [performance, 'now'],
  [globalThis, 'setTimeout'],
  [globalThis, 'setInterval'],
  [globalThis, 'queueMicrotask'],
  [globalThis, 'fetch'],
];
let replaced: (readonly [holder: object, name: string, descriptor: PropertyDescriptor | undefined])[] = [];

function forbidHost(): void {
  replaced = HOST_DOORS.map(([holder, name]) => [holder, name, Object.getOwnPropertyDescriptor(holder, name)]);
  for (const [holder, name] of HOST_DOORS) {
    const value = (): never => {
      throw new Error(`a device used the host's ${name}`);
    };
    Object.defineProperty(holder, name, { configurable: true, writable: true, value });
  }
}

function allowHost(): void {
  for (const [holder, name, descriptor] of replaced) {
    if (descriptor) Object.defineProperty(holder, name, descriptor);
    else Reflect.deleteProperty(holder, name);
  }
  replaced = [];
}
