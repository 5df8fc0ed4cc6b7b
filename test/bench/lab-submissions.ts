import { setTimeout as sleep } from 'node:timers/promises';
import type { JobPage } from '@bootlab/lab';
import { idleGuest } from './lab-guests.js';
import { BACKENDS, call, SELF_TEST, submit, withLab, type Stand } from './lab-stand.js';
import type { Report, Row } from './report.js';
import { quantile } from './statistics.js';

const RATE = 50;
const SECONDS = 30;
/** Per second up to the last answer, which comes a little later than the last request. */
const TARGET = 49;
const WARM_UP = 20;

interface Kind {
  name: string;
  send(stand: Stand, number: number): Promise<{ id: string }>;
}

const KINDS: readonly Kind[] = [
  { name: 'JSON, image in the library', send: (stand) => submit(stand, SELF_TEST) },
  {
    name: 'form with a new image each',
    send: (stand, number) =>
      submit(
        stand,
        { board: 'malta', images: { kernel: 'upload:kernel' }, timeout: '1s' },
        { kernel: idleGuest(number) },
      ),
  },
];

interface Measured {
  perSecond: number;
  latenciesMs: number[];
  refused: number;
}

/** Submissions at a steady rate, each validated, stored and queued before it is answered. */
export async function labSubmissionsBenchmark(progress: (text: string) => void): Promise<Report> {
  const rows: Row[] = [];
  const all: { name: string; measured: Measured }[] = [];
  for (const backend of BACKENDS) {
    // Workers are other machines where 50 jobs a second come in; here they would be measured instead.
    await withLab(backend, { concurrency: 0 }, async (stand) => {
      for (const kind of KINDS) {
        progress(`${RATE} a second for ${SECONDS} s, ${kind.name}, queue in ${backend}`);
        const measured = await measure(stand, kind);
        const name = `${kind.name}, ${backend}`;
        all.push({ name, measured });
        const { perSecond, latenciesMs, refused } = measured;
        rows.push({
          name,
          values: [
            perSecond,
            quantile(latenciesMs, 0.5),
            quantile(latenciesMs, 0.99),
            Math.max(...latenciesMs),
            refused,
          ],
        });
      }
    });
  }
  return {
    title: `Lab: ${RATE} submissions a second for ${SECONDS} s`,
    note:
      'sent at fixed times over loopback to one API process, PostgreSQL and Redis on the same machine, no worker; each is ' +
      'validated, stored and queued before it is answered. Per second up to the last answer; milliseconds from its time to its answer',
    columns: ['per second', 'p50', 'p99', 'longest', 'refused'],
    rows,
    targets: all.flatMap(({ name, measured: { perSecond, refused } }) => [
      { name: `submissions a second, ${name}`, value: perSecond, atLeast: TARGET },
      { name: `submissions refused or lost, ${name}`, value: refused, atMost: 0 },
    ]),
  };
}

async function measure(stand: Stand, kind: Kind): Promise<Measured> {
  for (let number = 0; number < WARM_UP; number++) await kind.send(stand, -1 - number);
  const ids = new Set<string>();
  const latenciesMs: number[] = [];
  let refused = 0;
  const began = performance.now();
  const sending: Promise<void>[] = [];
  for (let number = 0; number < RATE * SECONDS; number++) {
    const due = began + (number * 1000) / RATE;
    if (due > performance.now()) await sleep(due - performance.now());
    sending.push(
      kind.send(stand, number).then(
        ({ id }) => {
          ids.add(id);
          latenciesMs.push(performance.now() - due);
        },
        (error: unknown) => {
          refused += 1;
          if (refused === 1) console.error(error);
        },
      ),
    );
  }
  await Promise.all(sending);
  const seconds = (performance.now() - began) / 1000;
  refused += await lost(stand, ids);
  return { perSecond: (RATE * SECONDS) / seconds, latenciesMs, refused };
}

/** How many of the jobs the lab does not list. */
async function lost(stand: Stand, ids: ReadonlySet<string>): Promise<number> {
  const missing = new Set(ids);
  let cursor = '';
  for (let page = 0; missing.size > 0 && page < 100; page++) {
    const { items, nextCursor } = await call<JobPage>(stand, `/jobs?limit=100${cursor}`);
    for (const { id } of items) missing.delete(id);
    if (nextCursor === null) break;
    cursor = `&cursor=${nextCursor}`;
  }
  return missing.size;
}
