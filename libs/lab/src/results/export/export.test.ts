import { describe, expect, it } from '@jest/globals';
import { SaxesParser } from 'saxes';
import { createResultParser } from '../parsers/index.js';
import type { JobResult } from '../job-results.js';
import type { TestCase } from '../test-case.js';
import { junitXml, resultsJson, tap, type JobReport } from './index.js';

const result = (status: JobResult['status'], name: string, message?: string): JobResult => ({
  suite: 'unit/net',
  name,
  status,
  message,
  startNs: 1e9,
  durationNs: 2.5e6,
  lines: { first: 3, last: 5 },
  console: 'uart0',
});

const HOSTILE = 'a <b> & "c" # SKIP \\ \x00\x1b[31m ]]> \ud800 ü 😀 --- ...';
const report = (results: JobResult[], outcome: JobReport['verdict']['outcome'] = 'fail'): JobReport => ({
  name: 'nightly',
  board: 'malta',
  verdict: { outcome, reason: `why: ${outcome}` },
  results,
  virtualNs: 3e9,
  instructions: 7,
});
const mixed = report([
  result('pass', 'good'),
  result('fail', HOSTILE, `first line\n${HOSTILE}\n  ...\nnot ok 9 - injected`),
  result('error', 'broken', 'no end'),
  result('skip', 'left out', 'no hardware # here'),
]);

/** Reads an export back with the parser of its format: what other tools will see. */
function readBack(format: 'tap' | 'junit', text: string): TestCase[] {
  const cases: TestCase[] = [];
  const parser = createResultParser(format, { startNs: 0, emit: (each) => cases.push(each) });
  text.split('\n').forEach((line, index) => parser.push({ text: line, tNs: index, line: index + 1 }));
  parser.end(0);
  return cases;
}

describe('JUnit', () => {
  it('is well-formed and says what was found, whatever a guest printed', () => {
    const xml = junitXml([mixed]);
    const parser = new SaxesParser();
    parser.on('error', (error) => {
      throw error;
    });
    parser.write(xml).close();
    expect(xml).toMatch(/<testsuites name="bootlab" tests="4" failures="1" errors="1" skipped="1" time="3\.000000">/);
    expect(xml).toMatch(/<testcase name="good" classname="nightly\/unit\/net" time="0\.002500"\/>/);
    const cases = readBack('junit', xml);
    expect(cases.map(({ status }) => status)).toEqual(['pass', 'fail', 'error', 'skip']);
    expect(cases[1]?.message).toMatch(/^first line[^]*log lines 3 to 5$/);
  });
});

describe('TAP', () => {
  it('says what was found, whatever a guest printed', () => {
    const cases = readBack('tap', tap([mixed]));
    expect(cases.map(({ status }) => status)).toEqual(['pass', 'fail', 'fail', 'skip']);
    expect(cases[1]?.path[0]).toContain('# SKIP');
    expect(cases[3]?.message).toBe('no hardware \\# here');
    expect(tap([mixed])).toMatch(/^TAP version 14\n1\.\.4\n/);
  });
});

describe('JSON', () => {
  it('has everything, and a version', () => {
    expect(JSON.parse(resultsJson([mixed]))).toMatchObject({
      version: 1,
      jobs: [
        { name: 'nightly', board: 'malta', outcome: 'fail', virtualNs: 3e9, results: [{ status: 'pass' }, {}, {}, {}] },
      ],
    });
  });
});

describe.each(['timeout', 'infra', 'cancelled', 'fail'] as const)(
  'a job that ended with %s and no failed result',
  (outcome) => {
    it('is no good one in any export', () => {
      const passed = report([result('pass', 'good')], outcome);
      expect(junitXml([passed])).toMatch(outcome === 'fail' ? /failures="1"/ : /errors="1"/);
      expect(readBack('tap', tap([passed])).some(({ status }) => status === 'fail')).toBe(true);
      expect(JSON.parse(resultsJson([passed]))).toMatchObject({ jobs: [{ outcome }] });
    });
  },
);

it('keeps jobs of a matrix apart', () => {
  const both = [mixed, { ...mixed, name: 'other' }];
  expect(junitXml(both).match(/<testsuite name="[^"]*"/g)).toHaveLength(2);
  expect(tap(both)).toMatch(/ok 5 - other\/unit\/net\/good/);
});
