// Which row of the log page shows what: lines, and above the lines of each step a heading that folds them away. A log
// may have a million lines, so nothing here is as long as the log but the log itself.
import type { LogLine } from '../console/log-lines.js';
import type { JobStep } from '../api/types.js';

export type LogRow = { kind: 'line'; index: number } | { kind: 'step'; step: JobStep; folded: boolean; lines: number };

interface Section {
  /** Undefined: what was printed before the first step. */
  step: JobStep | undefined;
  /** Of the first line, in the lines that are shown. */
  first: number;
  lines: number;
  folded: boolean;
  /** Row of the heading, or of the first line where there is none. */
  row: number;
}

export class LogRows {
  private readonly sections: Section[] = [];
  readonly count: number;

  /**
   * @param lines those that are shown: of one console when they are folded by step
   * @param steps of that console, none when there is nothing to fold
   * @param folded indices of the steps whose lines are folded away
   */
  constructor(
    private readonly lines: readonly LogLine[],
    steps: readonly JobStep[],
    folded: ReadonlySet<number>,
  ) {
    const begun = steps.flatMap((step) => (step.lines ? [{ step, first: this.indexOf(step.lines.first) }] : []));
    begun.sort((a, b) => a.first - b.first || a.step.index - b.step.index);
    const starts = [{ step: undefined, first: 0 }, ...begun];
    let row = 0;
    starts.forEach(({ step, first }, index) => {
      const count = (starts[index + 1]?.first ?? lines.length) - first;
      if (!step && count === 0) return;
      const section = { step, first, lines: count, folded: step !== undefined && folded.has(step.index), row };
      this.sections.push(section);
      row += (step ? 1 : 0) + (section.folded ? 0 : count);
    });
    this.count = row;
  }

  /** What a row shows. */
  at(row: number): LogRow | undefined {
    const section = this.sections[last(this.sections, (each) => each.row <= row)];
    if (!section || row >= this.count) return undefined;
    const { step, folded, lines } = section;
    if (!step) return { kind: 'line', index: section.first + row - section.row };
    if (row === section.row) return { kind: 'step', step, folded, lines };
    return { kind: 'line', index: section.first + row - section.row - 1 };
  }

  /** The row of a line; of its step's heading when it is folded away. */
  rowOf(index: number): number {
    // A step without lines begins where the next one does: the last that begins there has the line.
    const section = this.sections[last(this.sections, (each) => each.first <= index)];
    if (!section) return 0;
    if (section.folded) return section.row;
    return section.row + (section.step ? 1 : 0) + index - section.first;
  }

  /** Index of the line with this number, or of the first after it. */
  indexOf(number: number): number {
    return last(this.lines, (line) => line.number < number) + 1;
  }
}

/** No browser lays out elements of any height: Firefox ends before 18 million pixels, Chromium before 34. */
const TALLEST_PX = 15_000_000;

/** Where in a long content one is who has scrolled an element that is not as tall. */
export class ScrollScale {
  /** Height of the element that is scrolled. */
  readonly scrolledPx: number;
  private readonly factor: number;

  constructor(contentPx: number, viewPx: number) {
    this.scrolledPx = Math.min(contentPx, TALLEST_PX);
    this.factor = contentPx <= TALLEST_PX ? 1 : (contentPx - viewPx) / (this.scrolledPx - viewPx);
  }

  contentAt(scrollTop: number): number {
    return scrollTop * this.factor;
  }

  /** Never above the content's beginning; the browser itself stops at the end. */
  scrollTo(contentTop: number): number {
    return Math.max(0, contentTop) / this.factor;
  }
}

/** Index of the last element that has a property which all before it have too; -1 when none has. */
function last<T>(items: readonly T[], has: (item: T) => boolean): number {
  let low = -1;
  let high = items.length;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    const item = items[middle];
    if (item !== undefined && has(item)) low = middle;
    else high = middle;
  }
  return low;
}

export type LogLevel = 'error' | 'warning' | 'plain';

// Levels of printk (console_msg_format=syslog: "<3>"), and the words that kernels and test tools use.
const ERROR = /\b(?:panic|oops|bug:|fatal|segfault|unable to handle|call trace|not ok|\[?fail(?:ed)?\]?|error)\b/i;
const WARNING = /\b(?:warn(?:ing)?|deprecated|timed out|timeout)\b/i;
// What a line must contain for these to find anything: of hardly any line the expression itself is needed, which takes
// a hundred times as long.
const ERROR_PARTS = 'panic|oops|bug:|fatal|segfault|unable to handle|call trace|not ok|fail|error'.split('|');
const WARNING_PARTS = ['warn', 'deprecated', 'timed out', 'timeout'];
const PRINTK_LEVEL = /^<([0-4])>/;

/** How bad a line looks, for its colour. */
export function levelOf(text: string): LogLevel {
  const printk = text.startsWith('<') ? PRINTK_LEVEL.exec(text)?.[1] : undefined;
  if (printk !== undefined && printk < '4') return 'error';
  const lower = text.toLowerCase();
  const has = (parts: readonly string[]): boolean => parts.some((part) => lower.includes(part));
  if (has(ERROR_PARTS) && ERROR.test(text)) return 'error';
  return printk !== undefined || (has(WARNING_PARTS) && WARNING.test(text)) ? 'warning' : 'plain';
}

/** A link's address of lines, "120" or "120-135"; undefined when it is none. */
export function parseLineRange(text: string | null): { first: number; last: number } | undefined {
  const match = /^(\d{1,9})(?:-(\d{1,9}))?$/.exec(text ?? '');
  if (!match) return undefined;
  const first = Number(match[1]);
  return { first, last: Math.max(first, Number(match[2] ?? first)) };
}

/** The address of lines of a job's log. */
export function logLink(jobId: string, console: string, lines: { first: number; last: number }): string {
  const range = lines.last > lines.first ? `${lines.first}-${lines.last}` : String(lines.first);
  return `/jobs/${jobId}/log?console=${encodeURIComponent(console)}&line=${range}`;
}
