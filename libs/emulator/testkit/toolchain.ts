import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { ByteOrder } from '../core/index.js';
import { cacheFolder, requireProgram } from './prerequisites.js';
import { runProcess } from './process.js';

/** Debian's cross compiler for MIPS o32. @throws MissingPrerequisite */
export function mipsCompiler(byteOrder: ByteOrder): string {
  const prefix = byteOrder === 'little' ? 'mipsel-linux-gnu' : 'mips-linux-gnu';
  return requireProgram(`${prefix}-gcc`, `gcc-${prefix}`);
}

export interface BuildOptions {
  /** Names the file in the cache; any two programs may share it. */
  name: string;
  byteOrder: ByteOrder;
  /** C and assembly files to compile and link together. */
  sources: readonly string[];
  /** Compiler and linker flags. */
  flags: readonly string[];
  /** Further files that the result depends on: headers, linker scripts. */
  dependsOn?: readonly string[];
}

/**
 * Cross-compiles a small program and returns the ELF's path in the cache. The path holds a hash over compiler, flags
 * and the contents of all sources, so an unchanged program is compiled once.
 * @throws MissingPrerequisite without the compiler, Error with its messages when it refuses the program
 */
export async function buildMipsProgram(options: BuildOptions): Promise<string> {
  const compiler = mipsCompiler(options.byteOrder);
  const hash = createHash('sha256').update(JSON.stringify([compiler, options.flags]));
  for (const file of [...options.sources, ...(options.dependsOn ?? [])]) hash.update('\0').update(readFileSync(file));
  const target = cacheFolder('programs', `${options.name}-${hash.digest('hex').slice(0, 16)}.elf`);
  if (existsSync(target)) return target;

  mkdirSync(dirname(target), { recursive: true });
  const unfinished = join(dirname(target), `.${process.pid}-${options.name}.elf`);
  const run = await runProcess(compiler, [...options.flags, ...options.sources, '-o', unfinished], {
    timeoutMs: 60_000,
  });
  if (run.exitCode !== 0) throw new Error(`${compiler} could not build ${options.name}:\n${run.errors}`);
  renameSync(unfinished, target); // at once, so that nobody ever runs half a program
  return target;
}
