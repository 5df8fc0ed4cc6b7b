import type { Accel, ClockMode } from '@bootlab/emulator';
import type { Step } from '@bootlab/lab';
import { ConsolePattern, parseDuration, parseSize, PatternError, UnitError } from '@bootlab/lab';
import { InvalidArgumentError } from 'commander';
import { unescapeText } from './escapes.js';

/** `bootlab boot` as it was called: every value parsed, no file opened yet. */
export interface BootOptions {
  board: string;
  cpu?: string;
  memoryBytes?: number;
  kernel?: string;
  initrd?: string;
  /** A file, or `selftest` for the self-test that comes with the board. */
  firmware?: string;
  byteOrder?: 'little' | 'big';
  cmdline?: string;
  drives: string[];
  rtcStartSeconds?: number;
  /** `--expect` and `--send` in the order given. */
  steps: Step[];
  /** Virtual time. */
  timeoutNs?: number;
  /** Host time. */
  wallGuardMs?: number;
  clock?: ClockMode;
  accel?: Accel;
  jitThreshold?: number;
  /** False: translations of earlier runs are not used, and none are kept. */
  cache?: boolean;
  stats?: string;
  /** Where the flame graph goes. */
  profile?: string;
  /** Names for it: an ELF file or a System.map. Default: the kernel's or firmware's own. */
  symbols?: string;
  log?: string;
}

/** Wraps a parser so that what it throws becomes commander's complaint about that option. */
function argument<T>(parse: (text: string) => T): (text: string) => T {
  return (text) => {
    try {
      return parse(text);
    } catch (error) {
      if (error instanceof UnitError || error instanceof PatternError) {
        throw new InvalidArgumentError(`${error.message}. ${error.mend}`);
      }
      if (error instanceof RangeError) throw new InvalidArgumentError(error.message);
      throw error;
    }
  };
}

export const sizeArgument = argument(parseSize);
export const durationArgument = argument(parseDuration);

export const countArgument = argument((text): number => {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= 1) return value;
  throw new RangeError('Write a whole number from 1.');
});

export const expectArgument = argument((text): Step => {
  new ConsolePattern(text); // throws on a bad pattern
  return { expect: text };
});

export const sendArgument = argument((text): Step => {
  if (text === '') throw new RangeError('There is nothing to send. Write the text to type into the console.');
  return { send: unescapeText(text) };
});

const RTC_MEND = 'Write an ISO date and time (2026-01-31 or 2026-01-31T12:00:00Z), Unix seconds, or now.';

/** Unix seconds from what `--rtc` takes; a date without a zone is UTC, whatever this host's zone. */
export const rtcArgument = argument((text): number => {
  if (text === 'now') return Math.floor(Date.now() / 1000);
  if (/^\d{1,11}$/.test(text)) return Number(text);
  const match = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d)?(Z|[+-]\d\d:\d\d)?)?$/.exec(text);
  const withZone = match?.[1] !== undefined && match[3] === undefined ? `${text}Z` : text;
  const milliseconds = match ? Date.parse(withZone) : NaN;
  if (Number.isNaN(milliseconds)) throw new RangeError(`"${text}" is not a time. ${RTC_MEND}`);
  return Math.floor(milliseconds / 1000);
});
