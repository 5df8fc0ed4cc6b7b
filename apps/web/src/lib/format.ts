// Numbers, sizes, durations and dates as the pages show them. Every function says its unit in its name.

const SIZE_UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const;

/** 5242880 → "5 MiB"; three significant digits at most. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < SIZE_UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${trimZeros(value, unit === 0 ? 0 : 3)} ${SIZE_UNITS[unit]}`;
}

const COUNT_UNITS = ['', ' k', ' M', ' G', ' T', ' P'] as const;

/** 4290000000 → "4.29 G". */
export function formatCount(count: number): string {
  let value = count;
  let unit = 0;
  while (value >= 1000 && unit < COUNT_UNITS.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${trimZeros(value, unit === 0 ? 0 : 3)}${COUNT_UNITS[unit]}`;
}

function trimZeros(value: number, significantDigits: number): string {
  if (significantDigits === 0 || value >= 100) return String(Math.round(value));
  return String(Number(value.toPrecision(significantDigits)));
}

/** 83210 → "1 m 23 s"; below a minute with decimals, below a second in milliseconds. */
export function formatDurationMs(ms: number): string {
  if (ms === 0) return '0 s';
  if (ms < 1) return `${trimZeros(ms * 1000, 3)} µs`;
  if (ms < 1000) return `${Math.round(ms)} ms`;
  const seconds = ms / 1000;
  if (seconds < 60) return `${seconds.toFixed(seconds < 10 ? 2 : 1)} s`;
  const whole = Math.floor(seconds);
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor((whole % 3600) / 60);
  const rest = String(whole % 60).padStart(2, '0');
  if (hours === 0) return `${minutes} m ${rest} s`;
  return `${hours} h ${String(minutes).padStart(2, '0')} m`;
}

export function formatDurationNs(ns: number): string {
  return formatDurationMs(ns / 1e6);
}

/** Virtual time the way kernel logs print it: seconds with microseconds, at least five digits wide before the point. */
export function formatVirtualTimestamp(ns: number): string {
  const us = Math.floor(ns / 1000);
  const seconds = Math.floor(us / 1e6);
  return `${String(seconds).padStart(5, ' ')}.${String(us % 1e6).padStart(6, '0')}`;
}

const RELATIVE = new Intl.RelativeTimeFormat('en', { numeric: 'auto', style: 'short' });
const RELATIVE_STEPS: readonly [limitSeconds: number, unit: Intl.RelativeTimeFormatUnit, seconds: number][] = [
  [3600, 'minute', 60],
  [86_400, 'hour', 3600],
  [7 * 86_400, 'day', 86_400],
];

/** "just now", "5 min. ago", "yesterday", then the date. */
export function formatAgo(date: Date, now: Date): string {
  const seconds = Math.max(0, (now.getTime() - date.getTime()) / 1000);
  if (seconds < 10) return 'just now';
  if (seconds < 60) return `${Math.floor(seconds)} s ago`;
  for (const [limit, unit, size] of RELATIVE_STEPS) {
    if (seconds < limit) return RELATIVE.format(-Math.floor(seconds / size), unit);
  }
  return date.toLocaleDateString('en-GB', { day: 'numeric', month: 'short', year: 'numeric' });
}

export function formatDateTime(date: Date): string {
  return date.toLocaleString('en-GB', { dateStyle: 'medium', timeStyle: 'medium' });
}

/** The first 12 of 64 hex digits: enough to tell images apart at a glance; the full digest stays copyable. */
export function shortDigest(sha256: string): string {
  return sha256.slice(0, 12);
}
