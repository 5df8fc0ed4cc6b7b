import { writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { MissingPrerequisite } from '@bootlab/emulator/testkit';
import { boardsBenchmark } from './boards.js';
import { bootBenchmark } from './boot.js';
import { echoBenchmark } from './echo.js';
import { floatingPointBenchmark } from './floating-point.js';
import { idleMemoryBenchmark } from './idle-memory.js';
import { integerBenchmark, programBenchmark } from './integer.js';
import { labMemoryBenchmark } from './lab-memory.js';
import { labStartBenchmark } from './lab-start.js';
import { labSubmissionsBenchmark } from './lab-submissions.js';
import { labViewerBenchmark } from './lab-viewer.js';
import { labWatchersBenchmark } from './lab-watchers.js';
import type { NoReport, Report } from './report.js';
import { formatReport, hasResult, isMet } from './report.js';
import { userBenchmark, userStartBenchmark } from './user.js';

const HELP = `Measures Bootlab beside QEMU, in turns, and the lab against its targets, on this machine.

npm run bench -- [names] [options]
  names           benchmarks to run: integer, fp, boot-le, boot-be, boards, idle-memory, user-works, user-start, echo,
                  lab-start, lab-watchers, lab-submissions, lab-viewer, lab-memory; boot, user and lab stand for all
                  that begin so (default: all)
  --only NAMES    the same, with commas
  --program FILE  also time this bare-metal Malta ELF between its BENCH-START and BENCH-DONE
  --runs N        runs of each subject (default: 3); lab-memory: hundreds of jobs, 9 for a thousand with the warm-up
  --json FILE     also write the results as JSON

Exit status: 0 all targets met, 1 a target missed or a benchmark failed, 2 something missing or bad usage.`;

interface Benchmark {
  title: string;
  run(runs: number, progress: (text: string) => void): Promise<Report>;
}

const BENCHMARKS: Readonly<Record<string, Benchmark>> = {
  integer: { title: 'Integer benchmark', run: integerBenchmark },
  fp: { title: 'Software floating point', run: floatingPointBenchmark },
  'boot-le': {
    title: 'Linux on Malta, little-endian',
    run: (runs, progress) => bootBenchmark('little', runs, progress),
  },
  'boot-be': { title: 'Linux on Malta, big-endian', run: (runs, progress) => bootBenchmark('big', runs, progress) },
  boards: { title: 'Two boards on two cores', run: boardsBenchmark },
  'idle-memory': { title: 'Memory of an idle board', run: idleMemoryBenchmark },
  'user-works': { title: 'Linux user mode', run: userBenchmark },
  'user-start': { title: 'Linux user mode: start', run: userStartBenchmark },
  echo: { title: 'Console echo', run: (_runs, progress) => echoBenchmark(progress) },
  'lab-start': { title: 'Lab: start', run: (_runs, progress) => labStartBenchmark(progress) },
  'lab-watchers': { title: 'Lab: watchers', run: (_runs, progress) => labWatchersBenchmark(progress) },
  'lab-submissions': { title: 'Lab: submissions', run: (_runs, progress) => labSubmissionsBenchmark(progress) },
  'lab-viewer': { title: 'Lab: log viewer', run: (_runs, progress) => labViewerBenchmark(progress) },
  'lab-memory': { title: 'Lab: memory', run: labMemoryBenchmark },
};

interface Options {
  selected: Benchmark[];
  runs: number;
  json?: string;
}

/** @throws Error on bad usage */
function readOptions(): Options | 'help' {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      only: { type: 'string' },
      program: { type: 'string' },
      runs: { type: 'string', default: '3' },
      json: { type: 'string' },
      help: { type: 'boolean' },
    },
  });
  if (values.help) return 'help';
  const { only, program, json } = values;
  const runs = Number(values.runs);
  if (!Number.isInteger(runs) || runs < 1) throw new Error(`--runs: '${values.runs}' is not a whole number above 0`);
  const names = [...positionals, ...(only?.split(',') ?? [])];
  const all = Object.keys(BENCHMARKS);
  const chosen = new Set((names.length > 0 ? names : all).flatMap((name) => benchmarksNamed(name, all)));
  const selected = Object.entries(BENCHMARKS).flatMap(([name, benchmark]) => (chosen.has(name) ? [benchmark] : []));
  if (program !== undefined) {
    selected.push({ title: `Program ${program}`, run: (n, progress) => programBenchmark(program, n, progress) });
  }
  return { selected, runs, json };
}

/** @throws Error when there is none */
function benchmarksNamed(name: string, all: readonly string[]): string[] {
  const found = all.filter((candidate) => candidate === name || candidate.startsWith(`${name}-`));
  if (found.length === 0) throw new Error(`there is no benchmark '${name}', only ${all.join(', ')}`);
  return found;
}

/** Whatever happens to one benchmark, the others still run. */
async function measure(benchmark: Benchmark, runs: number): Promise<Report | NoReport> {
  try {
    return await benchmark.run(runs, (text) => console.error(`  … ${benchmark.title}: ${text}`));
  } catch (error) {
    const kind = error instanceof MissingPrerequisite ? 'missing' : 'failed';
    return { title: benchmark.title, kind, reason: messageOf(error) };
  }
}

async function main({ selected, runs, json }: Options): Promise<number> {
  const machine = { cpu: cpus()[0]?.model.trim() ?? 'unknown', cores: cpus().length, node: process.version };
  console.log(`${machine.cpu}, ${machine.cores} cores, Node ${machine.node}\n`);
  const [load = 0] = loadavg();
  if (load > 0.5) {
    console.log(
      `Other work runs here (load ${load.toFixed(1)}): compare ratios only, the numbers themselves come out too low.\n`,
    );
  }
  const results: (Report | NoReport)[] = [];
  for (const benchmark of selected) {
    const result = await measure(benchmark, runs);
    results.push(result);
    console.log(`${formatReport(result)}\n`);
  }
  if (json !== undefined) writeFileSync(json, `${JSON.stringify({ machine, runs, results }, null, 2)}\n`);
  if (results.every((result) => hasResult(result) && result.targets.every(isMet))) return 0;
  return results.some((result) => !hasResult(result) && result.kind === 'missing') ? 2 : 1;
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

let options: Options | 'help' | undefined;
try {
  options = readOptions();
} catch (error) {
  console.error(`bench: ${messageOf(error)}. 'npm run bench -- --help' lists the options.`);
  process.exitCode = 2;
}
if (options === 'help') console.log(HELP);
else if (options) process.exitCode = await main(options);
