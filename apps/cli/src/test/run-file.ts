import { closeSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import path from 'node:path';
import type { BoardInfo, Machine, runMachine } from '@bootlab/emulator';
import { ConfigError } from '@bootlab/emulator/core';
import {
  checkBoard,
  combinationName,
  DEFAULT_TIMEOUT,
  jobResults,
  JobRun,
  judge,
  junitXml,
  parseDuration,
  readJobFile,
  resultsJson,
  tap,
  type ExpandedJob,
  type FieldError,
  type JobReport,
  type JobSpec,
  type RunReport,
  type Verdict,
} from '@bootlab/lab';
import { ConsoleLogFile } from '../boot/console-log.js';
import type { MachineMaker } from '../boot/create.js';
import { createOutput } from '../boot/files.js';
import type { BootHost } from '../boot/run.js';
import { ExitCode, signalExitCode, UsageError } from '../exit-codes.js';
import { FieldProblem, openJobMachine, problemOfConfig, saveDrive, type JobMachine } from './job-machine.js';
import type { TestOptions } from './options.js';
import { LineReporter, LiveReporter, type Reporter } from './reporter.js';

/** What `test` needs of the emulator. */
export interface TestEngine extends MachineMaker {
  runMachine: typeof runMachine;
  boardCatalogue(): readonly BoardInfo[];
}

const DEFAULT_WALL_GUARD_MS = 15 * 60_000;

/**
 * Runs a job file here, all jobs of its matrix one after the other.
 * @returns the exit status
 * @throws UsageError when the file, an option or an image does not fit; nothing has run then
 */
export async function testFile(options: TestOptions, host: BootHost, engine: TestEngine): Promise<number> {
  const { jobs, locate } = readJobs(options, engine);
  const outputs = openOutputs(options);
  if (options.artifacts !== undefined) checkFolder('--artifacts', options.artifacts);
  const session = new TestSession(options, host, engine);
  const reports: JobReport[] = [];
  try {
    for (const [index, job] of jobs.entries()) {
      if (session.signal) break;
      reports.push(await session.run(job, index, jobs.length));
    }
  } catch (error) {
    if (error instanceof FieldProblem) throw usageError(options.file, [locate(error.error)]);
    throw error;
  } finally {
    session.close();
    // What was found out is kept, also when a later job could not run.
    for (const { fd, write } of outputs) {
      writeFileSync(fd, write(reports));
      closeSync(fd);
    }
  }
  if (jobs.length > 1) host.stdout.write(`${summaryOf(reports)}\n`);
  if (session.signal) return signalExitCode(constants.signals[session.signal]);
  const outcomes = new Set(reports.map(({ verdict }) => verdict.outcome));
  if (outcomes.has('fail') || outcomes.has('timeout')) return ExitCode.fail;
  return outcomes.has('infra') || outcomes.has('cancelled') ? ExitCode.internal : ExitCode.pass;
}

function readJobs({ file, variables }: TestOptions, engine: TestEngine) {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    const problem = (error as Error).message; // readFileSync throws nothing but Errors
    throw new UsageError(`cannot read the job file: ${problem}. Name a YAML or JSON file.`);
  }
  const read = readJobFile(text, { variables });
  if (!read.ok) throw usageError(file, read.errors);
  const errors = read.jobs.flatMap(({ spec }) => checkBoard(spec, engine.boardCatalogue()));
  const distinct = [...new Map(errors.map((error) => [error.field + error.message, error])).values()];
  if (distinct.length > 0) throw usageError(file, distinct.map(read.locate));
  return read;
}

function usageError(file: string, errors: readonly FieldError[]): UsageError {
  const lines = errors.map(({ field, message, mend, line, column }) => {
    const place = line === undefined ? file : `${file}:${line}:${column}`;
    return `${place}: ${field === 'body' ? '' : `${field}: `}${message.replace(/\.$/, '')}. ${mend}`;
  });
  return new UsageError(lines.join('\nbootlab: '));
}

/** Created before anything runs, so that a bad path does not cost a run. */
function openOutputs({ junit, tap: tapFile, json }: TestOptions) {
  const wanted = [
    { option: '--junit', file: junit, write: junitXml },
    { option: '--tap', file: tapFile, write: tap },
    { option: '--json', file: json, write: resultsJson },
  ];
  return wanted.flatMap(({ option, file, write }) =>
    file === undefined ? [] : [{ fd: createOutput(option, file), write }],
  );
}

function summaryOf(reports: readonly JobReport[]): string {
  const passed = reports.filter(({ verdict }) => verdict.outcome === 'pass').length;
  return `${passed} of ${reports.length} jobs passed`;
}

/** The jobs of one call: where they report, and what ends them from outside. */
class TestSession {
  /** The signal that ended the session. */
  signal: 'SIGINT' | 'SIGTERM' | undefined;
  private readonly reporter: Reporter;
  private running: { stop(): void } | undefined;
  private readonly onSigint = (): void => this.interrupt('SIGINT');
  private readonly onSigterm = (): void => this.interrupt('SIGTERM');

