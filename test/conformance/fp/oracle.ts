import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { buildMipsProgram, cacheFolder, qemuUserMips, runProcess } from '@bootlab/emulator/testkit';
import { sourceFile, type Operation } from './operations.js';
import { decodeResults, encodeVectors } from './vectors.js';

/** A CPU model of QEMU and how to compile for it. */
export interface OracleCpu {
  readonly name: string;
  readonly cpu: string;
  readonly byteOrder: 'little' | 'big';
  /** Size of the floating-point registers: 64 is FR = 1. */
  readonly registers: 32 | 64;
  readonly flags: readonly string[];
}

const COMMON_FLAGS = [
  ...['-O2', '-ffreestanding', '-fno-pic', '-mno-abicalls', '-G0', '-mhard-float'],
  ...['-nostdlib', '-static', '-Wl,--build-id=none', '-Wall', '-Wextra', '-Werror'],
];

export const runsOn =
  ({ registers }: Pick<OracleCpu, 'registers'>) =>
  (operation: Operation): boolean =>
    registers === 64 || !operation.needs64BitRegisters;

/** Compiles mips-fpu-program.c for Linux. @returns the ELF's path in the cache */
export function buildUserProgram({ byteOrder, registers, flags }: OracleCpu): Promise<string> {
  return buildMipsProgram({
    name: 'fpu-linux',
    byteOrder,
    sources: [sourceFile('mips-fpu-program.c')],
    dependsOn: [sourceFile('operations.h')],
    flags: [...COMMON_FLAGS, ...flags, `-mfp${registers}`],
  });
}

/** Compiles mips-fpu-program.c for the bare Malta board, with a file of vectors and expected results linked in. */
export function buildMaltaProgram(cpu: Omit<OracleCpu, 'name' | 'cpu'>, vectorsFile: string): Promise<string> {
  return buildMipsProgram({
    name: 'fpu-malta',
    byteOrder: cpu.byteOrder,
    sources: [sourceFile('mips-fpu-program.c')],
    dependsOn: [sourceFile('operations.h'), sourceFile('malta.ld'), vectorsFile],
    flags: [
      ...COMMON_FLAGS,
      ...cpu.flags,
      `-mfp${cpu.registers}`,
      `-DFPU_VECTORS="${vectorsFile}"`,
      `-Wl,-T,${sourceFile('malta.ld')}`,
    ],
  });
}

/** QEMU's results for the vectors; kept in the cache, where the next run finds them. */
export async function qemuResults(cpu: OracleCpu, vectors: Int32Array): Promise<Int32Array> {
  const little = cpu.byteOrder === 'little';
  const program = await buildUserProgram(cpu);
  const qemu = qemuUserMips(cpu.byteOrder);
  const version = await runProcess(qemu, ['--version'], { timeoutMs: 10_000 });
  const input = encodeVectors(vectors, little);
  const key = createHash('sha256').update(version.output).update(cpu.cpu).update(readFileSync(program)).update(input);
  const folder = cacheFolder('fpu');
  const kept = join(folder, `${cpu.cpu}-${key.digest('hex').slice(0, 16)}.results`);
  if (!existsSync(kept)) {
    mkdirSync(folder, { recursive: true });
    const work = join(folder, `.${process.pid}-${Math.random().toString(36).slice(2)}`);
    writeFileSync(`${work}.vectors`, input);
    try {
      await runFilter(qemu, ['-cpu', cpu.cpu, program], `${work}.vectors`, `${work}.results`);
      renameSync(`${work}.results`, kept); // at once, so that nobody ever reads half the results
    } finally {
      rmSync(`${work}.vectors`);
    }
  }
  return decodeResults(vectors, readFileSync(kept), little);
}

/** Runs a program with standard input and output in files. */
async function runFilter(program: string, args: string[], inputFile: string, outputFile: string): Promise<void> {
  const input = await open(inputFile, 'r');
  const output = await open(outputFile, 'w');
  try {
    const child = spawn(program, args, { stdio: [input.fd, output.fd, 'inherit'], timeout: 600_000 });
    await new Promise<void>((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (status, signal) =>
        status === 0 ? resolve() : reject(new Error(`${program} ${args.join(' ')} ended with ${signal ?? status}`)),
      );
    });
  } finally {
    await input.close();
    await output.close();
  }
}
