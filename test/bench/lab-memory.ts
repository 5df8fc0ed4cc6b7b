import { on, once } from 'node:events';
import type { HeapSpaceInfo } from 'node:v8';
import { WebSocket } from 'ws';
import { BACKENDS, ended, SELF_TEST, submit, withLab, type Backend, type Stand } from './lab-stand.js';
import type { LabProcess } from '../support/lab-processes.js';
import type { Report, Row } from './report.js';
import { median } from './statistics.js';

/** Jobs that a run measures, after those of the warm-up. */
const JOBS_PER_RUN = 100;
const EVERY = 25;
const AT_ONCE = 2;
/** Caches fill and code is compiled while the first jobs run. */
const WARM_UP = 100;
/** KiB of live objects that a job may leave behind: its id in some list would be a tenth of it. */
const TARGET_HEAP_KIB = 1;
/** Resident memory at the end to that after the warm-up. What allocators keep scatters by some MiB from sample to sample. */
const TARGET_RSS_GROWTH = 1.1;
/** Samples that stand for the beginning, and for the end. */
const SAMPLES_AT_EACH_END = 3;
/** Where JavaScript's objects are. Not the spaces of code: V8 goes on optimizing functions for thousands of jobs. */
const OBJECT_SPACES = ['new_space', 'old_space', 'large_object_space', 'new_large_object_space'];
const REPLY_LIMIT_MS = 20_000;

interface Sample {
  jobs: number;
  /** MiB after a collection of garbage. */
  api: Memory;
  worker: Memory;
}

interface Memory {
  rss: number;
  /** In the spaces of objects. */
  heap: number;
}

/**
 * Whether API and worker keep anything of the jobs that have ended.
 * @param runs hundreds of jobs to measure, for each backend; 9 make it a thousand with the warm-up
 */
export async function labMemoryBenchmark(runs: number, progress: (text: string) => void): Promise<Report> {
  const jobCount = WARM_UP + runs * JOBS_PER_RUN;
  const rows: Row[] = [];
  const found: { name: string; growth: number; heap: number }[] = [];
  for (const backend of BACKENDS) {
    const samples = await withLab(
      backend,
      { concurrency: AT_ONCE, environment: { NODE_OPTIONS: '--inspect=127.0.0.1:0' } },
      (stand) => measure(stand, backend, jobCount, progress),
    );
    for (const part of ['api', 'worker'] as const) {
      const name = `${part}, ${backend}`;
      const settled = samples.filter(({ jobs }) => jobs >= WARM_UP);
      const slope = (of: keyof Memory): number =>
        1024 * slopeOf(settled.map((sample) => [sample.jobs, sample[part][of]] as const));
      const at = (jobs: number): number | undefined => samples.find((sample) => sample.jobs === jobs)?.[part].rss;
      const resident = settled.map((sample) => sample[part].rss);
      const growth = median(resident.slice(-SAMPLES_AT_EACH_END)) / median(resident.slice(0, SAMPLES_AT_EACH_END));
      const heap = slope('heap');
      found.push({ name, growth, heap });
      rows.push({ name, values: [at(0), at(WARM_UP), at(jobCount), growth, samples.at(-1)?.[part].heap, heap] });
    }
  }
  return {
    title: `Lab: memory over ${jobCount} jobs`,
    note:
      `MiB after forced collections of garbage, ${AT_ONCE} self-test jobs at a time, sampled every ${EVERY}. Growth: the last ` +
      `${SAMPLES_AT_EACH_END} samples to the first from job ${WARM_UP} on. Objects: without code that V8 makes; slope in KiB a job ` +
      `from job ${WARM_UP} on (median of the slopes between all pairs of samples)`,
    columns: ['RSS at 0', `${WARM_UP}`, `${jobCount}`, 'growth', 'objects at end', 'KiB/job'],
    rows,
    targets: found.flatMap(({ name, growth, heap }) => [
      { name: `KiB of live objects that a job leaves, ${name}`, value: heap, atMost: TARGET_HEAP_KIB },
      { name: `growth of resident memory, ${name}`, value: growth, atMost: TARGET_RSS_GROWTH },
    ]),
  };
}

async function measure(
  stand: Stand,
  backend: Backend,
  jobCount: number,
  progress: (text: string) => void,
): Promise<Sample[]> {
  const samples: Sample[] = [];
  const inspectors = { api: inspectorOf(stand.api), worker: inspectorOf(stand.worker) };
  for (let jobs = 0; ; jobs += EVERY) {
    const [api, worker] = [await memoryOf(inspectors.api), await memoryOf(inspectors.worker)];
    samples.push({ jobs, api, worker });
    progress(`${backend}, ${jobs} jobs: API ${api.rss.toFixed(0)} MiB, worker ${worker.rss.toFixed(0)} MiB`);
    if (jobs === jobCount) return samples;
    let left = EVERY;
    await Promise.all(
      Array.from({ length: AT_ONCE }, async () => {
        while (left-- > 0) {
          const { outcome, reason } = await ended(stand, await submit(stand, SELF_TEST));
          if (outcome !== 'pass') throw new Error(`a job ended as ${String(outcome)}: ${String(reason)}`);
        }
      }),
    );
  }
}

/** Theil and Sen's slope: a sample that is far off moves it little. */
function slopeOf(points: readonly (readonly [x: number, y: number])[]): number {
  const slopes = points.flatMap(([x1, y1], index) => points.slice(index + 1).map(([x2, y2]) => (y2 - y1) / (x2 - x1)));
  return median(slopes);
}

/** The address of a process's inspector, which it prints first of all. */
function inspectorOf(process: LabProcess | undefined): string {
  const address = /Debugger listening on (ws:\S+)/.exec(process?.output() ?? '')?.[1];
  if (address === undefined) throw new Error('a process of the lab has no inspector');
  return address;
}

/** What a process uses after it has collected its garbage, asked for through Node's inspector. */
async function memoryOf(inspector: string): Promise<Memory> {
  const socket = new WebSocket(inspector);
  try {
    await once(socket, 'open', { signal: AbortSignal.timeout(REPLY_LIMIT_MS) });
    let id = 0;
    const ask = async (method: string, params: object = {}): Promise<unknown> => {
      const replies = on(socket, 'message', { signal: AbortSignal.timeout(REPLY_LIMIT_MS) });
      socket.send(JSON.stringify({ id: ++id, method, params }));
      for await (const [data] of replies as AsyncIterable<[Buffer]>) {
        const reply = JSON.parse(data.toString()) as { id?: number; result?: { result?: { value?: unknown } } };
        if (reply.id === id) return reply.result?.result?.value;
      }
      return undefined; // only a signal ends the loop, with an error
    };
    for (let times = 0; times < 3; times++) await ask('HeapProfiler.collectGarbage');
    const expression =
      "JSON.stringify([process.memoryUsage.rss(), process.getBuiltinModule('v8').getHeapSpaceStatistics()])";
    // What the expression says, from Node's own documentation.
    const [rss, spaces] = JSON.parse(String(await ask('Runtime.evaluate', { expression }))) as [
      number,
      HeapSpaceInfo[],
    ];
    const objects = spaces.filter(({ space_name: name }) => OBJECT_SPACES.includes(name));
    const heap = objects.reduce((sum, { space_used_size: used }) => sum + used, 0);
    return { rss: rss / 2 ** 20, heap: heap / 2 ** 20 };
  } finally {
    socket.terminate();
  }
}
