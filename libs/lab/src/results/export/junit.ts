import { countCases } from '../test-case.js';
import type { JobResult } from '../job-results.js';
import { allResults, type JobReport } from './report.js';

/**
 * JUnit XML as CI servers read it (testmoapp/junitxml): a suite of suites for all jobs, times in virtual seconds. What
 * the lab could not find out is an error, what the guest did wrong a failure.
 */
export function junitXml(reports: readonly JobReport[]): string {
  const suites = reports.flatMap((report) => suitesOf(report));
  const total = countCases(suites.flatMap(({ results }) => results));
  const lines = [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="bootlab"${counters(total, sum(reports.map(({ virtualNs }) => virtualNs)))}>`,
  ];
  for (const { name, results } of suites) {
    lines.push(
      `  <testsuite${attribute('name', name)}${counters(countCases(results), sum(results.map(({ durationNs }) => durationNs ?? 0)))}>`,
    );
    for (const result of results) lines.push(...caseLines(name, result));
    lines.push('  </testsuite>');
  }
  return [...lines, '</testsuites>', ''].join('\n');
}

function suitesOf(report: JobReport): { name: string; results: JobResult[] }[] {
  const suites = new Map<string, JobResult[]>();
  for (const result of allResults(report)) {
    const name = `${report.name}/${result.suite}`;
    suites.set(name, [...(suites.get(name) ?? []), result]);
  }
  return [...suites].map(([name, results]) => ({ name, results }));
}

function caseLines(suite: string, { name, status, message, durationNs, lines }: JobResult): string[] {
  const head = `    <testcase${attribute('name', name)}${attribute('classname', suite)}${attribute('time', seconds(durationNs ?? 0))}`;
  const where = `log lines ${lines.first} to ${lines.last}`;
  const summary = (message ?? '').split('\n', 1)[0]?.slice(0, 300) ?? '';
  switch (status) {
    case 'pass':
      return [`${head}/>`];
    case 'skip':
      return [`${head}><skipped${attribute('message', summary)}/></testcase>`];
    case 'fail':
    case 'error': {
      const tag = status === 'fail' ? 'failure' : 'error';
      return [
        `${head}><${tag}${attribute('message', summary)}>${text(`${message ?? ''}\n${where}`)}</${tag}></testcase>`,
      ];
    }
  }
}

function counters({ pass, fail, skip, error }: ReturnType<typeof countCases>, ns: number): string {
  const all = pass + fail + skip + error;
  return ` tests="${all}" failures="${fail}" errors="${error}" skipped="${skip}" time="${seconds(ns)}"`;
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
const seconds = (ns: number): string => (ns / 1e9).toFixed(6);
const attribute = (name: string, value: string): string =>
  ` ${name}="${text(value).replaceAll('\n', '&#10;').replaceAll('\t', '&#9;')}"`;

// All that an XML 1.0 document can hold, even as references (XML 1.0, 2.2 Characters).
const NOT_XML = /[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/gu;
const REFERENCES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\r': '&#13;',
};

function text(value: string): string {
  return value.replace(NOT_XML, '\ufffd').replace(/[&<>"\r]/g, (character) => REFERENCES[character] ?? character);
}
