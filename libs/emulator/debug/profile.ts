import type { Symbols } from './symbols.js';

/** How a guest's instructions are spread over its functions. */
export interface FunctionShare {
  readonly name: string;
  /** Of all instructions, 0 to 1. */
  readonly share: number;
  readonly instructions: number;
}

/** A stack that was seen, the outermost frame first. */
interface Stack {
  readonly frames: readonly [space: string, name: string];
  instructions: number;
}

/** MIPS: addresses from here on are the kernel's. */
const KERNEL_BASE = 0x80000000;

/**
 * Collects where a guest executes, by looking every so many instructions: the same job gives the same profile every time.
 * Frames say the address space and the function; callers are not known, the stack is not unwound.
 */
export class Profile {
  readonly #stacks = new Map<string, Stack>();
  #samples = 0;
  #instructions = 0;

  /** @param symbols without them functions are told apart by their page */
  constructor(private readonly symbols: Symbols) {}

  /** @param instructions executed since the last look */
  add(programCounter: number, instructions: number): void {
    const space = programCounter >>> 0 >= KERNEL_BASE ? 'kernel' : 'user';
    const name = this.symbols.nameOf(programCounter >>> 0);
    const key = `${space} ${name}`;
    let stack = this.#stacks.get(key);
    if (!stack) this.#stacks.set(key, (stack = { frames: [space, name], instructions: 0 }));
    stack.instructions += instructions;
    this.#samples++;
    this.#instructions += instructions;
  }

  get samples(): number {
    return this.#samples;
  }

  /** The functions that executed most, first. */
  hottest(count: number): FunctionShare[] {
    return this.#sorted()
      .slice(0, count)
      .map(({ frames, instructions }) => ({
        name: frames[1],
        share: instructions / this.#instructions,
        instructions,
      }));
  }

  #sorted(): Stack[] {
    return [...this.#stacks.values()].sort(
      (a, b) => b.instructions - a.instructions || (a.frames[1] < b.frames[1] ? -1 : 1),
    );
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
