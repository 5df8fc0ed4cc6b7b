import { readFileSync } from 'node:fs';
import { createMachine, runMachine } from '@bootlab/emulator';
import type { ConsoleChunk, EngineOptions, Machine, MachineConfig, MachineEnd } from '@bootlab/emulator';
import { buildMipsProgram } from '@bootlab/emulator/testkit';

export type ByteOrder = 'little' | 'big';

/** Bare-metal programs in guest/, each with startup code, console and exception handler of its own. */
const SOURCES = {
  exceptions: ['exceptions.c', 'exception-cases.S', 'exception-code.S'],
  tlb: ['tlb.c', 'tlb-cases.S', 'tlb-code.S'],
  code: ['code.c', 'code-own.S'],
  slices: ['slices.c'],
  threads: ['threads.c'],
  hammer: ['hammer.c', 'hammer-code.S'],
} as const;

const FLAGS = [
  ...['-O2', '-march=mips32r2', '-msoft-float', '-ffreestanding', '-fno-pic', '-mno-abicalls', '-G0'],
  ...['-nostdlib', '-static', '-Wl,--build-id=none', '-Wall', '-Wextra', '-Werror'],
];

const source = (name: string): string => new URL(`guest/${name}`, import.meta.url).pathname;

/** Cross-compiles a program for the Malta board. @returns the ELF's path in the cache */
export function buildProgram(
  name: keyof typeof SOURCES,
  byteOrder: ByteOrder,
  definitions: Readonly<Record<string, number>> = {},
): Promise<string> {
  return buildMipsProgram({
    name: `mips-system-${name}`,
    byteOrder,
    sources: ['start.S', 'guest.c', ...SOURCES[name]].map(source),
    dependsOn: ['guest.h', 'cases.h', 'malta.ld'].map(source),
    flags: [
      ...FLAGS,
      ...Object.entries(definitions).map(([key, value]) => `-D${key}=${value}`),
      `-Wl,-T,${source('malta.ld')}`,
    ],
  });
}

export const MEMORY_MIB = 64;

export function boot(
  kernel: string,
  config: Partial<MachineConfig> = {},
  engine: EngineOptions = {},
): Promise<Machine> {
  return createMachine(
    { board: 'malta', cpu: '24Kf', memoryBytes: MEMORY_MIB << 20, kernel: readFileSync(kernel), ...config },
    engine,
  );
}

export interface GuestRun {
  readonly end: MachineEnd;
  readonly output: string;
}

/** Runs a machine to its end and collects what it prints. */
export async function runToEnd(
  machine: Machine,
  limits: { timeoutNs?: number; wallGuardMs: number },
): Promise<GuestRun> {
  const chunks: ConsoleChunk[] = [];
  machine.onConsole((chunk) => chunks.push(chunk));
  const end = await runMachine(machine, { clock: 'virtual', ...limits });
  return { end, output: chunks.map(({ data }) => Buffer.from(data).toString('latin1')).join('') };
}
