import { randomUUID } from 'node:crypto';
import { constants } from 'node:os';
import { writeFileSync } from 'node:fs';
import { Readable } from 'node:stream';
import type { Board, Comparison, Job, JobPage, Outcome, ResultPair, SubmittedJob, Variables } from '@bootlab/lab';
import { createOutput } from '../boot/files.js';
import type { BootHost } from '../boot/run.js';
import { ExitCode, signalExitCode } from '../exit-codes.js';
import { makeFolder, saveArtifactsOf } from './artifacts.js';
import type { LabClient } from './client.js';
import { exitCodeOf, followJobs } from './follow.js';
import { columns, countsText, printable, timeText, type Output } from './output.js';
import { reporterFor } from './report.js';
import { JobFile } from './submission.js';
import { uploadFile } from './upload.js';

export interface ResultFiles {
  junit?: string;
  tap?: string;
  json?: string;
  /** Folder for what the jobs leave behind. */
  artifacts?: string;
}

export interface SubmitOptions extends ResultFiles {
  file: string;
  variables: Variables;
  wait: boolean;
  /** Also print what the consoles print. */
  console: boolean;
}

type Interrupts = Pick<BootHost, 'signals'>;
type Signal = 'SIGINT' | 'SIGTERM';

/**
 * Sends a job file to the lab, with what it names on this machine. @returns the exit status
 * @throws UsageError, LabError
 */
export async function submit(
  client: LabClient,
  options: SubmitOptions,
  output: Output,
  host: Interrupts,
): Promise<number> {
  const file = JobFile.read(options.file, options.variables);
  const writers = openResultFiles(options); // a bad path does not cost a run
  const { artifacts } = options;
  const digests = new Map<string, string>();
  for (const [reference, local] of file.localFiles()) {
    digests.set(reference, (await uploadFile(client, local, output)).sha256);
  }
  const submitted: SubmittedJob[] = [];
  for (const text of file.submission(digests).texts) {
    submitted.push(
      await client.json<SubmittedJob>('/jobs', {
        method: 'POST',
        headers: { 'content-type': 'application/yaml', 'idempotency-key': randomUUID() },
        body: text,
        repeatable: true,
      }),
    );
  }
  const ids = submitted.flatMap(({ jobIds }) => jobIds);
  for (const id of ids) output.out.write(`${client.page(`/jobs/${id}`)}\n`);
  if (!options.wait) return ExitCode.pass;
  const cancel = async (): Promise<void> => {
    // Whoever waited is gone, and with him the use of the jobs: a cancelled pipeline must not keep boards busy.
    await Promise.all(ids.map((id) => client.post(`/jobs/${id}/cancel`, {})));
    output.out.write(ids.length > 1 ? 'The jobs were cancelled.\n' : 'The job was cancelled.\n');
  };
  return attend(client, ids, output, host, { console: options.console, cancel, writers, artifacts });
}

export interface WatchOptions extends ResultFiles {
  console: boolean;
}

/** Shows jobs until they end; leaving early leaves them running. @returns the exit status */
export function watch(
  client: LabClient,
  ids: readonly string[],
  options: WatchOptions,
  output: Output,
  host: Interrupts,
): Promise<number> {
  const { console, artifacts } = options;
  return attend(client, ids, output, host, { console, artifacts, writers: openResultFiles(options) });
}

interface Writer {
  readonly format: string;
  write(text: string): void;
}

function openResultFiles({ junit, tap, json, artifacts }: ResultFiles): Writer[] {
  if (artifacts !== undefined) makeFolder('--artifacts', artifacts);
  return Object.entries({ junit, tap, json }).flatMap(([format, file]) => {
    if (file === undefined) return [];
    const fd = createOutput(`--${format}`, file);
    return [{ format, write: (text: string) => writeFileSync(fd, text) }];
  });
}

interface Attendance {
  readonly console: boolean;
  /** What becomes of the jobs when the person who waits leaves; default: nothing. */
  cancel?(): Promise<void>;
  readonly writers: readonly Writer[];
  readonly artifacts: string | undefined;
}

async function attend(
  client: LabClient,
  ids: readonly string[],
  output: Output,
  { signals }: Interrupts,
  { console, cancel, writers, artifacts }: Attendance,
): Promise<number> {
  const leaving = new AbortController();
  let signal: Signal | undefined;
  const leave = (name: Signal) => (): void => {
    signal ??= name;
    leaving.abort(new Error(name));
  };
  const handlers = { SIGINT: leave('SIGINT'), SIGTERM: leave('SIGTERM') };
  for (const name of ['SIGINT', 'SIGTERM'] as const) signals.on(name, handlers[name]);
  // The console's lines and a list that is redrawn in place would write over each other.
  const reporter = reporterFor({ ...output, live: output.live && !console });
  const consoles = console ? ids.map((id) => printConsole(client, id, output, leaving.signal)) : [];
  try {
    const jobs = await followJobs(client, ids, reporter, leaving.signal);
    await Promise.all(consoles);
    await writeResults(client, jobs, writers);
    if (artifacts !== undefined) await saveArtifactsOf(client, jobs, artifacts, output);
    return exitCodeOf(jobs.map(({ outcome }) => outcome));
  } catch (error) {
    if (!signal) throw error;
    await cancel?.();
    return signalExitCode(constants.signals[signal]);
  } finally {
    leaving.abort();
    reporter.close();
    for (const name of ['SIGINT', 'SIGTERM'] as const) signals.off(name, handlers[name]);
  }
}

