import type { TranslationOptions } from '../accel/index.js';
import { InterpreterVcpu } from '../accel/index.js';
import type { ByteOrder } from '../core/index.js';
import { Scheduler } from '../core/index.js';
import { DelayState, type StateField, wordOf } from '../jit/ir/index.js';
import { AddressSpace, LinearMemory, type RamBlock } from '../memory/index.js';
import type { CpuCore } from '../targets/index.js';
import { MipsCpu, mipsModel } from '../targets/index.js';
import * as S from '../targets/mips/state.js';
import { ReferenceVcpu } from './reference-vcpu.js';

/** Bare MIPS CPUs on each engine, to run the same program side by side and compare everything afterwards. */

export const BENCH_MODEL = '24Kf';
export const BENCH_RAM_BYTES = 0x200000;
export const NS_PER_INSTRUCTION = 10;
const COUNT_HZ = 50_000_000;

/** `reference`: testkit/reference-vcpu. A number: the JIT with this threshold. */
export type BenchEngine = 'reference' | 'interp' | number | TranslationOptions;

/** A bare CPU with RAM from physical address 0 on. */
export interface MipsSide {
  readonly words: Int32Array;
  readonly view: DataView;
  readonly core: CpuCore;
  readonly bus: AddressSpace;
  readonly ram: RamBlock;
  readonly scheduler: Scheduler;
  readonly vcpu: InterpreterVcpu | ReferenceVcpu;
}

export const hex = (value: number | bigint): string =>
  `0x${(typeof value === 'bigint' ? value : value >>> 0).toString(16)}`;

export async function createMipsSide(engine: BenchEngine, byteOrder: ByteOrder): Promise<MipsSide> {
  const bus = new AddressSpace('bench');
  const memory = new LinearMemory(InterpreterVcpu.linearBytes + LinearMemory.ramFootprint(BENCH_RAM_BYTES));
  const ram = memory.allocateRam('RAM', BENCH_RAM_BYTES);
  bus.mapRam('ram', 0, ram);
  const timing = { nsPerInstruction: NS_PER_INSTRUCTION, countHz: COUNT_HZ };
  if (engine === 'reference') {
    const vcpu = new ReferenceVcpu({
      ...{ bus, byteOrder, ...timing },
      createCore: (host, scheduler) =>
        new MipsCpu(host, { model: mipsModel(BENCH_MODEL), byteOrder, scheduler, countHz: COUNT_HZ }),
    });
    const { words, view, core, scheduler } = vcpu;
    return { words, view, core, bus, ram, scheduler, vcpu };
  }
  const scheduler = new Scheduler();
  let core: CpuCore | undefined;
  const options = { model: BENCH_MODEL, byteOrder, bus, memory, scheduler, ...timing, deviceAccessNs: 0 };
  const vcpu = await InterpreterVcpu.create({
    ...options,
    ...(engine !== 'interp' && { translation: typeof engine === 'number' ? { threshold: engine } : engine }),
    createCore: (host) => (core = new MipsCpu(host, { ...options, model: mipsModel(BENCH_MODEL) })),
  });
  if (!core) throw new Error('the vCPU made no core');
  const { words, view } = vcpu;
  return { words, view, core, bus, ram, scheduler, vcpu };
}

/** Runs exactly so many instructions in slices. @returns false where the architecture does not say how to go on */
export function advance({ vcpu, scheduler }: MipsSide, instructions: number, slice: () => number): boolean {
  if (vcpu instanceof ReferenceVcpu) {
    for (const end = vcpu.instructions + instructions; vcpu.instructions < end;) {
      scheduler.fireDue();
      const step = vcpu.step();
      // Waiting, it would lose count of time.
      if (step !== 'executed') return false;
    }
    return true;
  }
  const end = vcpu.stats.instructions + instructions;
  while (vcpu.stats.instructions < end) {
    scheduler.fireDue();
    if (vcpu.waiting) {
      if (scheduler.nextDeadlineNs === Infinity) return true;
      scheduler.setTime(scheduler.nextDeadlineNs);
      continue;
    }
    const untilEvent = Math.ceil((scheduler.nextDeadlineNs - scheduler.nowNs) / NS_PER_INSTRUCTION);
    vcpu.run(Math.min(untilEvent, end - vcpu.stats.instructions, slice()));
  }
  return true;
}

const ENGINE_FIELDS: ReadonlySet<StateField> = new Set(
  Object.values<StateField>({ ...S.engine }).filter((field) => field !== S.engine.pc && field !== S.engine.delay),
);

/** Registers, time and memory that differ between two machines, as lines. */
export function differences(a: MipsSide, b: MipsSide, ranges: readonly (readonly [number, number])[]): string[] {
  const lines: string[] = [];
  const check = (what: string, x: number | bigint, y: number | bigint): void => {
    if (x !== y) lines.push(`${what}: ${hex(x)}, ${hex(y)}`);
  };
  if (a.vcpu instanceof InterpreterVcpu && b.vcpu instanceof InterpreterVcpu)
    check('instructions', a.vcpu.stats.instructions, b.vcpu.stats.instructions);
  check('virtual time', a.scheduler.nowNs, b.scheduler.nowNs);
  check('next deadline', a.scheduler.nextDeadlineNs, b.scheduler.nextDeadlineNs);
  if (a.words[wordOf(S.engine.delay)] !== DelayState.None)
    check('branch target', a.words[wordOf(S.engine.branchTarget)] ?? 0, b.words[wordOf(S.engine.branchTarget)] ?? 0);
  for (const field of S.layout.fields) {
    if (ENGINE_FIELDS.has(field)) continue;
    for (let i = 0; i < field.count; i++) {
      const offset = field.offset + (i << field.strideShift);
      if (field.strideShift === 3)
        check(`${field.name}[${i}]`, a.view.getBigUint64(offset, true), b.view.getBigUint64(offset, true));
      else check(`${field.name}[${i}]`, a.words[offset >> 2] as number, b.words[offset >> 2] as number);
    }
  }
  for (const [from, to] of ranges) {
    const [x, y] = [a.ram.bytes.subarray(from, to), b.ram.bytes.subarray(from, to)];
    if (Buffer.compare(x, y) === 0) continue;
    const offset = x.findIndex((byte, i) => byte !== y[i]);
    check(`byte at ${hex(from + offset)}`, x[offset] as number, y[offset] as number);
  }
  return lines;
}
