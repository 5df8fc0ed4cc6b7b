import type { ByteOrder } from '../core/index.js';
import { Scheduler } from '../core/index.js';
import type { HelperSignature, Instruction, TargetDescription } from '../jit/ir/index.js';
import { BranchKind, constantFields, DelayState, EngineEvent, Fragment, Op, verify, wordOf } from '../jit/ir/index.js';
import type { AddressSpace } from '../memory/index.js';
import type { CpuCore, EngineHost } from '../targets/index.js';
import { Access } from '../targets/index.js';
import { evaluate, type OracleMachine } from './ir-oracle.js';
import { matchInstruction } from './random-instructions.js';

/** Room for a target's state. */
const STATE_BYTES = 0x2000;

export interface ReferenceOptions {
  readonly bus: AddressSpace;
  readonly byteOrder: ByteOrder;
  readonly nsPerInstruction: number;
  readonly createCore: (host: EngineHost, scheduler: Scheduler) => CpuCore;
}

/** What one step did. */
export type StepResult =
  | 'executed'
  /** The CPU waits for an interrupt. */
  | 'halted'
  /** A branch stands in a delay slot, which the architecture leaves undefined; nothing was executed. */
  | 'unpredictable';

/**
 * A vCPU without any engine: each step translates and fetches one word, finds its pattern by linear search, builds its
 * IR with the fields as constants, verifies it, and hands it to the oracle. No cache, no budget, no runs.
 */
export class ReferenceVcpu implements EngineHost {
  readonly words: Int32Array;
  readonly view: DataView;
  readonly scheduler = new Scheduler();
  readonly core: CpuCore;
  /** Steps that executed something, instructions that raised an exception included. */
  instructions = 0;
  readonly #description: TargetDescription;
  /** IR by instruction word: it depends on nothing else. */
  readonly #fragments = new Map<number, Fragment>();
  #attention = false;

  constructor(private readonly options: ReferenceOptions) {
    const buffer = new ArrayBuffer(STATE_BYTES);
    this.words = new Int32Array(buffer);
    this.view = new DataView(buffer);
    this.core = options.createCore(this, this.scheduler);
    this.#description = this.core.description;
    this.core.reset();
  }

  /** The IR of an instruction word. */
  fragment(word: number): Fragment {
    let fragment = this.#fragments.get(word);
    if (!fragment) {
      const { table, helpers } = this.#description;
      fragment = new Fragment(helpers);
      const builder = this.#description.createBuilder(fragment);
      const instruction = matchInstruction<Instruction<typeof builder>>(table.instructions, word);
      if (instruction) instruction.semantics(builder, constantFields(builder, instruction.encoding, word));
      else this.#description.undefinedInstruction(builder, builder.i32(word));
      const problems = verify(fragment);
      if (problems.length > 0)
        throw new Error(
          `IR of ${instruction?.name ?? 'an undefined instruction'}:\n${problems.join('\n')}\n${fragment}`,
        );
      this.#fragments.set(word, fragment);
    }
    return fragment;
  }

