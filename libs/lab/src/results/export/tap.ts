import type { JobResult } from '../job-results.js';
import { allResults, type JobReport } from './report.js';

/** TAP 14 (testanything.org/tap-version-14-specification.html): each result a line, why it failed in a YAML block. */
export function tap(reports: readonly JobReport[]): string {
  const results = reports.flatMap((report) => allResults(report).map((result) => ({ report, result })));
  const several = reports.length > 1;
  const lines = ['TAP version 14', `1..${results.length}`];
  results.forEach(({ report, result }, index) => {
    const name = [...(several ? [report.name] : []), result.suite, result.name].join('/');
    lines.push(...resultLines(index + 1, name, result));
  });
  return `${lines.join('\n')}\n`;
}

function resultLines(number: number, name: string, { status, message, durationNs, lines }: JobResult): string[] {
  const bad = status === 'fail' || status === 'error';
  const description = escaped(name);
  const reason = escaped((message ?? '').split('\n', 1)[0] ?? '');
  const head = `${bad ? 'not ok' : 'ok'} ${number} - ${description}${status === 'skip' ? ` # SKIP ${reason}`.trimEnd() : ''}`;
  if (!bad) return [head];
  // JSON strings are YAML: nothing that a guest printed can end the block.
  return [
    head,
    '  ---',
    `  severity: ${status}`,
    `  message: ${JSON.stringify(message ?? '')}`,
    ...(durationNs === null ? [] : [`  duration_ms: ${durationNs / 1e6}`]),
    `  log: { first: ${lines.first}, last: ${lines.last} }`,
    '  ...',
  ];
}

/** A description in one line, in which nothing is taken for a directive. */
const escaped = (text: string): string => text.replace(/[\\#]/g, '\\$&').replace(/[\r\n]+/g, ' ');
