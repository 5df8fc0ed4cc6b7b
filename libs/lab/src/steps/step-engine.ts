import { ConsolePattern } from '../pattern.js';
import { createResultParser } from '../results/parsers/index.js';
import type { ConsoleLine, ResultParser, TestCase } from '../results/test-case.js';
import type { Step } from '../spec/step.js';
import { verbOf } from '../spec/step-verb.js';
import { parseDuration } from '../units.js';
import { ConsoleText, type ConsoleTextEvents } from './console-text.js';
import { checkFileCommand, writeFileCommands } from './shell.js';
import { PROMPT_QUIET_NS, ShellCommands, type ShellOptions } from './shell-commands.js';
import { exitCodeCase, PASSED, verdictOfCases, type Outcome } from './step-outcome.js';
import { MAX_CASES, MAX_OUTPUT_LENGTH, quoted, type StepRecord } from './step-record.js';
import {
  StepTimedOut,
  type BoardAction,
  type MutableRecord,
  type Script,
  type Wait,
  type Wake,
} from './step-script.js';

/** How long a button is pressed, from the step's beginning. */
export const PRESS_NS = 10e6;

/** A file for the guest. */
export interface UploadFile {
  readonly bytes: Uint8Array;
  /** Hexadecimal. */
  readonly sha256: string;
}

export interface StepEngineOptions extends ShellOptions {
  readonly steps: readonly Step[];
  /** Where steps happen that name no console. */
  readonly console: string;
  /** Files by the references that upload steps name. */
  readonly uploads?: ReadonlyMap<string, UploadFile>;
  /** A step began, found a case, or ended. */
  onStep?(record: StepRecord): void;
  /** A line of a console's log is complete. */
  onLogLine?(console: string, line: ConsoleLine): void;
}

/** How the steps ended. */
export type StepsEnd = { kind: 'steps-done' } | { kind: 'step-failed' } | { kind: 'step-timeout' };

/**
 * Walks a job's steps over a board's consoles. The machine feeds it every byte with its virtual time, from inside the
 * console listener, so that the time at which a reply enters the guest depends on nothing but the guest. Time-outs and
 * waits are deadlines in virtual time, which whoever drives the machine keeps: it asks for the next one, lets the
 * machine run no further, and calls {@link advance}.
 */
export class StepEngine {
  private readonly steps: readonly Step[];
  private readonly records: MutableRecord[];
  private readonly expectations: (ConsolePattern | undefined)[];
  private readonly texts = new Map<string, ConsoleText>();
  private readonly script: Script<void>;
  /** Shortest wait that this step or one after it can begin. */
  private readonly shortestNs: readonly number[];
  private wait: Wait | undefined;
  private stepDeadlineNs = Infinity;
  private current = 0;
  private nowNs = 0;
  private stepsEnd: StepsEnd | undefined;
  private readonly shell: ShellCommands;

  /** @throws PatternError when a pattern does not compile */
  constructor(private readonly options: StepEngineOptions) {
    this.steps = options.steps;
    this.expectations = this.steps.map(({ expect }) => (expect === undefined ? undefined : new ConsolePattern(expect)));
    this.shell = new ShellCommands(options, {
      now: () => this.nowNs,
      text: (console) => this.textOf(console),
      until: (wait) => this.until(wait),
    });
    this.records = this.steps.map((step, index) => ({
      index,
      kind: verbOf(step),
      text: wordsOf(step),
      name: step.name,
      status: undefined,
      startNs: undefined,
      doneNs: undefined,
      message: undefined,
      exitStatus: undefined,
      output: undefined,
      lines: undefined,
      console: step.console ?? options.console,
      cases: [],
    }));
    const shortest = this.steps.map(shortestWait);
    for (let index = shortest.length - 2; index >= 0; index--) {
      shortest[index] = Math.min(shortest[index] ?? Infinity, shortest[index + 1] ?? Infinity);
    }
    this.shortestNs = shortest;
    this.script = this.walk();
  }

  /** How the steps ended; undefined while they have not, and when there are none. */
  get end(): StepsEnd | undefined {
    return this.stepsEnd;
  }

