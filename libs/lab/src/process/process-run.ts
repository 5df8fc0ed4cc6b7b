import { StringDecoder } from 'node:string_decoder';
import type { GuestFile } from '../artifacts/guest-archive.js';
import type { RunEnd } from '../verdict.js';
import { createResultParser } from '../results/parsers/index.js';
import type { ResultParser, TestCase } from '../results/test-case.js';
import { processFiles, processMemoryBytes, PROGRAM_PATH } from '../spec/process-check.js';
import type { JobSpec } from '../spec/job-spec.js';
import { EscapeFilter } from '../steps/escape-filter.js';
import type { RunReport } from '../steps/job-run.js';
import { MAX_CASES, MAX_OUTPUT_LENGTH, type StepRecord } from '../steps/step-record.js';
import { emulatorProblem } from './emulator-problem.js';
import { readRootArchive, RootArchiveError, type RootEntry } from './root-archive.js';

/** What a program under test starts with. */
const ENVIRONMENT = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', HOME: '/root' };
/** Folders that every root has. */
export const FOLDERS: readonly RootEntry[] = [
  { path: 'tmp', mode: 0o1777, uid: 0, gid: 0, kind: 'directory' },
  { path: 'root', mode: 0o700, uid: 0, gid: 0, kind: 'directory' },
];

/** A file of the job in the program's tree. */
export const fileEntry = (path: string, bytes: Uint8Array): RootEntry => ({
  path: Buffer.from(path).toString('latin1'),
  mode: 0o755,
  uid: 0,
  gid: 0,
  kind: 'file',
  bytes,
});

/** A program to run; the emulator's `ProgramOptions` takes it as it is. */
export interface ProgramRequest {
  readonly arch: 'mipsel' | 'mips';
  readonly program: string;
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly files: {
    readonly content: readonly RootEntry[];
    readonly stdin: Uint8Array;
    readonly stdout: (bytes: Uint8Array) => void;
    readonly stderr: (bytes: Uint8Array) => void;
  };
  readonly clock: 'virtual' | 'wall';
  readonly memoryBytes: number;
  readonly limitNs: number;
  readonly warn: (line: string) => void;
}

/** What a program used. */
export interface ProgramUsage {
  readonly instructions: number;
  readonly virtualNs: number;
  readonly syscalls: Readonly<Record<string, number>>;
  readonly pageFaults: number;
  readonly peakMemoryBytes: number;
}

/** A program that is ready to run; the emulator's `ProgramRun` is one. */
export interface RunnableProgram {
  readonly nowNs: number;
  readonly stats: ProgramUsage;
  run(): Promise<
    | { readonly kind: 'exited'; readonly code: number }
    | { readonly kind: 'killed'; readonly signal: string; readonly number: number }
    | { readonly kind: 'stopped' | 'timeout' }
  >;
  /** What is at a path of its tree, after the end; nothing where there is nothing. */
  filesAt(path: string): Iterable<GuestFile>;
  stop(): void;
}

export interface ProcessRunOptions {
  readonly spec: JobSpec;
  /** The emulator's `ProgramRun.create`. */
  readonly createProgram: (request: ProgramRequest) => Promise<RunnableProgram>;
  /** Bytes of the spec's files, by their position in `processFiles`. */
  readonly files: ReadonlyMap<number, Uint8Array>;
  /** Virtual time. */
  readonly timeoutNs: number;
  /** Host time. */
  readonly wallGuardMs: number;
  readonly consoleLimitBytes?: number;
  onConsole?(chunk: { uart: 'stdout' | 'stderr'; tNs: number; data: Uint8Array }): void;
  onStep?(record: StepRecord): void;
}

export interface ProcessReport extends RunReport {
  /** Undefined where the program did not start. */
  readonly usage: ProgramUsage | undefined;
}

/** One program under test, from its files to its end. It is the one step of its job, and its output holds the cases. */
export class ProcessRun {
  private readonly cases: TestCase[] = [];
  private readonly parser: ResultParser | undefined;
  private readonly text = new StringDecoder('utf8');
  private readonly escapes = new EscapeFilter();
  private line = '';
  private lines = 0;
  private output = '';
  private printedBytes = 0;
  private record: StepRecord;
  private program: RunnableProgram | undefined;
  private cause: RunEnd | undefined;

  constructor(private readonly options: ProcessRunOptions) {
    const { program = '', arguments: args = [], results } = options.spec;
    this.record = {
      index: 0,
      kind: results?.format === undefined ? 'run' : 'test',
      text: [program, ...args].join(' '),
      name: undefined,
      status: undefined,
      startNs: 0,
      doneNs: undefined,
      message: undefined,
      exitStatus: undefined,
      output: undefined,
      lines: undefined,
      console: 'stdout',
      cases: this.cases,
    };
    if (results?.format !== undefined) {
      this.parser = createResultParser(results.format, {
        startNs: 0,
        emit: (testCase) => {
          if (this.cases.length >= MAX_CASES) return;
          this.cases.push(testCase);
          this.options.onStep?.(this.record);
        },
      });
    }
  }

  /** Virtual time since the program started. */
  get nowNs(): number {
    return this.program?.nowNs ?? 0;
  }

  get instructions(): number {
    return this.program?.stats.instructions ?? 0;
  }

  /** What is at a path of the program's tree; nothing where there is nothing, or the program never started. */
  filesAt(path: string): Iterable<GuestFile> {
    return this.program?.filesAt(path) ?? [];
  }

  /** Ends the run from outside. */
  stop(cause: RunEnd = { kind: 'aborted' }): void {
    this.cause ??= cause;
    this.program?.stop();
  }

