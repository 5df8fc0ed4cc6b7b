/**
 * Sizes and durations as people write them in a job spec. Each parser either returns a plain number in the unit its
 * name says, or throws a `UnitError` whose message says what was wrong and whose `mend` says what to write instead.
 */
export class UnitError extends Error {
  override readonly name = 'UnitError';

  constructor(
    message: string,
    readonly mend: string,
  ) {
    super(message);
  }
}

/** What a size looks like, for those who check only that. */
export const SIZE_PATTERN = String.raw`^\s*(\d{1,12})([KMGkmg])(?:[iI]?[bB])?\s*$`;
const SIZE = new RegExp(SIZE_PATTERN);
const SIZE_FACTORS: Readonly<Record<string, number>> = { K: 2 ** 10, M: 2 ** 20, G: 2 ** 30 };
const SIZE_MEND = 'Write a whole number with a binary unit: 65536K, 256M or 1G.';

/** "256M" → 268435456. K, M and G are powers of 1024; a bare number is refused because tools disagree on its unit. */
export function parseSize(text: string): number {
  const match = SIZE.exec(text);
  const factor = SIZE_FACTORS[match?.[2]?.toUpperCase() ?? ''];
  if (!match?.[1] || factor === undefined) throw new UnitError(`"${text}" is not a size`, SIZE_MEND);
  const bytes = Number(match[1]) * factor;
  if (bytes === 0) throw new UnitError('A size of zero makes no sense here', SIZE_MEND);
  if (!Number.isSafeInteger(bytes)) throw new UnitError(`"${text}" is too large`, SIZE_MEND);
  return bytes;
}

/** 268435456 → "256M"; the largest binary unit that divides the size, or bytes when none does. */
export function formatSize(bytes: number): string {
  for (const [unit, factor] of [
    ['G', 2 ** 30],
    ['M', 2 ** 20],
    ['K', 2 ** 10],
  ] as const) {
    if (bytes >= factor && bytes % factor === 0) return `${bytes / factor}${unit}`;
  }
  return `${bytes} bytes`;
}

const NS_PER: Readonly<Record<string, number>> = { ns: 1, us: 1e3, ms: 1e6, s: 1e9, m: 60e9, h: 3600e9 };
const DURATION_MEND = 'Write a number with a unit, or several: 500ms, 90s, 5m, 1h30m.';
const PART = String.raw`(\d{1,9}(?:\.\d{1,3})?)(ns|us|ms|s|m|h)`;
const DURATION_PART = new RegExp(PART, 'gy');
/** What a duration looks like, for those who check only that. */
export const DURATION_PATTERN = String.raw`^\s*(${PART})+\s*$`;

/** "1h30m" → 5.4e12 nanoseconds. Always a positive safe integer. */
export function parseDuration(text: string): number {
  const source = text.trim();
  let ns = 0;
  let position = 0;
  DURATION_PART.lastIndex = 0;
  for (let part = DURATION_PART.exec(source); part !== null; part = DURATION_PART.exec(source)) {
    ns += Number(part[1]) * (NS_PER[part[2] ?? ''] ?? NaN);
    position = DURATION_PART.lastIndex;
  }
  if (position === 0 || position !== source.length) throw new UnitError(`"${text}" is not a duration`, DURATION_MEND);
  const whole = Math.round(ns);
  if (whole <= 0) throw new UnitError('A duration of zero makes no sense here', DURATION_MEND);
  if (!Number.isSafeInteger(whole)) throw new UnitError(`"${text}" is too long`, DURATION_MEND);
  return whole;
}

/** 5.4e12 → "1h30m"; sub-second rests become ms, us or ns. */
export function formatDuration(ns: number): string {
  let rest = Math.max(0, Math.round(ns));
  if (rest === 0) return '0s';
  let text = '';
  for (const unit of ['h', 'm', 's', 'ms', 'us', 'ns']) {
    const factor = NS_PER[unit] ?? 1;
    const count = Math.floor(rest / factor);
    if (count > 0) text += `${count}${unit}`;
    rest -= count * factor;
  }
  return text;
}