  constructor(
    private readonly options: TestOptions,
    private readonly host: BootHost,
    private readonly engine: TestEngine,
  ) {
    const { stdout } = host;
    const live = stdout.isTTY === true && options.console === undefined;
    this.reporter = live ? new LiveReporter(stdout, () => stdout.columns ?? 80) : new LineReporter(stdout);
    host.signals.on('SIGINT', this.onSigint);
    host.signals.on('SIGTERM', this.onSigterm);
  }

  close(): void {
    this.host.signals.off('SIGINT', this.onSigint);
    this.host.signals.off('SIGTERM', this.onSigterm);
  }

  /** Runs a job; again after an infrastructure error, as often as its spec allows. */
  async run({ spec, combination }: ExpandedJob, index: number, count: number): Promise<JobReport> {
    const values = combinationName(combination);
    const name = [spec.name ?? path.basename(this.options.file), values].filter(Boolean).join(' ');
    for (let attempt = 1; ; attempt++) {
      const place = count > 1 ? `job ${index + 1} of ${count}: ` : '';
      this.reporter.job(`${place}${name} on ${spec.board}${attempt > 1 ? ` (attempt ${attempt})` : ''}`);
      const report = await this.attempt(spec, name, count > 1 ? `.${index + 1}` : '');
      if (report.verdict.outcome !== 'infra' || attempt > (spec.retries ?? 0)) return report;
    }
  }

  private async attempt(spec: JobSpec, name: string, suffix: string): Promise<JobReport> {
    const opened = await openJobMachine(spec, path.dirname(this.options.file), this.engine);
    const { log: logFile } = this.options;
    try {
      const log = logFile === undefined ? undefined : new ConsoleLogFile(createOutput('--log', logFile + suffix));
      const startedMs = performance.now();
      const report = await this.runOn(spec, opened, log).finally(() => log?.close());
      const failOn = spec.results?.fail_on;
      const timeoutNs = parseDuration(spec.timeout ?? DEFAULT_TIMEOUT);
      const verdict: Verdict = this.signal
        ? { outcome: 'cancelled', reason: `Ended by ${this.signal}` }
        : judge(report.end, { ...report, failOn, timeoutNs });
      this.reporter.end(verdict, report, performance.now() - startedMs);
      this.saveArtifacts(spec, opened, suffix);
      const { virtualNs, instructions } = report;
      return { name, board: spec.board, verdict, results: jobResults({ ...report, failOn }), virtualNs, instructions };
    } finally {
      opened.close();
    }
  }

  private async runOn(spec: JobSpec, opened: JobMachine, log: ConsoleLogFile | undefined): Promise<RunReport> {
    const clock = spec.clock ?? 'virtual';
    const timeoutNs = parseDuration(spec.timeout ?? DEFAULT_TIMEOUT);
    const guardMs = spec.wall_guard === undefined ? DEFAULT_WALL_GUARD_MS : parseDuration(spec.wall_guard) / 1e6;
    const job = new JobRun<Machine>({
      machine: await opened.make().catch((error: unknown) => {
        throw error instanceof ConfigError ? problemOfConfig(error) : error;
      }),
      rebuild: () => opened.make(),
      runMachine: this.engine.runMachine,
      steps: spec.steps ?? [],
      shell: spec.shell,
      prompt: spec.prompt,
      onReboot: spec.on_reboot,
      failOn: spec.results?.fail_on,
      uploads: opened.uploads,
      clock,
      timeoutNs,
      // On the wall clock, time passes here as in the guest: the guard is what this host may take on top of it.
      wallGuardMs: guardMs + (clock === 'wall' ? timeoutNs / 1e6 : 0),
      onConsole: ({ uart, tNs, data }) => {
        log?.push(uart, tNs, data);
        if (this.options.console) this.host.stdout.write(data);
      },
      onSlice: (nowNs) => this.reporter.time(nowNs),
      onStep: (record) => this.reporter.step(record),
      onKernelEvent: (event) => this.reporter.kernel(event),
    });
    this.running = job;
    if (this.signal) job.stop(); // it came while the images were read
    try {
      return await job.run();
    } finally {
      this.running = undefined;
    }
  }

  private saveArtifacts({ artifacts = [] }: JobSpec, { drives }: JobMachine, suffix: string): void {
    const { artifacts: folder } = this.options;
    if (folder === undefined) return;
    const target = suffix === '' ? folder : path.join(folder, suffix.slice(1));
    mkdirSync(target, { recursive: true });
    for (const { drive, as } of artifacts) {
      const backend = drives[drive];
      if (backend) saveDrive(backend, path.join(target, as));
    }
  }

  private interrupt(signal: 'SIGINT' | 'SIGTERM'): void {
    this.signal ??= signal;
    this.running?.stop();
  }
}

/** Fails early where a folder cannot be written to. */
function checkFolder(option: string, folder: string): void {
  try {
    mkdirSync(folder, { recursive: true });
  } catch (error) {
    throw new UsageError(`${option}: cannot create the folder: ${(error as Error).message}. Name another one.`);
  }
}
