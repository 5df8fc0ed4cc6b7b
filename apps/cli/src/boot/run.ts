import { closeSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import type { ClockMode, Machine, runMachine } from '@bootlab/emulator';
import { shrinkHeap } from '@bootlab/emulator/threads';
import type { RunReport, Verdict } from '@bootlab/lab';
import { DEFAULT_TIMEOUT, JobRun, judge, parseDuration } from '@bootlab/lab';
import { ExitCode, signalExitCode } from '../exit-codes.js';
import { ConsoleLogFile } from './console-log.js';
import type { MachineMaker } from './create.js';
import { openMachine } from './create.js';
import { createOutput } from './files.js';
import type { BootOptions } from './options.js';
import type { Profiler } from './profile.js';
import { startProfile } from './profile.js';
import { collectStats, summaryOf } from './stats.js';
import type { TerminalStreams } from './terminal.js';
import { Terminal } from './terminal.js';

/** What `boot` needs of the emulator; tests give it a board of their own. */
export interface Engine extends MachineMaker {
  runMachine: typeof runMachine;
}

/** What `boot` needs of the process it lives in. */
export interface BootHost extends TerminalStreams {
  /** Where SIGINT and SIGTERM arrive. */
  signals: Pick<NodeJS.EventEmitter, 'on' | 'off'>;
}

/** Host time after which a run that nobody watches is given up: far beyond any real boot, short of forever. */
const DEFAULT_WALL_GUARD_MS = 15 * 60_000;

/** Why somebody outside ended a run that the guest would have gone on with. */
type Interruption = { kind: 'quit' } | { kind: 'output-closed' } | { kind: 'signal'; signal: 'SIGINT' | 'SIGTERM' };

/**
 * Boots a board, connects its first console to the terminal and walks the steps.
 * @returns the exit status
 * @throws UsageError when an option or an image does not fit
 */
export async function boot(options: BootOptions, host: BootHost, engine: Engine): Promise<number> {
  const remarks: string[] = [];
  const { machine, close } = await openMachine(options, engine, (text) => remarks.push(text));
  try {
    const statsFd = options.stats === undefined ? undefined : createOutput('--stats', options.stats);
    const logFd = options.log === undefined ? undefined : createOutput('--log', options.log);
    const profiler = startProfile(machine, options);
    const log = logFd === undefined ? undefined : new ConsoleLogFile(logFd);
    return await run(machine, options, { log, statsFd, profiler, remarks }, host, engine.runMachine);
  } finally {
    close();
  }
}

/** How the options left open are filled: a person at a terminal wants real time, a script wants an end. */
function limitsOf(
  options: BootOptions,
  interactive: boolean,
): { clock: ClockMode; timeoutNs?: number; wallGuardMs?: number } {
  const attended = interactive && options.steps.length === 0;
  return {
    clock: options.clock ?? (attended ? 'wall' : 'virtual'),
    timeoutNs: options.timeoutNs ?? (attended ? undefined : parseDuration(DEFAULT_TIMEOUT)),
    wallGuardMs: options.wallGuardMs ?? (attended ? undefined : DEFAULT_WALL_GUARD_MS),
  };
}

async function run(
  machine: Machine,
  options: BootOptions,
  files: { log?: ConsoleLogFile; statsFd?: number; profiler?: Profiler; remarks: readonly string[] },
  host: BootHost,
  runMachine: Engine['runMachine'],
): Promise<number> {
  const limits = limitsOf(options, host.stdin.isTTY === true);
  let interruption: Interruption | undefined;
  const interrupt = (why: Interruption): void => {
    interruption ??= why;
    job.stop();
  };
  const terminal = new Terminal(host, {
    typed: (bytes) => job.type(job.primary, bytes),
    quit: () => interrupt({ kind: 'quit' }),
    outputClosed: () => interrupt({ kind: 'output-closed' }),
  });
  const job = new JobRun<Machine>({
    machine,
    runMachine,
    ...limits,
    steps: options.steps,
    failOn: 'none', // a person watches the console
    onConsole: ({ uart, tNs, data }) => {
      files.log?.push(uart, tNs, data);
      if (uart === job.primary) terminal.print(data);
    },
    onSlice: () => terminal.flush(),
    onIdle: shrinkHeap,
  });
  const onSigint = (): void => interrupt({ kind: 'signal', signal: 'SIGINT' });
  const onSigterm = (): void => interrupt({ kind: 'signal', signal: 'SIGTERM' });
  host.signals.on('SIGINT', onSigint);
  host.signals.on('SIGTERM', onSigterm);

  const startedAt = performance.now();
  let report: RunReport;
  try {
    report = await job.run();
  } finally {
    host.signals.off('SIGINT', onSigint);
    host.signals.off('SIGTERM', onSigterm);
    terminal.close();
    files.log?.close();
  }
  const wallMs = performance.now() - startedAt;

  const verdict = verdictOf(report, interruption, limits.timeoutNs ?? 0);
  for (const text of files.remarks) terminal.note(`bootlab: ${text}`); // until now the console was the guest's
  terminal.note(summaryOf(machine, verdict, wallMs));
  for (const line of files.profiler?.finish() ?? []) terminal.note(line);
  if (files.statsFd !== undefined) {
    const stats = await collectStats(machine, verdict, wallMs);
    writeFileSync(files.statsFd, `${JSON.stringify(stats, null, 2)}\n`);
    closeSync(files.statsFd);
  }
  return exitCodeOf(report, interruption, verdict);
}

function verdictOf(report: RunReport, interruption: Interruption | undefined, timeoutNs: number): Verdict {
  if (report.end.kind !== 'aborted') return judge(report.end, { steps: report.steps, timeoutNs });
  switch (interruption?.kind) {
    case 'signal':
      return { outcome: 'cancelled', reason: `Ended by ${interruption.signal}` };
    case 'output-closed':
      return { outcome: 'cancelled', reason: 'Nobody reads the output any more' };
    default:
      return { outcome: 'cancelled', reason: 'Ended from the keyboard' };
  }
}

function exitCodeOf({ end, steps }: RunReport, interruption: Interruption | undefined, verdict: Verdict): number {
  if (verdict.outcome === 'pass') return ExitCode.pass;
  if (verdict.outcome === 'infra') return ExitCode.internal;
  const allDone = steps.every(({ status }) => status === 'pass');
  if (end.kind === 'aborted') {
    if (interruption?.kind === 'signal') return signalExitCode(constants.signals[interruption.signal]);
    if (interruption?.kind === 'output-closed') return signalExitCode(constants.signals.SIGPIPE);
    return allDone ? ExitCode.pass : ExitCode.fail; // a person who leaves an interactive board did not fail
  }
  // All that was expected did happen; a `--send` after it only gave the guest more to do.
  return allDone && steps.some(({ kind }) => kind === 'expect') ? ExitCode.pass : ExitCode.fail;
}
