import { join } from 'node:path';
import { buildMipsProgram } from '@bootlab/emulator/testkit';
import { repositoryFolder } from './bootlab.js';

const ROUNDS = 12_000;
/** What ROUNDS rounds come to; the same from a native x86-64 build and from big-endian MIPS. */
const EXPECTED = '91d9c42f';

const FLAGS = [
  ...['-march=mips32r2', '-mabi=32', '-O2', '-G0', '-msoft-float', '-fno-pic', '-mno-abicalls', '-ffreestanding'],
  ...['-fno-asynchronous-unwind-tables', '-nostdlib', '-static', '-Wl,--build-id=none', `-DROUNDS=${ROUNDS}`],
];

const guestFile = (name: string): string => join(repositoryFolder, 'test', 'bench', 'guest', name);

/**
 * The integer workload as a little-endian program: for a Malta board without anything else on it, or a static one for Linux. It
 * prints BENCH-START before its rounds and BENCH-DONE after them.
 * @returns path of the ELF file
 * @throws MissingPrerequisite without the cross compiler
 */
export function buildIntegerProgram(platform: 'malta' | 'linux'): Promise<string> {
  const script = platform === 'malta' ? guestFile('malta.ld') : undefined;
  return buildMipsProgram({
    name: `integer-${platform}`,
    byteOrder: 'little',
    sources: [`${platform}.c`, 'bench.c', 'workload.c'].map(guestFile),
    flags: [...FLAGS, ...(script === undefined ? [] : [`-Wl,-T,${script}`])],
    dependsOn: [guestFile('workload.h'), ...(script === undefined ? [] : [script])],
  });
}

/** @throws Error when an engine computed something else than the program comes to */
export function checkResult({ output }: { readonly output: string }): void {
  const result = /BENCH-RESULT ([0-9a-f]{8})/.exec(output)?.[1];
  if (result !== EXPECTED)
    throw new Error(`wrong result of the integer benchmark: ${result ?? output} instead of ${EXPECTED}`);
}
