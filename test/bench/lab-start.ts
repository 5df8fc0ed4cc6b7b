import type { Job } from '@bootlab/lab';
import { BACKENDS, cancel, ended, SELF_TEST, submit, watch, withLab, type Stand } from './lab-stand.js';
import type { Report, Row } from './report.js';
import { quantile } from './statistics.js';

const JOBS = 40;
/** The first ones find nothing warm; nobody's lab has been idle since it was started. */
const WARM_UP = 5;
const JOB_LIMIT_MS = 30_000;
/** Milliseconds from the request to the moment at which the client knows that its job runs, at the median. */
const TARGET_MS = 150;

interface Start {
  runningMs: number;
  firstByteMs: number;
}

/** From the submission to a running board, on a lab that has nothing else to do. */
export async function labStartBenchmark(progress: (text: string) => void): Promise<Report> {
  const rows: Row[] = [];
  const medians: { backend: string; p50: number }[] = [];
  for (const backend of BACKENDS) {
    progress(`${JOBS} jobs one after the other, queue in ${backend}`);
    const starts = await withLab(backend, {}, measure);
    const running = starts.map(({ runningMs }) => runningMs);
    const firstByte = starts.map(({ firstByteMs }) => firstByteMs);
    const p50 = quantile(running, 0.5);
    medians.push({ backend, p50 });
    rows.push({
      name: backend,
      values: [p50, quantile(running, 0.95), Math.max(...running), quantile(firstByte, 0.5), quantile(firstByte, 0.95)],
    });
  }
  return {
    title: 'Lab: from the submission to a running board',
    note:
      `milliseconds, ${JOBS} self-test jobs one at a time on an idle lab; from sending the request until a watcher of the ` +
      'console hears "running", and until it has the first byte',
    columns: ['running p50', 'p95', 'longest', 'first byte p50', 'p95'],
    rows,
    targets: medians.map(({ backend, p50 }) => ({
      name: `milliseconds to running at the median, ${backend}`,
      value: p50,
      atMost: TARGET_MS,
    })),
  };
}

async function measure(stand: Stand): Promise<Start[]> {
  const starts: Start[] = [];
  for (let run = 0; run < WARM_UP + JOBS; run++) {
    const start = await startOne(stand);
    if (run >= WARM_UP) starts.push(start);
  }
  return starts;
}

async function startOne(stand: Stand): Promise<Start> {
  const sent = performance.now();
  const job = await submit(stand, SELF_TEST);
  const start = await timesOf(stand, job, sent);
  const { outcome, reason } = await ended(stand, job);
  if (outcome !== 'pass') throw new Error(`job ${job.id} ended as ${String(outcome)}: ${String(reason)}`);
  return start;
}

async function timesOf(stand: Stand, job: Job, sent: number): Promise<Start> {
  let runningMs: number | undefined;
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => finish(new Error(`job ${job.id} printed nothing`)), JOB_LIMIT_MS);
    const socket = watch(stand, job.id, (message) => {
      const now = performance.now() - sent;
      if ((message.type === 'ready' || message.type === 'job') && message.job.state !== 'queued') runningMs ??= now;
      if (message.type !== 'chunk') return;
      // A watcher who comes late hears both at once.
      finish({ runningMs: runningMs ?? now, firstByteMs: now });
    });
    socket.on('error', (error) => finish(error));
    const finish = (result: Start | Error): void => {
      clearTimeout(timer);
      socket.close();
      if (result instanceof Error) {
        void cancel(stand, job).catch(() => undefined);
        reject(result);
      } else resolve(result);
    };
  });
}