  step(): StepResult {
    const { engine } = this.#description;
    const [pcAt, delayAt, targetAt, runStartAt, eventAt] = [
      engine.pc,
      engine.delay,
      engine.branchTarget,
      engine.runStart,
      engine.event,
    ].map(({ offset }) => offset >> 2) as [number, number, number, number, number];
    const w = this.words;
    if (this.core.halted) {
      if (!this.core.wakeupPending) return 'halted';
      this.core.wake();
    }
    if (this.#attention && w[delayAt] === DelayState.None) {
      this.#attention = false;
      this.core.takeInterrupt();
    }
    const pc = w[pcAt] as number;
    const inSlot = w[delayAt] !== DelayState.None;
    w[runStartAt] = pc;
    w[eventAt] = EngineEvent.None;
    if (inSlot) w[delayAt] = DelayState.InSlot; // for the exceptions of the fetch, too
    const word = this.#fetch(pc);
    if (word === undefined) return this.#executed();
    const fragment = this.fragment(word);
    const branches = fragment.op.subarray(0, fragment.length).includes(Op.Branch);
    if (branches && inSlot) {
      w[delayAt] = DelayState.SlotPending;
      return 'unpredictable';
    }

    const result = evaluate(fragment, this.#machine(word, pc));
    if (result.kind === 'redirected') return this.#executed();
    if (inSlot) {
      w[pcAt] = w[targetAt] as number;
      w[delayAt] = DelayState.None;
    } else if (result.kind === 'next') {
      w[pcAt] = pc + 4;
    } else if (result.branch === BranchKind.Immediate) {
      w[pcAt] = result.taken ? result.target | 0 : pc + 4;
    } else if (result.branch === BranchKind.Likely && !result.taken) {
      w[pcAt] = pc + 8;
    } else {
      w[pcAt] = pc + 4;
      w[delayAt] = DelayState.SlotPending;
      w[targetAt] = result.taken ? result.target | 0 : pc + 8;
    }
    return this.#executed();
  }

  #executed(): StepResult {
    this.instructions++;
    this.syncTime();
    return 'executed';
  }

  #machine(insnWord: number, pc: number): OracleMachine {
    const { bus, byteOrder } = this.options;
    const eventAt = wordOf(this.#description.engine.event);
    const words = this.words;
    return {
      state: this.view,
      insnWord,
      pc,
      load: (address, bytes) => {
        const physical = this.#translate(address, bytes, Access.Read);
        if (physical === undefined) return undefined;
        const read = (at: number, width: 1 | 2 | 4): bigint => BigInt(bus.read(physical + at, width, byteOrder));
        if (bytes !== 8) return read(0, bytes);
        return byteOrder === 'little' ? (read(4, 4) << 32n) | read(0, 4) : (read(0, 4) << 32n) | read(4, 4);
      },
      store: (address, bytes, value) => {
        const physical = this.#translate(address, bytes, Access.Write);
        if (physical === undefined) return false;
        const halves = [Number(value & 0xffff_ffffn), Number(value >> 32n)];
        if (byteOrder === 'big') halves.reverse();
        if (bytes === 8) halves.forEach((half, i) => bus.write(physical + 4 * i, 4, half, byteOrder));
        else bus.write(physical, bytes, Number(value), byteOrder);
        return true;
      },
      call: (helper: HelperSignature, args) => {
        const run = this.core.helpers[helper.name];
        if (!run) throw new Error(`helper '${helper.name}' is declared and missing`);
        const [a = 0, b = 0, c = 0] = args;
        return run(a, b, c) ?? undefined;
      },
      get redirected() {
        return words[eventAt] !== EngineEvent.None;
      },
    };
  }

  /** Physical address of an access, or undefined after it raised its exception. */
  #translate(address: number, bytes: number, access: Access): number | undefined {
    if (address % bytes !== 0) {
      this.core.raiseAddressError(address | 0, access);
      return undefined;
    }
    if (!this.core.translate(address | 0, access)) return undefined;
    const physical = this.core.translatedAddress;
    if (this.options.bus.find(physical)) return physical;
    this.core.raiseBusError(address | 0, access);
    return undefined;
  }

  #fetch(pc: number): number | undefined {
    const physical = this.#translate(pc >>> 0, 4, Access.Fetch);
    return physical === undefined ? undefined : this.options.bus.read(physical, 4, this.options.byteOrder);
  }

  // ---- EngineHost: there are no caches to keep in step --------------------------------------------------------------

  syncTime(): void {
    this.scheduler.setTime(this.instructions * this.options.nsPerInstruction);
  }

  flushTranslations = (): void => undefined;
  flushPage = (): void => undefined;
  selectAddressSpace = (): void => undefined;
  selectMode = (): void => undefined;
  requestLeave = (): void => undefined;

  /** Never needed: every delay slot is marked, whether or not its branch is taken. */
  previousInstruction = (): undefined => undefined;

  requestAttention(): void {
    this.#attention = true;
  }
}
