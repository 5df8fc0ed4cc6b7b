import { closeSync, writeFileSync } from 'node:fs';
import type { Machine } from '@bootlab/emulator';
import { Profile, SymbolError, Symbols } from '@bootlab/emulator/debug';
import { UsageError } from '../exit-codes.js';
import { createOutput, readInput } from './files.js';
import type { BootOptions } from './options.js';
import { jitStatsOf } from './stats.js';

/** A prime, so that loops of a round number of instructions are not always seen at the same place. */
const INSTRUCTIONS_PER_SAMPLE = 99_991;
const HOTTEST = 20;
const HOTTEST_SHOWN = 5;

/** Watches where a guest executes, and writes it down at the end. */
export interface Profiler {
  /** Lines for the person at the end of a run. */
  finish(): string[];
}

/** @throws UsageError when a file cannot be used */
export function startProfile(machine: Machine, options: BootOptions): Profiler | undefined {
  const { profile: path, symbols } = options;
  if (path === undefined) {
    if (symbols !== undefined) throw new UsageError('--symbols: there is nothing to name. Give --profile as well.');
    return undefined;
  }
  const profile = new Profile(readSymbols(options));
  const fd = createOutput('--profile', path);
  machine.onSample(INSTRUCTIONS_PER_SAMPLE, (sample) => profile.add(sample));
  return {
    finish: () => {
      const summary = {
        instructionsPerSample: INSTRUCTIONS_PER_SAMPLE,
        hottest: profile.hottest(HOTTEST),
        jit: jitStatsOf(machine.stats()),
      };
      const graph = profile.speedscope(`${machine.board.id} boot`, { bootlab: summary });
      writeFileSync(fd, `${JSON.stringify(graph)}\n`);
      closeSync(fd);
      return [
        `bootlab: ${profile.samples} samples in ${path}, a flame graph for https://www.speedscope.app; hottest:`,
        ...summary.hottest
          .slice(0, HOTTEST_SHOWN)
          .map(({ name, share }) => `  ${(share * 100).toFixed(1).padStart(5)} %  ${name}`),
      ];
    },
  };
}

/** Symbols that were asked for must be there; those of a stripped kernel need not. */
function readSymbols({ symbols, kernel, firmware }: BootOptions): Symbols {
  const option = symbols === undefined ? undefined : '--symbols';
  const path = symbols ?? kernel ?? (firmware === 'selftest' ? undefined : firmware);
  if (path === undefined) return new Symbols([]);
  try {
    return Symbols.read(readInput(option ?? '--kernel', path));
  } catch (error) {
    if (!(error instanceof SymbolError)) throw error;
    if (option === undefined) return new Symbols([]);
    throw new UsageError(`--symbols: ${error.message}. Give an ELF file with symbols, or a System.map.`, {
      cause: error,
    });
  }
}
