import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { ConsoleText } from '../../steps/console-text.js';
import type { TestCase } from '../test-case.js';
import { createResultParser, type ParsedFormat } from './index.js';

// samples/: output of test tools, and beside each what is to be read out of it. Its README says where they come from.
// BOOTLAB_WRITE_SAMPLES=1 writes the expected files anew; read the difference before it is committed.

const SAMPLES = path.join(import.meta.dirname, 'samples');
const FORMATS: Readonly<Record<string, ParsedFormat>> = {
  'kunit.log': 'kunit',
  'kunit-captured.log': 'kunit',
  'ltp-captured.log': 'ltp',
  'ztest-captured.log': 'ztest',
  'lava-captured.log': 'lava-signal',
  'kselftest.log': 'kselftest',
  'kselftest-captured.log': 'kselftest',
  'tap14.log': 'tap',
  'test-more.log': 'tap',
  'node-test.log': 'tap',
  'tap13-broken.log': 'tap',
  'ltp-pan.log': 'ltp',
  'ltp-kirk.log': 'ltp',
  'ltp-table.log': 'ltp',
  'ktap-odd.log': 'ktap',
  'lava.log': 'lava-signal',
  'junit.log': 'junit',
  'junit-entities.log': 'junit',
  'junit-cut.log': 'junit',
  'gtest.log': 'gtest',
  'gtest-crash.log': 'gtest',
  'gtest-captured.log': 'gtest',
  'junit-gtest.log': 'junit',
  'ctest.log': 'ctest',
  'pytest.log': 'pytest',
  'pytest-quiet.log': 'pytest',
  'u-boot-ut.log': 'u-boot-ut',
  'u-boot-ut-captured.log': 'u-boot-ut',
  'u-boot-ut-time-captured.log': 'u-boot-ut',
  'ztest.log': 'ztest',
  'regex.log': 'regex',
};
const PATTERN = '^selftest: (?P<name>\\w+) \\.\\.\\. (?P<status>\\w+)(?: \\((?P<message>.*)\\))?';

const NS_PER_BYTE = 1000;

/** Reads results out of console output, byte after byte, a microsecond each. */
function parse(format: ParsedFormat, chunks: readonly Uint8Array[]): TestCase[] {
  const cases: TestCase[] = [];
  const parser = createResultParser(format, { startNs: 0, pattern: PATTERN, emit: (each) => cases.push(each) });
  const text = new ConsoleText({
    plain: () => undefined,
    user: () => undefined,
    userLine: (line) => parser.push(line),
    kernelLine: (line) => parser.pushKernel?.(line),
    logLine: () => undefined,
  });
  let tNs = 0;
  for (const chunk of chunks) {
    tNs += chunk.length * NS_PER_BYTE;
    text.feed(chunk, tNs);
  }
  text.end();
  parser.end(tNs);
  return cases;
}

const bytesOf = (text: string): Uint8Array[] => [...new TextEncoder().encode(text)].map((byte) => Uint8Array.of(byte));
const untimed = (cases: readonly TestCase[]) =>
  cases.map(({ path: names, status, message }) => ({ names, status, message }));
const sample = (name: string): string => readFileSync(path.join(SAMPLES, name), 'utf8');

it('has a format for each sample', () => {
  const logs = readdirSync(SAMPLES).filter((name) => name.endsWith('.log'));
  expect(logs.sort()).toEqual(Object.keys(FORMATS).sort());
});

describe.each(Object.entries(FORMATS))('%s', (name, format) => {
  const log = sample(name);

  it('reads what is expected', () => {
    const cases = parse(format, bytesOf(log));
    const file = path.join(SAMPLES, name.replace('.log', '.json'));
    if (process.env['BOOTLAB_WRITE_SAMPLES']) writeSample(file, cases);
    expect(JSON.parse(JSON.stringify(cases))).toEqual(JSON.parse(readFileSync(file, 'utf8')));
  });

  it('reads the same with the line ends and colours of a serial console', () => {
    const serial = log.replaceAll('\n', '\x1b[0m\r\n').replace(/pass|ok|fail/gi, (word) => `\x1b[1;32m${word}\x1b[m`);
    expect(untimed(parse(format, bytesOf(serial)))).toEqual(untimed(parse(format, bytesOf(log))));
  });

  it('reads the same with the kernel printing into its lines', () => {
    if (format === 'kunit' || name === 'lava-captured.log') return; // the kernel does not print into its own lines
    const lines = log.split('\n').map((line, index) => {
      const at = 1 + ((index * 7) % Math.max(1, line.length));
      if (line.trim().length < 3 || line.slice(0, at).trim() === '') return line;
      return `${line.slice(0, at)}[ ${String(index).padStart(4)}.123456][    T1] usb 1-1: new device\r\n${line.slice(at)}`;
    });
    expect(untimed(parse(format, bytesOf(lines.join('\n'))))).toEqual(untimed(parse(format, bytesOf(log))));
  });

  it('does not depend on how the output is cut', () => {
    const whole = parse(format, [new TextEncoder().encode(log)]);
    expect(untimed(whole)).toEqual(untimed(parse(format, bytesOf(log))));
  });

  it('survives an end anywhere, and no result passes that did not in the whole', () => {
    const passed = new Set(
      parse(format, bytesOf(log))
        .filter(({ status }) => status === 'pass')
        .map(({ path: names }) => names.at(-1)),
    );
    for (let end = 0; end < log.length; end += 17) {
      const complete = log.slice(0, log.lastIndexOf('\n', end) + 1);
      for (const { path: names, status } of parse(format, [new TextEncoder().encode(complete)])) {
        expect(names.length).toBeGreaterThan(0);
        if (status === 'pass') expect(passed).toContain(names.at(-1));
      }
    }
  });
});

function writeSample(file: string, cases: readonly TestCase[]): void {
  writeFileSync(file, `${JSON.stringify(cases, null, 2)}\n`);
}

describe('hostile output', () => {
  const formats = [...new Set(Object.values(FORMATS))];

  it.each(formats)('%s reads random bytes and the words of all formats in any order', (format) => {
    const words = Object.keys(FORMATS).flatMap((name) => sample(name).split(/(?<=\n)|(?<= )/));
    let seed = 42;
    const random = (below: number): number => (seed = (seed * 1103515245 + 12345) % 2 ** 31) % below;
    let text = '';
    for (let i = 0; i < 20_000; i++)
      text += random(50) === 0 ? String.fromCharCode(random(300)) : words[random(words.length)];
    expect(() => parse(format, [new TextEncoder().encode(text)])).not.toThrow();
  });

  it.each(formats)('%s takes linear time on lines made to make it slow', (format) => {
    const started = performance.now();
    for (const piece of [
      ' ',
      '.',
      ' .',
      '[',
      '<',
      '<LAVA_SIGNAL_',
      '# ',
      '::',
      ' - ',
      'ok ',
      '(',
      'a:1: ',
      '-',
      ' in 1',
    ]) {
      const line = piece.repeat(16_000 / piece.length);
      parse(format, [new TextEncoder().encode(`${line}\n1/1 Test #1: ${line}\nok 1 ${line}\na.py::${line}\n`)]);
    }
    expect(performance.now() - started).toBeLessThan(5000);
  });
});
