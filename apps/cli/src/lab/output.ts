import type { Writable } from 'node:stream';
import type { ResultCounts } from '@bootlab/lab';
import { ExitCode } from '../exit-codes.js';

/** Where a command prints: `live` is a terminal that may be rewritten. */
export interface Output {
  readonly out: Writable & { isTTY?: boolean; columns?: number };
  readonly live: boolean;
}

/** A terminal may be rewritten and coloured, unless something says that it is none for people. */
export function outputTo(out: Output['out'], env: Readonly<Record<string, string | undefined>>): Output {
  return { out, live: out.isTTY === true && !env['CI'] && env['TERM'] !== 'dumb' };
}

const CODES = { good: 32, bad: 31, warn: 33, bold: 1, dim: 2 } as const;

export const paint = (live: boolean, style: keyof typeof CODES, text: string): string =>
  live ? `\x1b[${CODES[style]}m${text}\x1b[0m` : text;

/** What comes from guests and other people must not steer the terminal it is shown on. */
export const printable = (text: string): string =>
  text.replace(/\p{Cc}/gu, (character) => (character === '\t' ? ' ' : '\ufffd'));

/** Columns padded to their widest cell; the last one is left as long as it is. */
export function columns(rows: readonly (readonly string[])[]): string {
  const widths = rows.reduce<number[]>((all, row) => row.map((cell, i) => Math.max(all[i] ?? 0, cell.length)), []);
  const line = (row: readonly string[]): string =>
    row
      .map((cell, i) => (i === row.length - 1 ? cell : cell.padEnd(widths[i] ?? 0)))
      .join('  ')
      .trimEnd();
  return rows.map((row) => `${line(row)}\n`).join('');
}

export function countsText(counts: ResultCounts): string {
  const words = (['pass', 'fail', 'error', 'skip'] as const).filter((outcome) => counts[outcome] > 0);
  return words.map((outcome) => `${counts[outcome]} ${outcome}`).join(', ');
}

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const;

/** 5242880 → "5.0 MiB" */
export function sizeText(bytes: number): string {
  let value = bytes;
  let unit = 0;
  for (; value >= 1024 && unit < UNITS.length - 1; unit++) value /= 1024;
  return `${unit === 0 ? value : value.toFixed(1)} ${UNITS[unit]}`;
}

/** 2026-01-31T12:34:56.789Z → "2026-01-31 12:34", in this host's time zone. */
export function timeText(iso: string): string {
  const time = new Date(iso);
  const two = (value: number): string => String(value).padStart(2, '0');
  const day = `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())}`;
  return `${day} ${two(time.getHours())}:${two(time.getMinutes())}`;
}

/** Prints something for programs to read. @returns the exit status */
export function printJson(value: unknown, { out }: Output): number {
  out.write(`${JSON.stringify(value, null, 2)}\n`);
  return ExitCode.pass;
}