  /**
   * Whether the steps' end ends the run. It does, unless all were done and the effect of the last one is still to come:
   * what was sent, or a reset.
   */
  get endsRun(): boolean {
    const last = this.steps.at(-1);
    if (!this.stepsEnd || !last) return false;
    if (this.stepsEnd.kind !== 'steps-done') return true;
    const verb = verbOf(last);
    return !(verb === 'send' || verb === 'reset' || (verb === 'power' && last.power !== 'off'));
  }

  get stepRecords(): readonly StepRecord[] {
    return this.records;
  }

  /** The step that the run is at, if any. */
  get waiting(): StepRecord | undefined {
    return this.stepsEnd ? undefined : this.records[this.current];
  }

  /** Virtual time beyond which the machine must not run before {@link advance} is called. */
  get deadlineNs(): number {
    return Math.min(this.wait?.deadlineNs ?? Infinity, this.stepDeadlineNs);
  }

  /** A deadline that console output sets while the machine runs is never nearer than this to that output. */
  get lookaheadNs(): number {
    return this.stepsEnd ? Infinity : (this.shortestNs[this.current] ?? Infinity);
  }

  /** What the board has to do now, between two stretches of running; {@link acted} says that it has. */
  get action(): BoardAction | undefined {
    return this.wait?.action;
  }

  /** Starts at virtual time `tNs`: leading `send` steps go out before the guest prints anything. */
  start(tNs: number): void {
    this.nowNs = tNs;
    this.resume();
  }

  /** Takes console output printed at virtual time `tNs`. */
  feed(console: string, data: Uint8Array | string, tNs: number): void {
    this.nowNs = tNs;
    this.textOf(console).feed(data, tNs);
  }

  /** Virtual time has come to `nowNs`. Not to be called from inside the machine: what follows may be a reset. */
  advance(nowNs: number): void {
    this.nowNs = Math.max(this.nowNs, nowNs);
    while (this.wait && !this.wait.action && this.nowNs >= this.deadlineNs) this.resume('due');
  }

  /** The {@link action} is done. */
  acted(nowNs: number): void {
    this.nowNs = nowNs;
    this.rebooted();
    this.resume('met');
  }

  /** The guest starts again: its shells are gone. */
  rebooted(): void {
    this.shell.forget();
  }

  /** Nothing more is printed: hands out lines without an end, and closes the results of the step that is not over. */
  finish(tNs: number): void {
    this.nowNs = Math.max(this.nowNs, tNs);
    for (const text of this.texts.values()) text.end();
    this.wait = undefined;
    this.script.return(undefined);
  }

  private *walk(): Script<void> {
    for (const [index, step] of this.steps.entries()) {
      this.current = index;
      const outcome = yield* this.oneStep(step, index);
      const goesOn = (step.on_fail ?? (step.test === undefined ? 'stop' : 'continue')) === 'continue';
      if (outcome.status === 'timeout' || (outcome.status === 'fail' && !goesOn)) {
        this.stepsEnd = { kind: outcome.status === 'timeout' ? 'step-timeout' : 'step-failed' };
        return;
      }
    }
    if (this.steps.length > 0) this.stepsEnd = { kind: 'steps-done' };
  }

  private *oneStep(step: Step, index: number): Script<Outcome> {
    const record = this.recordAt(index);
    const text = this.textOf(record.console);
    const firstLine = text.line;
    record.startNs = this.nowNs;
    record.lines = { first: firstLine, last: firstLine };
    this.stepDeadlineNs = step.timeout === undefined ? Infinity : this.nowNs + parseDuration(step.timeout);
    this.report(record);
    let outcome: Outcome;
    try {
      outcome = yield* this.perform(step, record);
    } catch (error) {
      if (!(error instanceof StepTimedOut)) throw error;
      outcome = { status: 'timeout', message: `It took longer than ${step.timeout ?? ''} of virtual time` };
    }
    this.stepDeadlineNs = Infinity;
    record.lines = { first: record.lines.first, last: Math.max(record.lines.first, text.line) };
    record.status = outcome.status;
    record.message = outcome.message;
    record.doneNs = this.nowNs;
    this.report(record);
    return outcome;
  }