  async run(): Promise<ProcessReport> {
    this.options.onStep?.(this.record);
    const guard = setTimeout(() => this.stop({ kind: 'wall-guard' }), this.options.wallGuardMs);
    let end: RunEnd;
    try {
      this.program = await this.create();
      end = this.cause ?? (await this.toEnd(this.program));
    } catch (error) {
      const reason = startFailure(error);
      if (reason === undefined) throw error;
      end = { kind: 'not-started', reason };
    } finally {
      clearTimeout(guard);
    }
    this.finish(end);
    const usage = this.program?.stats;
    return {
      end,
      steps: [this.record],
      kernel: [],
      virtualNs: this.nowNs,
      instructions: this.instructions,
      ramSha256: undefined,
      usage,
    };
  }

  private async create(): Promise<RunnableProgram> {
    const { spec, files, timeoutNs, createProgram } = this.options;
    const { arch = 'mipsel', program = '', arguments: args = [], environment = {} } = spec;
    const content: RootEntry[] = [...FOLDERS];
    let stdin: Uint8Array = Buffer.from(spec.stdin_text ?? '');
    for (const { position, use } of processFiles(spec)) {
      const bytes = files.get(position);
      if (!bytes) throw new Error(`The file at position ${position} of the job is missing`);
      if (use.kind === 'root') content.push(...(await readRootArchive(bytes)));
      else if (use.kind === 'stdin') stdin = bytes;
      else content.push(fileEntry(use.path, bytes));
    }
    return createProgram({
      arch,
      program: program.startsWith('/') ? program : PROGRAM_PATH,
      args,
      environment: { ...ENVIRONMENT, ...environment },
      files: {
        content,
        stdin,
        stdout: (bytes) => this.printed('stdout', bytes),
        stderr: (bytes) => this.printed('stderr', bytes),
      },
      clock: spec.clock ?? 'virtual',
      memoryBytes: processMemoryBytes(spec),
      limitNs: timeoutNs,
      warn: (line) => this.printed('stderr', Buffer.from(`bootlab: ${line}\n`)),
    });
  }

  private async toEnd(program: RunnableProgram): Promise<RunEnd> {
    const result = await program.run();
    switch (result.kind) {
      case 'exited':
        return { kind: 'exited', status: result.code };
      case 'killed':
        return { kind: 'killed', signal: result.signal, status: 128 + result.number };
      case 'timeout':
        return { kind: 'still-running' };
      case 'stopped':
        return this.cause ?? { kind: 'aborted' };
    }
  }

  private printed(uart: 'stdout' | 'stderr', data: Uint8Array): void {
    if (this.cause) return; // a run ends with what ended it
    const { consoleLimitBytes: limitBytes = Infinity } = this.options;
    this.options.onConsole?.({ uart, tNs: this.nowNs, data });
    this.printedBytes += data.length;
    if (uart === 'stdout') this.read(this.text.write(Buffer.from(data)));
    if (this.printedBytes > limitBytes) this.stop({ kind: 'console-limit', limitBytes });
  }

  /** Standard output, line by line. */
  private read(text: string): void {
    this.output = (this.output + text).slice(-MAX_OUTPUT_LENGTH);
    for (const character of text) {
      if (!this.escapes.keep(character)) continue;
      if (character === '\n') this.endLine();
      else if (this.line.length < MAX_OUTPUT_LENGTH) this.line += character;
    }
  }

  private endLine(): void {
    this.lines++;
    this.parser?.push({ text: this.line.replace(/\r$/, ''), tNs: this.nowNs, line: this.lines });
    this.line = '';
  }

  private finish(end: RunEnd): void {
    this.read(this.text.end());
    if (this.line !== '') this.endLine();
    this.parser?.end(this.nowNs);
    const failed = this.cases.filter(({ status }) => status === 'fail' || status === 'error').length;
    const message = messageOf(end) ?? (failed > 0 ? `${failed} of ${this.cases.length} tests failed` : undefined);
    this.record = {
      ...this.record,
      status: statusOf(end, message),
      doneNs: this.nowNs,
      message,
      exitStatus: end.kind === 'exited' || end.kind === 'killed' ? end.status : undefined,
      output: this.output,
      lines: this.lines > 0 ? { first: 1, last: this.lines } : undefined,
    };
    this.options.onStep?.(this.record);
  }
}

function statusOf(end: RunEnd, message: string | undefined): StepRecord['status'] {
  switch (end.kind) {
    case 'exited':
    case 'killed':
    case 'not-started':
    case 'console-limit':
      return message === undefined ? 'pass' : 'fail';
    case 'still-running':
      return 'timeout';
    default:
      return undefined; // it says nothing about the program
  }
}

function messageOf(end: RunEnd): string | undefined {
  switch (end.kind) {
    case 'exited':
      return end.status === 0 ? undefined : `It exited with status ${end.status}`;
    case 'killed':
      return `${end.signal} ended it`;
    case 'not-started':
      return end.reason;
    case 'still-running':
      return 'It was still running when its time was over';
    case 'console-limit':
      return `It printed more than ${end.limitBytes} bytes`;
    default:
      return undefined;
  }
}

/** What the person who wrote the job can mend, as a sentence; undefined for what they cannot. */
function startFailure(error: unknown): string | undefined {
  if (error instanceof RootArchiveError) return `root is no archive that can be unpacked: ${error.message}`;
  const problem = emulatorProblem(error);
  return problem && `${problem.message}. ${problem.mend}`;
}
