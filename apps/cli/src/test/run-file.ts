import { closeSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import path from 'node:path';
import type { BoardInfo, Machine, runMachine } from '@bootlab/emulator';
import { ConfigError } from '@bootlab/emulator/core';
import { translateInThread } from '@bootlab/emulator/threads';
import { ProgramRun } from '@bootlab/emulator/user';
import {
  checkBoard,
  combinationName,
  DEFAULT_TIMEOUT,
  expandJob,
  importedJobText,
  importLavaJob,
  importTuxrun,
  jobResults,
  JobRun,
  judge,
  junitXml,
  parseDuration,
  processFiles,
  readJobFile,
  resultsJson,
  tap,
  tuxrunExitStatus,
  USAGE_ARTIFACT,
  type ExpandedJob,
  type FieldError,
  type ImportedJob,
  type JobFileResult,
  type JobReport,
  type JobSpec,
  type RunReport,
  type Verdict,
} from '@bootlab/lab';
import { saveArtifacts, type ArtifactSources } from '@bootlab/lab/artifacts';
import { ProcessRun } from '@bootlab/lab/process';
import { ConsoleLogFile } from '../boot/console-log.js';
import type { MachineMaker } from '../boot/create.js';
import { engineStores } from '../kept.js';
import { createOutput } from '../boot/files.js';
import type { BootHost } from '../boot/run.js';
import { ExitCode, signalExitCode, UsageError } from '../exit-codes.js';
import { jobFileError, readJobText } from '../job-file-errors.js';
import { FieldProblem, openJobMachine, problemOfConfig, readReference, type JobMachine } from './job-machine.js';
import type { OutputOptions, TestOptions } from './options.js';
import { LineReporter, LiveReporter, type Reporter } from './reporter.js';

/** What `test` needs of the emulator. */
export interface TestEngine extends MachineMaker {
  runMachine: typeof runMachine;
  boardCatalogue(): readonly BoardInfo[];
}

const DEFAULT_WALL_GUARD_MS = 15 * 60_000;

/** Jobs that are ready to run. */
interface ReadyJobs {
  readonly jobs: readonly ExpandedJob[];
  /** Where an error that is found later stands. */
  locate(error: FieldError): FieldError;
  /** What messages call the source of the jobs. */
  readonly source: string;
  /** Relative paths start here. */
  readonly folder: string;
}

/**
 * Runs a job file here, all jobs of its matrix one after the other.
 * @returns the exit status
 * @throws UsageError when the file, an option or an image does not fit; nothing has run then
 */
export async function testFile(options: TestOptions, host: BootHost, engine: TestEngine): Promise<number> {
  const { file, variables } = options;
  const text = readJobText(file);
  const ready = options.lava
    ? readyImport(importLavaJob(text), file, path.dirname(file), host, engine)
    : readyJobs(readJobFile(text, { variables }), file, path.dirname(file), engine);
  return exitCodeOf(await runJobs(ready, options, host, engine));
}

/**
 * Runs what a tuxrun command line asks for.
 * @returns tuxrun's own exit status: 0 passed, 1 a test failed, 2 anything else
 */
export async function testTuxrun(args: readonly string[], host: BootHost, engine: TestEngine): Promise<number> {
  const imported = importTuxrun(args);
  const ready = readyImport(imported, 'tuxrun', '.', host, engine);
  const ended = await runJobs(ready, imported.outputs, host, engine);
  return ended.signal ? exitCodeOf(ended) : tuxrunExitStatus(ended.reports.map(({ verdict }) => verdict.outcome));
}

/** Prints a LAVA job definition as a job file of ours, what is not supported in comments. */
export function convertLava(file: string, host: BootHost): number {
  const imported = importLavaJob(readJobText(file));
  host.stdout.write(importedJobText(imported));
  return imported.unsupported.length === 0 ? ExitCode.pass : ExitCode.usage;
}

async function runJobs(
  { jobs, locate, source, folder }: ReadyJobs,
  options: OutputOptions,
  host: BootHost,
  engine: TestEngine,
): Promise<EndedJobs> {
  const outputs = openOutputs(options);
  if (options.artifacts !== undefined) checkFolder('--artifacts', options.artifacts);
  const session = new TestSession({ ...options, source, folder }, host, engine);
  const reports: JobReport[] = [];
  try {
    for (const [index, job] of jobs.entries()) {
      if (session.signal) break;
      reports.push(await session.run(job, index, jobs.length));
    }
  } catch (error) {
    if (error instanceof FieldProblem) throw jobFileError(source, [locate(error.error)]);
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
  return { reports, signal: session.signal };
}

interface EndedJobs {
  readonly reports: readonly JobReport[];
  /** What ended the session before its time. */
  readonly signal: 'SIGINT' | 'SIGTERM' | undefined;
}

function exitCodeOf({ reports, signal }: EndedJobs): number {
  if (signal) return signalExitCode(constants.signals[signal]);
  const outcomes = new Set(reports.map(({ verdict }) => verdict.outcome));
  if (outcomes.has('fail') || outcomes.has('timeout')) return ExitCode.fail;
  return outcomes.has('infra') || outcomes.has('cancelled') ? ExitCode.internal : ExitCode.pass;
}

/** Holds what was read against the boards of this emulator. @throws UsageError */
function readyJobs(read: JobFileResult, source: string, folder: string, engine: TestEngine): ReadyJobs {
  if (!read.ok) throw jobFileError(source, read.errors);
  const errors = read.jobs.flatMap(({ spec }) => checkBoard(spec, engine.boardCatalogue()));
  const distinct = [...new Map(errors.map((error) => [error.field + error.message, error])).values()];
  if (distinct.length > 0) throw jobFileError(source, distinct.map(read.locate));
  return { jobs: read.jobs, locate: read.locate, source, folder };
}

/** A job of another lab's runs only if all of it can. */
function readyImport(
  { job, unsupported, notes }: ImportedJob,
  source: string,
  folder: string,
  host: BootHost,
  engine: TestEngine,
): ReadyJobs {
  for (const note of notes) host.stderr.write(`bootlab: note: ${note}\n`);
  if (unsupported.length > 0) throw jobFileError(source, unsupported);
  return readyJobs(expandJob(job), source, folder, engine);
}

/** Created before anything runs, so that a bad path does not cost a run. */
function openOutputs({ junit, tap: tapFile, json }: OutputOptions) {
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
    private readonly options: OutputOptions & Pick<ReadyJobs, 'source' | 'folder'>,
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
    const name = [spec.name ?? path.basename(this.options.source), values].filter(Boolean).join(' ');
    for (let attempt = 1; ; attempt++) {
      const place = count > 1 ? `job ${index + 1} of ${count}: ` : '';
      this.reporter.job(`${place}${name} on ${spec.board}${attempt > 1 ? ` (attempt ${attempt})` : ''}`);
      const report = await this.attempt(spec, name, count > 1 ? `.${index + 1}` : '');
      if (report.verdict.outcome !== 'infra' || attempt > (spec.retries ?? 0)) return report;
    }
  }

  private async attempt(spec: JobSpec, name: string, suffix: string): Promise<JobReport> {
    if (spec.kind === 'process') return this.attemptProcess(spec, name, suffix);
    const opened = await openJobMachine(spec, this.options.folder, this.engine, (text) => this.reporter.remark(text));
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
      await this.saveArtifacts(spec, opened, suffix);
      const { virtualNs, instructions } = report;
      return { name, board: spec.board, verdict, results: jobResults({ ...report, failOn }), virtualNs, instructions };
    } finally {
      opened.close();
    }
  }

  /** As {@link attempt}, for a job of the kind `process`. */
  private async attemptProcess(spec: JobSpec, name: string, suffix: string): Promise<JobReport> {
    const { log: logFile } = this.options;
    const log = logFile === undefined ? undefined : new ConsoleLogFile(createOutput('--log', logFile + suffix));
    const timeoutNs = parseDuration(spec.timeout ?? DEFAULT_TIMEOUT);
    const guardMs = spec.wall_guard === undefined ? DEFAULT_WALL_GUARD_MS : parseDuration(spec.wall_guard) / 1e6;
    const files = processFiles(spec).map(
      ({ position, field, reference }) =>
        [position, readReference(field, reference, this.options.folder, this.engine)] as const,
    );
    const run = new ProcessRun({
      spec,
      createProgram: (request) =>
        ProgramRun.create({
          ...{ ...request, translationService: translateInThread, ...engineStores(this.engine) },
          warn: (text) => this.reporter.remark(text),
        }),
      files: new Map(files),
      timeoutNs,
      wallGuardMs: guardMs + (spec.clock === 'wall' ? timeoutNs / 1e6 : 0),
      onConsole: ({ uart, tNs, data }) => {
        log?.push(uart, tNs, data);
        if (this.options.console) this.host[uart].write(data);
      },
      onStep: (record) => this.reporter.step(record),
    });
    this.running = run;
    if (this.signal) run.stop();
    const startedMs = performance.now();
    const report = await run.run().finally(() => {
      this.running = undefined;
      log?.close();
    });
    const verdict: Verdict = this.signal
      ? { outcome: 'cancelled', reason: `Ended by ${this.signal}` }
      : judge(report.end, { ...report, timeoutNs });
    this.reporter.end(verdict, report, performance.now() - startedMs);
    const folder = await this.saveArtifacts(spec, { filesAt: (guestPath) => run.filesAt(guestPath) }, suffix);
    if (folder !== undefined && report.usage) {
      writeFileSync(path.join(folder, USAGE_ARTIFACT), `${JSON.stringify(report.usage, null, 2)}\n`);
    }
    const { virtualNs, instructions } = report;
    return { name, board: spec.board, verdict, results: jobResults(report), virtualNs, instructions };
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
      job.close();
    }
  }

  /** Saves what the job asks for, and says what it could not. @returns the folder; undefined where none is wanted */
  private async saveArtifacts(
    { artifacts = [] }: JobSpec,
    sources: ArtifactSources,
    suffix: string,
  ): Promise<string | undefined> {
    const { artifacts: folder } = this.options;
    if (folder === undefined) return undefined;
    const target = suffix === '' ? folder : path.join(folder, suffix.slice(1));
    mkdirSync(target, { recursive: true });
    const fileFor = (name: string): string => {
      const file = path.join(target, name);
      rmSync(file, { force: true }); // an earlier run's
      return file;
    };
    const { missing } = await saveArtifacts(artifacts, sources, { fileFor });
    for (const { name, reason } of missing) this.host.stderr.write(`bootlab: artifact ${name}: ${reason}\n`);
    return target;
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