  private *perform(step: Step, record: MutableRecord): Script<Outcome> {
    switch (record.kind) {
      case 'expect':
        return yield* this.expect(step, record);
      case 'send':
        this.options.send(record.console, step.send ?? '');
        return PASSED;
      case 'run':
      case 'test':
        return yield* this.runCommand(step, record);
      case 'wait':
        yield* this.until({ deadlineNs: this.nowNs + parseDuration(step.wait ?? '') });
        return PASSED;
      case 'reset':
        return yield* this.act({ kind: 'reset' });
      case 'power':
        return yield* this.act({ kind: 'power', action: step.power ?? 'cycle' });
      case 'upload':
        return yield* this.upload(step, record);
      case 'screenshot':
      case 'snapshot':
        return { status: 'fail', message: `This board cannot do that: ${record.kind}` };
    }
  }

  private *act(action: BoardAction): Script<Outcome> {
    yield* this.until({ deadlineNs: this.nowNs + PRESS_NS });
    yield* this.until({ action });
    return PASSED;
  }

  private *expect(step: Step, record: MutableRecord): Script<Outcome> {
    const pattern = this.expectations[record.index];
    if (!pattern || step.expect === undefined) return PASSED;
    const source = step.expect;
    const parser = this.parserFor(step, record);
    const { console } = record;
    // Once the kernel has printed into a line, a second search goes on in what the program prints.
    let userText = '';
    let resumed: ConsolePattern | undefined;
    pattern.reset();
    yield* this.withParser(parser, function* (this: StepEngine): Script<void> {
      yield* this.until({
        console,
        plain: (character) => pattern.push(character),
        user: (character) => {
          const found = resumed?.push(character) ?? false;
          if (character === '\n') resumed = undefined;
          userText = character === '\n' || userText.length >= MAX_OUTPUT_LENGTH ? '' : userText + character;
          return found;
        },
        intrusion: () => {
          resumed = new ConsolePattern(source);
          for (const character of userText) resumed.push(character);
        },
        userLine: (line) => (parser?.push(line), false),
        kernelLine: (line) => parser?.pushKernel?.(line),
      });
      if (!parser) return;
      // The line that ends it is a result perhaps: it is read to its end.
      yield* this.until({
        console,
        deadlineNs: this.nowNs + PROMPT_QUIET_NS,
        userLine: (line) => (parser.push(line), true),
      });
    });
    return step.format === undefined ? PASSED : verdictOfCases(record.cases);
  }

  private *runCommand(step: Step, record: MutableRecord): Script<Outcome> {
    const command = step.run ?? step.test ?? '';
    const pattern = this.expectations[record.index];
    const parser = step.test === undefined ? undefined : this.parserFor(step, record);
    let found = false;
    pattern?.reset();
    const status = yield* this.withParser(parser, function* (this: StepEngine) {
      return yield* this.shell.run(record, command, {
        character: (character) => {
          if (pattern && !found) found = pattern.push(character);
        },
        line: (line) => parser?.push(line),
        kernelLine: (line) => parser?.pushKernel?.(line),
      });
    });
    if (status === undefined) return { status: 'fail', message: 'U-Boot takes commands of one short line only' };
    record.exitStatus = status;
    const wanted = step.exit ?? 0;
    if (step.format === 'exit-code') {
      const testCase = exitCodeCase(record, status, wanted === 'any' ? 0 : wanted, this.nowNs);
      this.addCase(record, testCase);
      if (testCase.status === 'skip') return PASSED;
    }
    if (step.test !== undefined && step.format !== 'exit-code') {
      const verdict = verdictOfCases(record.cases);
      if (verdict.status !== 'pass') return verdict;
    }
    if (wanted !== 'any' && status !== wanted) {
      const although = record.cases.length > 0 && record.cases.every((each) => each.status === 'pass');
      const last = record.output?.trimEnd().split('\n').at(-1)?.slice(0, 300) ?? '';
      const text = `The command ended with exit status ${status}, not ${wanted}`;
      if (although) return { status: 'fail', message: `${text}, although every case passed` };
      return { status: 'fail', message: last === '' ? text : `${text}: ${last}` };
    }
    if (pattern && !found)
      return { status: 'fail', message: `Its output has no match for ${quoted(step.expect ?? '')}` };
    return PASSED;
  }

