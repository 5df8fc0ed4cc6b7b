import { MissingPrerequisite } from '@bootlab/emulator/testkit';
import type { Page } from 'playwright-core';
import { launchChromium } from '../support/lab.js';
import { printingGuest } from './lab-guests.js';
import { ADMIN_TOKEN, ended, submit, withLab } from './lab-stand.js';
import type { Report, Row } from './report.js';
import { quantile } from './statistics.js';

const LINES = 1_000_000;
const LETTERS = 40;
/** Height of a row of the viewer. */
const ROW_PX = 20;
const SECONDS = 5;
/** Frames a second; the display has 60, and its clock is not exactly the page's. */
const TARGET_FPS = 59.5;
/** Milliseconds of its own thread's time that the page may take for a frame: what other programs do does not count. */
const TARGET_CPU_MS = 1000 / 60;
const LOAD_LIMIT_MS = 180_000;

/** What a person does with a log: where it is at a frame, from where it was. */
const GESTURES = [
  { name: 'reading, 3 rows a frame', kind: 'step', px: 60 },
  { name: 'flinging, 150 rows a frame', kind: 'step', px: 3000 },
  { name: 'dragging the bar, anywhere', kind: 'jump', px: 0 },
] as const;

interface Frames {
  timesMs: number[];
  /** Frames that did not show all rows that belong there. */
  blank: number;
}

/** Scrolls a log of a million lines in Chromium, with nothing but its software renderer. */
export async function labViewerBenchmark(progress: (text: string) => void): Promise<Report> {
  const { rows, loadSeconds } = await withLab('Redis', {}, async (stand) => {
    progress(`a job that prints ${LINES} lines`);
    const spec = { board: 'malta', images: { firmware: 'upload:guest' }, timeout: '1h', steps: [{ wait: '10m' }] };
    const printed = await ended(stand, await submit(stand, spec, { guest: printingGuest(LINES, LETTERS) }));
    const browser = await launchChromium().catch((error: unknown) => {
      throw new MissingPrerequisite(`Chromium: it does not start (${String(error)})`, "Run 'npm run setup'");
    });
    try {
      const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
      await page.goto(`${stand.url}/#token=${ADMIN_TOKEN}`);
      await page.getByRole('link', { name: 'Jobs' }).first().waitFor();
      progress('loading them into the page');
      const began = performance.now();
      await page.goto(`${stand.url}/jobs/${printed.id}/log?line=${LINES}`);
      await page.locator('.log-row[data-marked]').waitFor({ timeout: LOAD_LIMIT_MS });
      const loaded = (performance.now() - began) / 1000;
      return { rows: await measure(page, progress), loadSeconds: loaded };
    } finally {
      await browser.close();
    }
  });
  const slowest = Math.min(...rows.map(({ values }) => values[0] ?? 0));
  const blank = rows.reduce((sum, { values }) => sum + (values[4] ?? 0), 0);
  const busiest = Math.max(...rows.map(({ values }) => values[5] ?? Infinity));
  return {
    title: `Lab: the log viewer with ${LINES} lines`,
    note:
      'headless Chromium without a GPU, 1440 × 900; milliseconds between two frames as requestAnimationFrame tells them, ' +
      `${SECONDS} s of each. Frames that did not show the rows of that place. CPU time of the page's main thread a frame. Loaded in ${loadSeconds.toFixed(1)} s`,
    columns: ['frames/s', 'p50', 'p99', 'longest', 'without rows', 'CPU'],
    rows,
    targets: [
      { name: 'frames a second, the slowest of these', value: slowest, atLeast: TARGET_FPS },
      { name: 'frames without their rows', value: blank, atMost: 0 },
      { name: 'milliseconds of CPU a frame, the most of these', value: busiest, atMost: TARGET_CPU_MS },
    ],
  };
}

async function measure(page: Page, progress: (text: string) => void): Promise<Row[]> {
  const rows: Row[] = [];
  const inspector = await page.context().newCDPSession(page);
  await inspector.send('Performance.enable', { timeDomain: 'threadTicks' });
  const cpuMs = async (): Promise<number> => {
    const { metrics } = await inspector.send('Performance.getMetrics');
    return 1000 * (metrics.find(({ name }) => name === 'TaskDuration')?.value ?? NaN);
  };
  for (const { name, ...gesture } of GESTURES) {
    progress(name);
    const before = await cpuMs();
    const { timesMs, blank } = await scroll(page, gesture);
    const cpu = ((await cpuMs()) - before) / timesMs.length;
    const between = timesMs.slice(1).map((time, index) => time - (timesMs[index] ?? 0));
    const fps = (1000 * between.length) / ((timesMs.at(-1) ?? 0) - (timesMs[0] ?? 0));
    rows.push({
      name,
      values: [fps, quantile(between, 0.5), quantile(between, 0.99), Math.max(...between), blank, cpu],
    });
  }
  return rows;
}

/** Scrolls at every frame, and looks before that at what the last one has shown. */
function scroll(page: Page, gesture: { kind: 'step' | 'jump'; px: number }): Promise<Frames> {
  return page.evaluate(
    async ({ kind, px, seconds, lines, rowPx }) => {
      const log = document.querySelector('.log-lines');
      if (!log) throw new Error('the page shows no log');
      const bottom = log.scrollHeight - log.clientHeight;
      log.scrollTop = bottom / 3;
      await new Promise((resolve) => setTimeout(resolve, 500));
      const timesMs: number[] = [];
      let blank = 0;
      let seed = 1;
      const isFull = (): boolean => {
        const drawn = log.querySelectorAll('.log-row');
        const [first, last] = [drawn[0], drawn[drawn.length - 1]];
        if (!first || !last) return false;
        const window = log.getBoundingClientRect();
        // Where in the log this place is: at its end is its last line.
        const position = (log.scrollTop / bottom) * (lines * rowPx - log.clientHeight);
        const numbers = [first, last].map((row) => Number(row.querySelector('.log-number')?.textContent));
        return (
          first.getBoundingClientRect().top <= window.top + 1 &&
          last.getBoundingClientRect().bottom >= window.bottom - 1 &&
          (numbers[0] ?? Infinity) <= Math.floor(position / rowPx) + 1 &&
          (numbers[1] ?? 0) >= Math.floor((position + log.clientHeight) / rowPx)
        );
      };
      await new Promise<void>((resolve) => {
        const frame = (now: number): void => {
          if (timesMs.length > 1 && !isFull()) blank += 1;
          timesMs.push(now);
          if (now - (timesMs[0] ?? now) >= seconds * 1000) {
            resolve();
            return;
          }
          seed = (seed * 16_807) % 2_147_483_647; // any order will do, but always the same
          log.scrollTop = kind === 'jump' ? (bottom * seed) / 2_147_483_647 : log.scrollTop + px;
          requestAnimationFrame(frame);
        };
        requestAnimationFrame(frame);
      });
      return { timesMs, blank };
    },
    { ...gesture, seconds: SECONDS, lines: LINES, rowPx: ROW_PX },
  );
}
