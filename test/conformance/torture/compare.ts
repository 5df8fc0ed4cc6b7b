import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ProgramOptions } from '@bootlab/emulator/user';
import { ProgramRun } from '@bootlab/emulator/user';
import { EXPLAINED } from './differences.js';
import type { Variant, Verdict } from './reference.js';
import { referenceOf, RUN_LIMIT_MS } from './reference.js';
import type { TortureTest } from './suite.js';

export type Engine = Pick<ProgramOptions, 'accel' | 'jitThreshold'>;

export interface Comparison {
  /** Programs that were built and run. */
  programs: number;
  /** Those that pass under QEMU. */
  passed: number;
  /** Tests that do not end here as they end under QEMU, each with how; those that are explained are left out. */
  differences: Record<string, string>;
}

/** Runs tests as one compiler builds them, on our engine and under QEMU, which is asked only the first time. */
export async function compareWithQemu(
  tests: readonly { readonly test: TortureTest; readonly variant: Variant }[],
  engine: Engine,
): Promise<Comparison> {
  const comparison: Comparison = { programs: 0, passed: 0, differences: {} };
  const folder = mkdtempSync(join(tmpdir(), 'bootlab-torture-'));
  try {
    await inParallel(tests, async ({ test, variant }, worker) => {
      const reference = await referenceOf(test, variant);
      if (reference.kind === 'refused') return;
      const ours = await runOurs(reference.program(), {
        arch: variant.arch,
        engine,
        folder: join(folder, `${worker}`),
      });
      comparison.programs++;
      if (reference.qemu.passed) comparison.passed++;
      const difference = differenceOf(ours, reference.qemu);
      if (difference && !(test.name in EXPLAINED))
        comparison.differences[`${test.name} ${variant.optimisation}`] = difference;
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
  return comparison;
}

function differenceOf(ours: Verdict, qemu: Verdict): string | undefined {
  if (ours.passed !== qemu.passed) return `${ours.ending}; with QEMU ${qemu.ending}`;
  // What a failing test prints may hold addresses.
  return ours.passed && ours.output !== qemu.output ? `prints ${JSON.stringify(ours.output)}` : undefined;
}

/** In this process and in a tree of its own: a tenth of the time that `bootlab exec` takes to start. */
async function runOurs(
  program: Uint8Array,
  { arch, engine, folder }: { arch: Variant['arch']; engine: Engine; folder: string },
): Promise<Verdict> {
  const file = join(folder, 'test');
  mkdirSync(join(folder, 'tmp'), { recursive: true });
  writeFileSync(file, program);
  chmodSync(file, 0o755);
  const output: Uint8Array[] = [];
  const run = await ProgramRun.create({
    arch,
    program: '/test',
    files: { root: folder, overlay: true, stdout: (bytes) => void output.push(bytes) },
    ...engine,
  });
  const timer = setTimeout(() => run.stop(), RUN_LIMIT_MS);
  const result = await run.run().finally(() => clearTimeout(timer));
  const passed = result.kind === 'exited' && result.code === 0;
  return { passed, output: Buffer.concat(output).toString(), ending: endingOf(result) };
}

function endingOf(result: Awaited<ReturnType<ProgramRun['run']>>): string {
  switch (result.kind) {
    case 'exited':
      return `exited with ${result.code}`;
    case 'killed':
      return `ended by ${result.signal}`;
    case 'stopped':
    case 'timeout':
      return `did not end in ${RUN_LIMIT_MS / 1000} s`;
  }
}

/** Does something with every item: as many at a time as there are cores, for it is compilers and QEMU that are waited for. */
async function inParallel<T>(items: readonly T[], work: (item: T, worker: number) => Promise<void>): Promise<void> {
  const left = items.values();
  const take = async (worker: number): Promise<void> => {
    for (const item of left) await work(item, worker);
  };
  await Promise.all(Array.from({ length: availableParallelism() }, (_, worker) => take(worker)));
}
