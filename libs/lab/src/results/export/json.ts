import type { JobReport } from './report.js';

/** All that is known, for programs: one object with a version, fields named as in the API. */
export function resultsJson(reports: readonly JobReport[]): string {
  const jobs = reports.map(({ name, board, verdict, results, virtualNs, instructions }) => ({
    name,
    board,
    outcome: verdict.outcome,
    reason: verdict.reason,
    ...(verdict.lines && { lines: verdict.lines }),
    virtualNs,
    instructions,
    results: results.map(({ suite, name: caseName, status, message, startNs, durationNs, lines, measurement }) => ({
      suite,
      name: caseName,
      status,
      message: message ?? null,
      startNs,
      durationNs,
      lines,
      ...(measurement && { measurement }),
    })),
  }));
  return `${JSON.stringify({ version: 1, jobs }, null, 2)}\n`;
}