  private *upload(step: Step, record: MutableRecord): Script<Outcome> {
    const file = this.options.uploads?.get(step.upload ?? '');
    const path = step.to ?? '';
    if (!file) return { status: 'fail', message: `The file ${step.upload} was not given to this run` };
    const silent = { character: () => undefined, line: () => undefined };
    for (const command of writeFileCommands(file.bytes, path, step.mode)) {
      const status = yield* this.shell.run(record, command, silent);
      if (status === undefined) return { status: 'fail', message: 'U-Boot cannot write files' };
      if (status !== 0)
        return { status: 'fail', message: `The guest could not write ${path}: ${record.output?.trim()}` };
    }
    yield* this.shell.run(record, checkFileCommand(path), silent);
    const arrived = record.output?.trim().split(/\s/)[0] ?? '';
    if (arrived === file.sha256 || arrived === String(file.bytes.length)) return PASSED;
    return { status: 'fail', message: `${path} is not what was sent: the guest says ${JSON.stringify(arrived)}` };
  }

  /** Waits; the step's own time-out ends every wait. */
  private *until(wait: Wait): Script<Wake> {
    wait.deadlineNs ??= Infinity;
    const wake = yield wait;
    if (wake === 'due' && this.nowNs < (wait.deadlineNs ?? Infinity)) throw new StepTimedOut();
    return wake;
  }

  /** Whatever ends the script — its end, a time-out, the run — ends the parser too, so that no case is lost. */
  private *withParser<T>(parser: ResultParser | undefined, script: (this: StepEngine) => Script<T>): Script<T> {
    try {
      return yield* script.call(this);
    } finally {
      parser?.end(this.nowNs);
    }
  }

  private parserFor(step: Step, record: MutableRecord): ResultParser | undefined {
    if (step.format === undefined || step.format === 'exit-code') return undefined;
    return createResultParser(step.format, {
      startNs: this.nowNs,
      ...(step.pattern !== undefined && { pattern: step.pattern }),
      emit: (testCase) => this.addCase(record, testCase),
    });
  }

  private addCase(record: MutableRecord, testCase: TestCase): void {
    if (record.cases.length >= MAX_CASES) return;
    record.cases.push(testCase);
    this.report(record);
  }

  private resume(wake: Wake = 'met'): void {
    const next = this.script.next(wake);
    this.wait = next.done === true ? undefined : next.value;
  }

  private textOf(console: string): ConsoleText {
    const known = this.texts.get(console);
    if (known) return known;
    const heard = (test: (wait: Wait) => boolean | undefined): void => {
      const { wait } = this;
      if (wait && (wait.console ?? '') === console && test(wait) === true) this.resume();
    };
    const events: ConsoleTextEvents = {
      plain: (character) => heard((wait) => wait.plain?.(character)),
      user: (character) => heard((wait) => wait.user?.(character)),
      intrusion: () => heard((wait) => (wait.intrusion?.(), false)),
      userLine: (line) => heard((wait) => wait.userLine?.(line)),
      kernelLine: (line) => heard((wait) => (wait.kernelLine?.(line), false)),
      logLine: (line) => this.options.onLogLine?.(console, line),
    };
    const text = new ConsoleText(events);
    this.texts.set(console, text);
    return text;
  }

  private recordAt(index: number): MutableRecord {
    const record = this.records[index];
    if (!record) throw new RangeError(`There is no step ${index}`);
    return record;
  }

  private report(record: StepRecord): void {
    this.options.onStep?.(record);
  }
}

/** What a step is about, as the spec writes it: the pattern, text, command or action. */
export function wordsOf(step: Step): string {
  const text = step.run ?? step.test ?? step.expect ?? step.send ?? step.wait ?? step.power ?? step.screenshot;
  return text ?? step.upload ?? step.snapshot ?? '';
}

/** Shortest distance between console output and a deadline that a step may set when it sees it. */
function shortestWait(step: Step): number {
  const own = step.timeout === undefined ? Infinity : parseDuration(step.timeout);
  switch (verbOf(step)) {
    case 'run':
    case 'test':
    case 'upload':
      return Math.min(own, PROMPT_QUIET_NS);
    case 'expect':
      return step.format === undefined ? own : Math.min(own, PROMPT_QUIET_NS);
    case 'wait':
      return Math.min(own, parseDuration(step.wait ?? ''));
    case 'reset':
    case 'power':
      return PRESS_NS;
    case 'send':
    case 'screenshot':
    case 'snapshot':
      return own;
  }
}
