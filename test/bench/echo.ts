import { repositoryFolder } from './bootlab.js';
import { measureConsoleEcho } from './console-echo.js';
import type { Report } from './report.js';
import { quantile } from './statistics.js';

const KEYS = 100;
/** Milliseconds that a key may take to come back, at the median. */
const TARGET_MS = 50;

/** A key typed in the browser until the guest's echo shows there: browser, API, worker, guest and back. */
export async function echoBenchmark(progress: (text: string) => void): Promise<Report> {
  progress(`browser, ${KEYS} keys`);
  const times = await measureConsoleEcho({ keys: KEYS, repositoryFolder });
  const p50 = quantile(times, 0.5);
  return {
    title: 'Console echo: browser, API, worker, guest and back',
    note: `milliseconds, ${times.length} keys typed one by one into a shell on Malta`,
    columns: ['p50', 'p95', 'longest'],
    rows: [{ name: 'bootlab, local lab', values: [p50, quantile(times, 0.95), Math.max(...times)] }],
    targets: [{ name: 'the median echo in milliseconds', value: p50, atMost: TARGET_MS }],
  };
}
