import type { ConsoleLine, LineRange } from '../test-case.js';
import type { KernelEventKind } from './kinds.js';
import { CUT_HERE, isTraceLine, RULE, SIGNATURES, TRACE_END } from './signatures.js';

/** Something that went wrong in the guest's kernel, with all that it printed about it. */
export interface KernelEvent {
  readonly kind: KernelEventKind;
  /** The line that names it. */
  readonly title: string;
  readonly console: string;
  readonly startNs: number;
  readonly endNs: number;
  readonly lines: LineRange;
  /** The trace as printed, time stamps included. */
  readonly trace: string;
}

/** Virtual time without a line of the kernel after which a trace is over: far longer than a UART takes for a line. */
export const KERNEL_QUIET_NS = 1e9;
const MAX_TRACE_LINES = 1000;
/** In characters. A kernel prints a hundred of them to a line; a guest that means harm, as many as it likes. */
const MAX_TRACE_LENGTH = 256 * 1024;
// Lines that can be none of a trace, in a row, after which it is over: other CPUs may print between its lines.
const MAX_STRANGE_LINES = 6;
// A trap's own message comes at most this many lines after the one that began the trace ("kernel BUG at" → "Oops").
const SAME_INCIDENT_LINES = 30;
// Lines between a "cut here" and the line that says what it is about (a warning's own text).
const MAX_CUT_LINES = 4;
const MAX_EVENTS = 1000;

// printk's prefix: log level, time stamp, caller (Documentation/admin-guide/kernel-parameters.txt: printk.time;
// CONFIG_PRINTK_CALLER).
const PREFIX = /^(?:<\d{1,3}>)?(?:\[ *(\d+\.\d{6})\])? ?(?:\[ *[TC]\d+\] ?)?/;

interface OpenTrace {
  kind: KernelEventKind;
  title: string;
  /** The kernel's own time of the title, seconds; undefined where it stamps nothing. */
  stamp: number | undefined;
  startNs: number;
  endNs: number;
  firstLine: number;
  lastLine: number;
  /** All lines; those after `length` may still turn out not to belong to it. */
  text: string[];
  length: number;
  /** Characters in all lines. */
  characters: number;
  strange: number;
}

/** Watches one console for what goes wrong in a Linux kernel, and cuts out the traces. */
export class KernelWatch {
  private trace: OpenTrace | undefined;
  /** A "cut here", what followed it, and how long the open trace was before it. */
  private cut: { lines: ConsoleLine[]; length: number; lastLine: number } | undefined;
  private stamps = false;
  private readonly seen = new Set<string>();
  private eventCount = 0;

  /** @param emit takes each event when its trace is complete */
  constructor(
    private readonly console: string,
    private readonly emit: (event: KernelEvent) => void,
  ) {}

  /** Whether a trace is being printed. */
  get open(): boolean {
    return this.trace !== undefined;
  }

  /** Virtual time at which the open trace is over if nothing more is printed. */
  get deadlineNs(): number {
    return this.trace ? this.trace.endNs + KERNEL_QUIET_NS : Infinity;
  }

  push(line: ConsoleLine): void {
    this.advance(line.tNs);
    const prefix = PREFIX.exec(line.text);
    const text = line.text.slice(prefix?.[0].length ?? 0);
    const stamp = prefix?.[1] === undefined ? undefined : Number(prefix[1]);
    const stamped = stamp !== undefined;
    this.stamps ||= stamped;
    // A kernel that stamps its messages stamps all of them: the rest is what programs print.
    if (this.stamps && !stamped) return;
    const kind = SIGNATURES.find(({ pattern }) => pattern.test(text))?.kind;
    if (kind !== undefined && !this.isReplay(stamped, line.text) && !this.belongs(kind))
      this.begin(kind, text, stamp, line);
    else {
      this.noticeCut(text, line);
      if (this.trace) this.extend(this.trace, text, stamp, line);
    }
  }

