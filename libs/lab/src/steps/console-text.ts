import type { ConsoleLine } from '../results/test-case.js';
import { EscapeFilter } from './escape-filter.js';

/** What a console's text is made of, as it comes. */
export interface ConsoleTextEvents {
  /** A character, escape sequences left out, in the order printed. */
  plain(character: string, tNs: number): void;
  /** A character that programs printed: without what the kernel printed into the middle of their lines. */
  user(character: string, tNs: number): void;
  /** The kernel prints into the middle of a line; `user` characters of that line follow after its message. */
  intrusion?(): void;
  /** A line that programs printed is complete. */
  userLine(line: ConsoleLine): void;
  /** What the kernel printed into a program's line is complete. */
  kernelLine?(line: ConsoleLine): void;
  /** A line of the log is complete; of one that the kernel printed into, the kernel's part. */
  logLine(line: ConsoleLine): void;
}

// printk's time stamp, "[    1.234567]": seconds right-aligned in five columns, six decimals; before it the level where
// console_msg_format=syslog asks for it, "<6>" (kernel/printk/printk.c; Documentation/core-api/printk-basics.rst).
const STAMP = /^(?:<\d{1,3}>)?\[ *\d+\.\d{6}\]$/;
const STAMP_BEGINNING = /^(?:<\d{0,3}|(?:<\d{1,3}>)?(?:\[ {0,12}(?:\d{1,12}(?:\.\d{0,6})?)?)?)$/;
const mayBeginStamp = (character: string): boolean => character === '[' || character === '<';
// Log daemons print the kernel's messages too, stamp included, on lines of their own.
const LOG_DAEMON = /\bkernel: $/;
/** Longest line that is kept whole. A longer one of a program is cut into several; of the log and the kernel, the rest is dropped. */
const MAX_LINE_LENGTH = 16 * 1024;

/**
 * Makes text of a console's bytes. Characters are put together from UTF-8 however it was cut, escape sequences are
 * left out, lines are numbered, and the kernel's messages are told from the lines that they were printed into: the
 * kernel writes to the console whenever it likes, also in the middle of a program's line.
 */
export class ConsoleText {
  private readonly decoder = new TextDecoder('utf-8');
  private readonly escapes = new EscapeFilter();
  /** Characters that may become a time stamp. */
  private held = '';
  private kernelText: string | undefined;
  private logText = '';
  private programText = '';
  private programFirstLine = 1;
  private lineNumber = 1;
  private lastNs = 0;

  constructor(private readonly events: ConsoleTextEvents) {}

  /** Number of the line that is being printed. */
  get line(): number {
    return this.lineNumber;
  }

  /** What programs have printed of the line that is not complete yet. */
  get openLine(): string {
    return this.programText + this.held;
  }

  feed(data: Uint8Array | string, tNs: number): void {
    this.lastNs = tNs;
    const text = typeof data === 'string' ? data : this.decoder.decode(data, { stream: true });
    for (const character of text) if (this.escapes.keep(character)) this.push(character, tNs);
  }

  /** Hands out what is printed of a line without an end. */
  end(): void {
    this.release(this.lastNs);
    if (this.programText !== '') this.endProgramLine(this.lastNs);
    if (this.logText !== '' || this.kernelText !== undefined) this.endLogLine(this.lastNs);
  }

  private push(character: string, tNs: number): void {
    if (character !== '\n' && this.logText.length < MAX_LINE_LENGTH) this.logText += character;
    this.events.plain(character, tNs);
    if (this.kernelText !== undefined) {
      if (character !== '\n' && this.kernelText.length < MAX_LINE_LENGTH) this.kernelText += character;
    } else this.pushProgram(character, tNs);
    if (character === '\n') this.endLogLine(tNs);
  }

  private pushProgram(character: string, tNs: number): void {
    const candidate = this.held + character;
    if (this.held === '' ? mayBeginStamp(character) : STAMP_BEGINNING.test(candidate)) {
      this.held = candidate;
      return;
    }
    if (STAMP.test(candidate) && this.programText.trim() !== '' && !LOG_DAEMON.test(this.programText)) {
      this.held = '';
      this.kernelText = candidate;
      this.events.intrusion?.();
      return;
    }
    this.release(tNs);
    if (mayBeginStamp(character)) this.held = character;
    else this.program(character, tNs);
  }

  private release(tNs: number): void {
    const { held } = this;
    this.held = '';
    for (const character of held) this.program(character, tNs);
  }

  private program(character: string, tNs: number): void {
    if (this.programText === '') this.programFirstLine = this.lineNumber;
    if (character !== '\n') this.programText += character;
    this.events.user(character, tNs);
    if (character === '\n' || this.programText.length >= MAX_LINE_LENGTH) this.endProgramLine(tNs);
  }

  private endProgramLine(tNs: number): void {
    const text = trimReturns(this.programText);
    this.programText = '';
    this.events.userLine({ text, tNs, line: this.programFirstLine });
  }

  private endLogLine(tNs: number): void {
    const intruded = this.kernelText !== undefined;
    const line = { text: trimReturns(this.kernelText ?? this.logText), tNs, line: this.lineNumber };
    this.kernelText = undefined;
    this.logText = '';
    this.lineNumber += 1;
    if (intruded) this.events.kernelLine?.(line);
    this.events.logLine(line);
  }
}

/** Without the carriage returns around a line: "\r\n", "\r\r\n" and "\n\r" all end lines on serial consoles. */
export function trimReturns(text: string): string {
  let first = 0;
  let last = text.length;
  while (text[first] === '\r') first += 1;
  while (last > first && text[last - 1] === '\r') last -= 1;
  return text.slice(first, last);
}
