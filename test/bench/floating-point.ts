import { join } from 'node:path';
import { MIPS_LEGACY, RoundingMode, SoftFloat } from '@bootlab/emulator/fp';
import { buildMipsProgram, runQemuUser } from '@bootlab/emulator/testkit';
import { repositoryFolder } from './bootlab.js';
import type { Report } from './report.js';
import { interleave, median } from './statistics.js';

const OPERANDS = 1024;
const ROUNDS = 1_000_000;
const TIMEOUT_MS = 60_000;
/** Nanoseconds that no binary64 operation may exceed: this is the path beside Wasm's native arithmetic. */
const TARGET_NS = 150;

/** On two binary64 operands in halves; the high halves serve as binary32 operands. */
type Operation = (unit: SoftFloat, aLo: number, aHi: number, bLo: number, bHi: number) => number;

/** Instructions as guest/floating-point.c names them. */
const OPERATIONS: Readonly<Record<string, Operation>> = {
  'add.d': (u, aLo, aHi, bLo, bHi) => u.add64(aLo, aHi, bLo, bHi),
  'mul.d': (u, aLo, aHi, bLo, bHi) => u.mul64(aLo, aHi, bLo, bHi),
  'div.d': (u, aLo, aHi, bLo, bHi) => u.div64(aLo, aHi, bLo, bHi),
  'sqrt.d': (u, aLo, aHi) => u.sqrt64(aLo, aHi & 0x7fffffff),
  'madd.d': (u, aLo, aHi, bLo, bHi) => u.mulThenAdd64(aLo, aHi, bLo, bHi, aLo, aHi, false, false),
  'c.lt.d': (u, aLo, aHi, bLo, bHi) => u.compare64(aLo, aHi, bLo, bHi, true),
  'cvt.s.d': (u, aLo, aHi) => u.f64ToF32(aLo, aHi),
  'trunc.w.d': (u, aLo, aHi) => u.f64ToI32(aLo, aHi, RoundingMode.TowardZero),
  'add.s': (u, _aLo, aHi, _bLo, bHi) => u.add32(aHi, bHi),
  'mul.s': (u, _aLo, aHi, _bLo, bHi) => u.mul32(aHi, bHi),
  'div.s': (u, _aLo, aHi, _bLo, bHi) => u.div32(aHi, bHi),
};

type Nanoseconds = Readonly<Record<string, number>>;

/** Nanoseconds of single operations: SoftFloat called from JavaScript, and QEMU's user-mode emulation of the instruction. */
export async function floatingPointBenchmark(runs: number, progress: (text: string) => void): Promise<Report> {
  const source = join(repositoryFolder, 'test', 'bench', 'guest', 'floating-point.c');
  const program = await buildMipsProgram({
    name: 'floating-point',
    byteOrder: 'little',
    sources: [source],
    flags: ['-O2', '-march=mips32r2', '-mhard-float', '-static'],
  });
  const unit = new SoftFloat(MIPS_LEGACY);
  const [ours = [], qemu = []] = await interleave<Nanoseconds>(
    [
      { name: 'SoftFloat', run: async () => timeSoftFloat(unit) },
      { name: 'QEMU', run: () => timeQemu(program) },
    ],
    runs,
    progress,
  );
  const medianOf = (samples: readonly Nanoseconds[], name: string): number =>
    median(samples.map((sample) => sample[name] ?? NaN));
  const rows = Object.keys(OPERATIONS).map((name) => {
    const [own, peer] = [medianOf(ours, name), medianOf(qemu, name)];
    return { name, values: [own, peer, own / peer] };
  });
  const slowest = Math.max(...rows.filter(({ name }) => name.endsWith('.d')).map(({ values }) => values[0] ?? NaN));
  return {
    title: 'Software floating point',
    note: 'Nanoseconds an operation; the ratio is ours to QEMU, which includes its loop',
    columns: ['SoftFloat', 'QEMU user', 'ratio'],
    rows,
    targets: [{ name: 'the slowest binary64 operation', value: slowest, atMost: TARGET_NS }],
  };
}

function timeSoftFloat(unit: SoftFloat): Nanoseconds {
  const words = operandWords();
  const result: Record<string, number> = {};
  for (const [name, operation] of Object.entries(OPERATIONS)) {
    timeOperation(unit, operation, words, ROUNDS / 4); // until it is compiled
    result[name] = timeOperation(unit, operation, words, ROUNDS);
  }
  return result;
}

/** Takes the results, or the engine might leave the work out. */
const sink = new Int32Array(1);

function timeOperation(unit: SoftFloat, operation: Operation, words: Int32Array, rounds: number): number {
  const start = performance.now();
  let sum = 0;
  for (let i = 0; i < rounds; i++) {
    const at = (i & (OPERANDS - 1)) * 4;
    sum ^= operation(unit, words[at] ?? 0, words[at + 1] ?? 0, words[at + 2] ?? 0, words[at + 3] ?? 0);
  }
  sink[0] = sum;
  return ((performance.now() - start) * 1e6) / rounds;
}

/** Pairs of operands with exponents within a few of 0, which binary32 and binary64 high halves both allow. */
function operandWords(): Int32Array {
  let state = 0x9e3779b9 | 0;
  const next = (): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state;
  };
  return Int32Array.from({ length: OPERANDS * 4 }, (_, i) =>
    i % 2 === 0 ? next() : (next() & (0x800fffff | 0)) | ((0x3f8 + (next() & 15)) << 20),
  );
}

async function timeQemu(program: string): Promise<Nanoseconds> {
  const run = await runQemuUser(program, { byteOrder: 'little', cpu: '24Kf', timeoutMs: TIMEOUT_MS });
  if (run.exitCode !== 0) throw new Error(`${program} ended with ${run.exitCode}: ${run.errors}`);
  return Object.fromEntries(
    run.output
      .trim()
      .split('\n')
      .map((line) => line.split(' '))
      .map(([name = '', value]) => [name, Number(value)]),
  );
}
