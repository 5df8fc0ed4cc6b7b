import type { Writable } from 'node:stream';
import {
  countCases,
  stepTitle,
  type KernelEvent,
  type RunReport,
  type StepRecord,
  type TestCase,
  type Verdict,
} from '@bootlab/lab';

/** Tells a person, or a log of continuous integration, how a job goes. */
export interface Reporter {
  job(title: string): void;
  step(record: StepRecord): void;
  kernel(event: KernelEvent): void;
  /** Virtual time goes on. */
  time(nowNs: number): void;
  /** Of the emulator: it got along, but somebody should know. */
  remark(text: string): void;
  end(verdict: Verdict, report: RunReport, wallMs: number): void;
}

const seconds = (ns: number): string => (ns / 1e9).toFixed(3);
const stamp = (ns: number): string => `[${seconds(ns).padStart(10)}]`;

/** Lines alone, one for each thing that has happened, never rewritten. */
export class LineReporter implements Reporter {
  private readonly told = new Map<number, number>();

  constructor(
    protected readonly out: Writable,
    protected readonly paint: Paint = PLAIN,
  ) {}

  job(title: string): void {
    this.told.clear();
    this.line(this.paint('bold', title));
  }

  step(record: StepRecord): void {
    // Cases are told as they come; what a guest printed goes out without control characters.
    for (const each of record.cases.slice(this.told.get(record.index) ?? 0)) this.line(caseLine(each, this.paint));
    this.told.set(record.index, record.cases.length);
    if (record.status === undefined || record.doneNs === undefined) return;
    const took = record.doneNs - (record.startNs ?? record.doneNs);
    const word = record.status === 'pass' ? this.paint('good', 'ok     ') : this.paint('bad', record.status.padEnd(7));
    const counts = record.cases.length > 0 ? `: ${countsText(record.cases)}` : '';
    this.line(`${stamp(record.doneNs)} ${word} ${printable(stepTitle(record))}${counts} (${seconds(took)} s)`);
    if (record.message !== undefined) this.line(`${' '.repeat(21)}${printable(record.message)}`);
  }

  kernel(event: KernelEvent): void {
    const where = `lines ${event.lines.first}-${event.lines.last} of ${event.console}`;
    this.line(
      `${stamp(event.startNs)} ${this.paint('bad', 'kernel ')} ${event.kind}: ${printable(event.title)} (${where})`,
    );
    for (const text of event.trace.split('\n')) this.line(`${' '.repeat(13)}| ${printable(text)}`);
  }

  time(nowNs: number): void {
    void nowNs; // a log does not need to know
  }

  remark(text: string): void {
    this.line(`bootlab: ${printable(text)}`);
  }

  end({ outcome, reason }: Verdict, { virtualNs, instructions }: RunReport, wallMs: number): void {
    const millions = Math.round(instructions / 1e6).toLocaleString('en-US');
    const figures = `${seconds(virtualNs)} s virtual, ${(wallMs / 1000).toFixed(2)} s wall, ${millions} M instructions`;
    const word = this.paint(outcome === 'pass' ? 'good' : 'bad', outcome);
    this.line(`${word}: ${printable(reason)} (${figures})`);
  }

  protected line(text: string): void {
    this.out.write(`${text}\n`);
  }
}

/** At a terminal: the step at hand on the last line, with its time running, until it is over. */
export class LiveReporter extends LineReporter {
  private current: StepRecord | undefined;
  private shown = false;

  constructor(
    out: Writable,
    private readonly columns: () => number,
  ) {
    super(out, colours);
  }

  override step(record: StepRecord): void {
    this.current = record.status === undefined ? record : undefined;
    super.step(record);
  }

  override time(nowNs: number): void {
    const { current } = this;
    if (!current) return;
    const cases = current.cases.length > 0 ? `, ${countsText(current.cases)}` : '';
    const text = `${stamp(nowNs)} ...     ${printable(stepTitle(current))}${cases}`;
    this.out.write(`\r\x1b[2K${text.slice(0, Math.max(20, this.columns() - 1))}`);
    this.shown = true;
  }

  protected override line(text: string): void {
    if (this.shown) this.out.write('\r\x1b[2K');
    this.shown = false;
    super.line(text);
  }
}

type Paint = (style: 'good' | 'bad' | 'bold', text: string) => string;
const PLAIN: Paint = (_, text) => text;
const CODES = { good: 32, bad: 31, bold: 1 } as const;
const colours: Paint = (style, text) => `\x1b[${CODES[style]}m${text}\x1b[0m`;

function caseLine({ path, status, message }: TestCase, paint: Paint): string {
  const word = status === 'pass' || status === 'skip' ? status.padEnd(5) : paint('bad', status.padEnd(5));
  const why = status === 'fail' || status === 'error' ? (message ?? '').split('\n', 1)[0] : '';
  return `${' '.repeat(13)}${word} ${printable(path.join('/'))}${why ? `: ${printable(why)}` : ''}`;
}

function countsText(cases: readonly TestCase[]): string {
  const counts = countCases(cases);
  const words = (['pass', 'fail', 'error', 'skip'] as const).filter((status) => counts[status] > 0);
  return words.map((status) => `${counts[status]} ${status}`).join(', ');
}

/** What a guest printed must not steer the terminal it is shown on. */
function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, (character) => (character === '\t' ? ' ' : '\ufffd'));
}
