import { describe, expect, it } from '@jest/globals';
import { formatDuration, formatSize, parseDuration, parseSize, UnitError } from './units.js';

describe('parseSize', () => {
  it.each([
    ['256M', 268_435_456],
    ['1G', 1_073_741_824],
    ['65536k', 67_108_864],
    ['64MiB', 67_108_864],
  ])('reads %s', (text, bytes) => expect(parseSize(text)).toBe(bytes));

  it.each(['', '256', 'M', '-1M', '1.5G', '0M', '99999999999G', '1T'])('refuses %j and says what to write', (text) => {
    const error = captured(() => parseSize(text));
    expect(error.mend).toContain('256M');
  });
});

describe('parseDuration', () => {
  it.each([
    ['500ms', 5e8],
    ['90s', 9e10],
    ['1h30m', 5.4e12],
    ['1.5s', 1.5e9],
  ])('reads %s', (text, ns) => expect(parseDuration(text)).toBe(ns));

  it.each(['', '5', '5 minutes', 'm5', '0s', '-5s', '1h-1m'])('refuses %j and says what to write', (text) => {
    expect(captured(() => parseDuration(text)).mend).toContain('5m');
  });
});

it('formats what it parses', () => {
  expect(formatSize(parseSize('256M'))).toBe('256M');
  expect(formatDuration(parseDuration('90s'))).toBe('1m30s');
  expect(formatDuration(1_500_000)).toBe('1ms500us');
});

function captured(run: () => unknown): UnitError {
  try {
    run();
  } catch (error) {
    if (error instanceof UnitError) return error;
  }
  throw new Error('expected a UnitError');
}