  /** Lets virtual time pass. */
  advance(nowNs: number): void {
    if (nowNs >= this.deadlineNs) this.close();
  }

  /** Nothing more is printed: what is open ends here. */
  end(): void {
    this.close();
  }

  /** `dmesg` prints everything again, time stamps included. */
  private isReplay(stamped: boolean, text: string): boolean {
    if (!stamped) return false;
    if (this.seen.has(text)) return true;
    if (this.seen.size < MAX_EVENTS) this.seen.add(text);
    return false;
  }

  /** Whether this is another message of the incident whose trace is open. */
  private belongs(kind: KernelEventKind): boolean {
    const { trace } = this;
    if (!trace || kind === 'kernel-panic') return false;
    if (trace.text.length > SAME_INCIDENT_LINES) return false;
    if (kind === 'oops') return trace.kind === 'oops' || trace.kind === 'bug' || trace.kind === 'kasan';
    // A page fault that KASAN explains; "rcu: INFO" followed by its own details; OOM with several tasks.
    return kind === 'bug' && trace.kind === 'oops';
  }

  private begin(kind: KernelEventKind, title: string, stamp: number | undefined, line: ConsoleLine): void {
    const { cut } = this;
    if (cut && this.trace) Object.assign(this.trace, { length: cut.length, lastLine: cut.lastLine });
    this.close();
    this.cut = undefined;
    const lines = [...(cut?.lines ?? []), line];
    this.trace = {
      kind,
      title: title.slice(0, 500),
      stamp,
      startNs: lines[0]?.tNs ?? line.tNs,
      endNs: line.tNs,
      firstLine: lines[0]?.line ?? line.line,
      lastLine: line.line,
      text: lines.map((each) => each.text),
      length: lines.length,
      characters: lines.reduce((sum, each) => sum + each.text.length, 0),
      strange: 0,
    };
  }

  private extend(trace: OpenTrace, text: string, stamp: number | undefined, line: ConsoleLine): void {
    trace.text.push(line.text);
    trace.characters += line.text.length;
    // What is older than the title is dmesg's, or another kernel's.
    const older = stamp !== undefined && trace.stamp !== undefined && stamp < trace.stamp;
    if (!older && isTraceLine(text)) {
      trace.length = trace.text.length;
      trace.lastLine = line.line;
      trace.endNs = line.tNs;
      trace.strange = 0;
    } else trace.strange += 1;
    if (TRACE_END.test(text) || (isRuled(trace.kind) && RULE.test(text))) {
      trace.length = trace.text.length;
      trace.lastLine = line.line;
      this.close();
    } else if (trace.strange >= MAX_STRANGE_LINES || isLong(trace)) this.close();
  }

  private noticeCut(text: string, line: ConsoleLine): void {
    const isEnd = this.trace !== undefined && isRuled(this.trace.kind) && RULE.test(text);
    if (CUT_HERE.test(text) && !isEnd) {
      this.cut = { lines: [line], length: this.trace?.length ?? 0, lastLine: this.trace?.lastLine ?? 0 };
    } else if (this.cut && this.cut.lines.push(line) > MAX_CUT_LINES) this.cut = undefined;
  }

  private close(): void {
    const { trace } = this;
    this.trace = undefined;
    if (!trace || this.eventCount >= MAX_EVENTS) return;
    this.eventCount += 1;
    this.emit({
      kind: trace.kind,
      title: trace.title,
      console: this.console,
      startNs: trace.startNs,
      endNs: trace.endNs,
      lines: { first: trace.firstLine, last: trace.lastLine },
      trace: trace.text.slice(0, trace.length).join('\n'),
    });
  }
}

const isLong = ({ text, characters }: OpenTrace): boolean =>
  text.length >= MAX_TRACE_LINES || characters >= MAX_TRACE_LENGTH;

/** Whether a rule ends the report as it began it. */
const isRuled = (kind: KernelEventKind): boolean => kind === 'kasan' || kind === 'ubsan';
