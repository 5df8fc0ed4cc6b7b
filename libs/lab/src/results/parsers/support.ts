import { clipMessage, type CaseSink, type CaseStatus, type ConsoleLine, type Measurement } from '../test-case.js';

export interface ParserOptions {
  /** Virtual time at which the output begins. */
  readonly startNs: number;
  readonly emit: CaseSink;
  /** For the format `regex`. */
  readonly pattern?: string;
}

// printk's prefix, as in kernel/kernel-watch.ts; what follows the one space after it is the message's own indentation.
const KERNEL_PREFIX = /^(?:<\d{1,3}>)?\[ *\d+\.\d{6}\](?:\[ *[TC]\d+\])? ?/;

/** A message without the kernel's time stamp. */
export const withoutStamp = (text: string): string => text.replace(KERNEL_PREFIX, '');

export const secondsToNs = (text: string | undefined): number | undefined => {
  const seconds = Number(text?.replaceAll(',', ''));
  return text !== undefined && text !== '' && Number.isFinite(seconds) && seconds >= 0
    ? Math.round(seconds * 1e9)
    : undefined;
};

interface CaseFacts {
  readonly path: readonly string[];
  readonly status: CaseStatus;
  readonly message?: string | undefined;
  /** What the tool measured itself. */
  readonly durationNs?: number | undefined;
  /** Where it began, if that is known; else where the case before it ended. */
  readonly began?: ConsoleLine | undefined;
  readonly measurement?: Measurement | undefined;
}

/** Makes cases of what a parser finds, with times and lines from the console where the tool gives none. */
export class Cases {
  private lastNs: number;
  private count = 0;

  constructor(private readonly options: ParserOptions) {
    this.lastNs = options.startNs;
  }

  get any(): boolean {
    return this.count > 0;
  }

  add(line: ConsoleLine, { path, status, message, durationNs, began, measurement }: CaseFacts): void {
    const startNs = began?.tNs ?? this.lastNs;
    this.count += 1;
    this.lastNs = line.tNs;
    this.options.emit({
      path: path.length > 0 ? path : ['unnamed'],
      status,
      message: message === undefined ? undefined : clipMessage(message),
      startNs,
      durationNs: durationNs ?? Math.max(0, line.tNs - startNs),
      lines: { first: began?.line ?? line.line, last: line.line },
      ...(measurement && { measurement }),
    });
  }
}

const MAX_LINES = 200;

/** The lines that may explain a result, the last ones if there are many. */
export class Explanation {
  private lines: string[] = [];

  push(text: string): void {
    this.lines.push(text);
    if (this.lines.length > MAX_LINES) this.lines.shift();
  }

  take(): string | undefined {
    const text = this.lines.join('\n');
    this.lines = [];
    return text.trim() === '' ? undefined : text;
  }
}
