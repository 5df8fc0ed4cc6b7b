import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { cacheFolder, mipsCompiler, qemuUserMips, runProcess } from '@bootlab/emulator/testkit';
import type { TortureTest } from './suite.js';
import { filesOf } from './suite.js';

export const ARCHITECTURES = ['mipsel', 'mips'] as const;
export type TortureArchitecture = (typeof ARCHITECTURES)[number];
export const OPTIMISATIONS = ['-O0', '-O2', '-Os'] as const;
export type Optimisation = (typeof OPTIMISATIONS)[number];

/** A test as one compiler builds it. */
export interface Variant {
  readonly arch: TortureArchitecture;
  readonly optimisation: Optimisation;
}

/** How a program ended. */
export interface Verdict {
  readonly passed: boolean;
  /** Its standard output. */
  readonly output: string;
  /** For people: `exited with 1`, … */
  readonly ending: string;
}

export type Reference =
  | { readonly kind: 'built'; readonly qemu: Verdict; program(): Uint8Array }
  /** The compiler does not take it: something of another target, or of a newer libc. */
  | { readonly kind: 'refused' };

const COMPILE_LIMIT_MS = 120_000;
/** The longest test needs a second there. */
export const RUN_LIMIT_MS = 60_000;
/** Like GCC's own harness, without warnings. */
const FLAGS = ['-w', '-static', '-s'];

/**
 * Builds a test and runs it under QEMU, or takes both from the cache, whose key holds everything that the results
 * depend on. @throws MissingPrerequisite
 */
export async function referenceOf(test: TortureTest, variant: Variant): Promise<Reference> {
  const byteOrder = variant.arch === 'mipsel' ? 'little' : 'big';
  const tools = { compiler: mipsCompiler(byteOrder), qemu: qemuUserMips(byteOrder) };
  const flags = [variant.optimisation, ...test.flags, ...FLAGS];
  const files = filesOf(test).map((file) => (existsSync(file) ? readFileSync(file, 'latin1') : ''));
  const versions = await Promise.all([versionOf(tools.compiler), versionOf(tools.qemu)]);
  const key = createHash('sha256')
    .update(JSON.stringify([versions, flags, files]))
    .digest('hex')
    .slice(0, 24);
  const place = cacheFolder('torture', variant.arch, key.slice(0, 2), key);
  const [program, verdict] = [`${place}.elf.gz`, `${place}.json`];
  if (!existsSync(verdict)) {
    const made = await make(test, flags, tools);
    mkdirSync(dirname(place), { recursive: true });
    if (made) writeAtOnce(program, gzipSync(made.program));
    writeAtOnce(verdict, JSON.stringify(made?.qemu ?? 'refused'));
  }
  const qemu = JSON.parse(readFileSync(verdict, 'utf8')) as Verdict | 'refused';
  return qemu === 'refused'
    ? { kind: qemu }
    : { kind: 'built', qemu, program: () => gunzipSync(readFileSync(program)) };
}

/** @returns undefined where the compiler does not take it */
async function make(
  test: TortureTest,
  flags: readonly string[],
  tools: { readonly compiler: string; readonly qemu: string },
): Promise<{ program: Uint8Array; qemu: Verdict } | undefined> {
  const folder = mkdtempSync(join(tmpdir(), 'bootlab-torture-'));
  try {
    const program = join(folder, 'test');
    const built = await runProcess(tools.compiler, [...flags, '-o', program, ...test.sources, '-lm'], {
      timeoutMs: COMPILE_LIMIT_MS,
    });
    if (built.timedOut) throw new Error(`${tools.compiler} ${flags.join(' ')} takes too long for ${test.name}`);
    if (built.exitCode !== 0) return undefined;
    const run = await runProcess(tools.qemu, [program], { timeoutMs: RUN_LIMIT_MS, cwd: folder, env: {} });
    if (run.timedOut) throw new Error(`${tools.qemu} takes too long for ${test.name}, ${flags.join(' ')}`);
    const ending = run.exitCode === undefined ? 'ended by a signal' : `exited with ${run.exitCode}`;
    return {
      program: readFileSync(program),
      qemu: { passed: run.exitCode === 0, output: run.output, ending },
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const versions = new Map<string, Promise<string>>();

function versionOf(program: string): Promise<string> {
  let version = versions.get(program);
  if (!version) {
    version = runProcess(program, ['--version'], { timeoutMs: 10_000 }).then(({ output }) => output);
    versions.set(program, version);
  }
  return version;
}

/** Nobody ever reads half a file. */
function writeAtOnce(file: string, content: Uint8Array | string): void {
  const unfinished = `${file}.${process.pid}`;
  writeFileSync(unfinished, content);
  renameSync(unfinished, file);
}
