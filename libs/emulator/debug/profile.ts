import { getOrInsertComputed } from '../core/index.js';
import type { Symbols } from './symbols.js';

/** How a guest's instructions are spread over its functions. */
export interface FunctionShare {
  readonly name: string;
  /** Of all instructions, 0 to 1. */
  readonly share: number;
  readonly instructions: number;
}

/** A stack that was seen, the outermost frame first: the address space, then functions. */
interface Stack {
  readonly frames: readonly string[];
  readonly name: string;
  instructions: number;
}

/** What is known of an instant at which a guest was looked at, see `MachineSample`. */
export interface ProfileSample {
  /** Virtual address of the next instruction. */
  readonly programCounter: number;
  /** Executed since the last look. */
  readonly instructions: number;
  /** Innermost first: addresses of the call instructions. */
  callers(functionStart: (address: number) => number | undefined): readonly number[];
}

/** MIPS: addresses from here on are the kernel's. */
const KERNEL_BASE = 0x80000000;

const spaceOf = (address: number): string => (address >>> 0 >= KERNEL_BASE ? 'kernel' : 'user');

/** Collects where a guest executes, by looking every so many instructions: the same job gives the same profile every time. */
export class Profile {
  readonly #stacks = new Map<string, Stack>();
  #samples = 0;
  #instructions = 0;

  /** @param symbols without them functions are told apart by their page */
  constructor(private readonly symbols: Symbols) {}

  add({ programCounter, instructions, callers }: ProfileSample): void {
    const addresses = [programCounter >>> 0, ...callers((address) => this.symbols.startOf(address))];
    const names = addresses.map((address) => this.symbols.nameOf(address));
    const frames = [spaceOf(programCounter), ...names.toReversed()];
    const key = frames.join('\n');
    const name = names[0] as string;
    const stack = getOrInsertComputed(this.#stacks, key, () => ({ frames, name, instructions: 0 }));
    stack.instructions += instructions;
    this.#samples++;
    this.#instructions += instructions;
  }

  get samples(): number {
    return this.#samples;
  }

  /** The functions that executed most themselves, first. */
  hottest(count: number): FunctionShare[] {
    const byName = new Map<string, number>();
    for (const { name, instructions } of this.#stacks.values())
      byName.set(name, (byName.get(name) ?? 0) + instructions);
    return [...byName]
      .map(([name, instructions]) => ({ name, share: instructions / this.#instructions, instructions }))
      .sort((a, b) => b.instructions - a.instructions || (a.name < b.name ? -1 : 1))
      .slice(0, count);
  }

  #sorted(): Stack[] {
    return [...this.#stacks]
      .sort(([keyA, a], [keyB, b]) => b.instructions - a.instructions || (keyA < keyB ? -1 : 1))
      .map(([, stack]) => stack);
  }

  /**
   * A flame graph for speedscope (https://www.speedscope.app/file-format-schema.json, a sampled profile). Weights are
   * instructions.
   * @param extra members that speedscope passes over
   */
  speedscope(name: string, extra: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
    const frames: { name: string }[] = [];
    const indices = new Map<string, number>();
    const indexOf = (frame: string): number => {
      const index = indices.get(frame) ?? frames.push({ name: frame }) - 1;
      indices.set(frame, index);
      return index;
    };
    const stacks = this.#sorted();
    return {
      $schema: 'https://www.speedscope.app/file-format-schema.json',
      exporter: 'bootlab',
      name,
      activeProfileIndex: 0,
      shared: { frames },
      profiles: [
        {
          type: 'sampled',
          name: 'instructions',
          unit: 'none',
          startValue: 0,
          endValue: this.#instructions,
          samples: stacks.map((stack) => stack.frames.map(indexOf)),
          weights: stacks.map(({ instructions }) => instructions),
        },
      ],
      ...extra,
    };
  }
}