async function printConsole(client: LabClient, id: string, { out }: Output, signal: AbortSignal): Promise<void> {
  try {
    const { body } = await client.request(`/jobs/${id}/log?follow=1&format=text`, { signal });
    if (!body) return;
    for await (const chunk of Readable.fromWeb(body as Parameters<typeof Readable.fromWeb>[0]))
      out.write(chunk as Buffer);
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

/** Results in other tools' formats: of one submission in one file. */
async function writeResults(client: LabClient, jobs: readonly Job[], writers: readonly Writer[]): Promise<void> {
  const groups = new Set(jobs.map(({ groupId, id }) => (groupId === null ? `jobs/${id}` : `groups/${groupId}`)));
  for (const { format, write } of writers) {
    const texts = await Promise.all([...groups].map((place) => client.text(`/${place}/results?format=${format}`)));
    write(format === 'junit' ? mergedJunit(texts) : texts.join('\n'));
  }
}

/** Several JUnit documents as one: their suites side by side. */
function mergedJunit(texts: readonly string[]): string {
  const [only] = texts;
  if (texts.length === 1 && only !== undefined) return only;
  const inner = texts.map((text) =>
    text.replace(/^<\?xml[^>]*\?>\s*/, '').replace(/^<testsuites[^>]*>|<\/testsuites>\s*$/g, ''),
  );
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites>\n${inner.join('\n')}\n</testsuites>\n`;
}

/** @returns the exit status */
export async function cancel(client: LabClient, ids: readonly string[], { out }: Output): Promise<number> {
  for (const id of ids) {
    const job = await client.post<Job>(`/jobs/${encodeURIComponent(id)}/cancel`, {});
    out.write(`${id}: ${job.state === 'ended' ? (job.outcome ?? '') : 'will be cancelled'}\n`);
  }
  return ExitCode.pass;
}

export interface ListOptions {
  state?: string;
  outcome?: string;
  board?: string;
  name?: string;
  limit: number;
  json: boolean;
}

/** Prints jobs, newest first. @returns the exit status */
export async function listJobs(client: LabClient, { json, ...filter }: ListOptions, { out }: Output): Promise<number> {
  const query = new URLSearchParams();
  for (const [key, value] of Object.entries(filter)) if (value !== undefined) query.set(key, String(value));
  const { items } = await client.json<JobPage>(`/jobs?${query}`);
  if (json) {
    out.write(`${JSON.stringify(items, null, 2)}\n`);
    return ExitCode.pass;
  }
  const rows = items.map((job) => [
    job.id,
    job.state === 'ended' ? (job.outcome ?? '') : job.state,
    job.spec.board,
    timeText(job.createdAt),
    countsText(job.counts) || '-',
    printable(job.name),
  ]);
  out.write(columns([['JOB', 'STATE', 'BOARD', 'SUBMITTED', 'RESULTS', 'NAME'], ...rows]));
  return ExitCode.pass;
}

/** Prints the lab's boards. @returns the exit status */
export async function listServerBoards(client: LabClient, json: boolean, { out }: Output): Promise<number> {
  const { items } = await client.json<{ items: Board[] }>('/boards');
  if (json) out.write(`${JSON.stringify(items, null, 2)}\n`);
  else {
    const rows = items.map(({ id, arch, cpus, name }) => [id, arch, cpus.map((cpu) => cpu.id).join(' '), name]);
    out.write(columns([['BOARD', 'ARCH', 'CPUS', 'NAME'], ...rows]));
  }
  return ExitCode.pass;
}

/** Prints what became of the results of one job in another. @returns 1 when there are regressions, else 0 */
export async function compare(
  client: LabClient,
  base: string,
  head: string,
  { json }: { json: boolean },
  { out }: Output,
): Promise<number> {
  const comparison = await client.json<Comparison>(`/compare?${new URLSearchParams({ base, head })}`);
  const { regressions, fixes, stillFailing, added, missing, changed, unchanged } = comparison;
  const worse = regressions.length > 0 || isWorse(comparison.base.outcome, comparison.head.outcome);
  if (json) {
    out.write(`${JSON.stringify(comparison, null, 2)}\n`);
    return worse ? ExitCode.fail : ExitCode.pass;
  }
  for (const [word, { id, name, outcome, state }] of Object.entries({ base: comparison.base, head: comparison.head })) {
    out.write(`${word}  ${id}  ${outcome ?? state}  ${printable(name)}\n`);
  }
  const sections: [string, readonly ResultPair[]][] = [
    ['Regressions', regressions],
    ['Fixes', fixes],
    ['Still failing', stillFailing],
    ['New', added],
    ['Missing', missing],
    ['Changed', changed],
  ];
  for (const [title, pairs] of sections) {
    if (pairs.length === 0) continue;
    out.write(`\n${title}: ${pairs.length}\n`);
    out.write(
      columns(
        pairs.map((pair) => [`  ${outcomesOf(pair)}`, printable([pair.suite, pair.name].filter(Boolean).join('/'))]),
      ),
    );
  }
  out.write(`\n${unchanged} unchanged\n`);
  return worse ? ExitCode.fail : ExitCode.pass;
}

const isWorse = (base: Outcome | null, head: Outcome | null): boolean =>
  base === 'pass' && (head === 'fail' || head === 'timeout');

const outcomesOf = ({ base, head }: ResultPair): string => `${base?.outcome ?? '-'} -> ${head?.outcome ?? '-'}`;
