import { describe, expect, it } from '@jest/globals';
import {
  formatAgo,
  formatBytes,
  formatCount,
  formatDurationMs,
  formatDurationNs,
  formatVirtualTimestamp,
  shortDigest,
} from './format.js';

describe('formatBytes', () => {
  it.each([
    [0, '0 B'],
    [1023, '1023 B'],
    [1024, '1 KiB'],
    [4_962_680, '4.73 MiB'],
    [268_435_456, '256 MiB'],
    [2 ** 31, '2 GiB'],
  ])('%d → %s', (bytes, text) => expect(formatBytes(bytes)).toBe(text));
});

describe('formatCount', () => {
  it.each([
    [999, '999'],
    [150e6, '150 M'],
    [4.29e9, '4.29 G'],
  ])('%d → %s', (count, text) => expect(formatCount(count)).toBe(text));
});

describe('durations', () => {
  it.each([
    [0, '0 s'],
    [0.25, '250 µs'],
    [812, '812 ms'],
    [4440, '4.44 s'],
    [59_960, '60.0 s'],
    [83_210, '1 m 23 s'],
    [3_725_000, '1 h 02 m'],
  ])('%d ms → %s', (ms, text) => expect(formatDurationMs(ms)).toBe(text));

  it('takes nanoseconds', () => expect(formatDurationNs(1_500_000_000)).toBe('1.50 s'));
});

describe('formatVirtualTimestamp', () => {
  it('looks like a kernel log’s', () => expect(formatVirtualTimestamp(12_345_678_901)).toBe('   12.345678'));
});

describe('formatAgo', () => {
  const now = new Date('2026-01-10T12:00:00Z');
  it.each([
    [3, 'just now'],
    [42, '42 s ago'],
    [300, '5 min. ago'],
    [2 * 3600, '2 hr. ago'],
    [30 * 86_400, '11 Dec 2025'],
  ])('%d s ago → %s', (seconds, text) => {
    expect(formatAgo(new Date(now.getTime() - seconds * 1000), now)).toBe(text);
  });
});

it('shortDigest keeps what tells images apart', () => {
  expect(shortDigest('8d55a91d434e1a8fa7b9322ecfa3f70b')).toBe('8d55a91d434e');
});
