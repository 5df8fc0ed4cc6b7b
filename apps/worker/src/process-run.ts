import { createHash, randomUUID } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { EngineOptions } from '@bootlab/emulator';
import { ProgramRun } from '@bootlab/emulator/user';
import { USAGE_ARTIFACT } from '@bootlab/lab';
import type { SavedArtifact } from '@bootlab/lab/artifacts';
import { ProcessRun, type ProgramUsage } from '@bootlab/lab/process';
import { leaveArtifacts, NO_ARTIFACTS } from './artifacts.js';
import { ConsolePost } from './console-post.js';
import type { EngineStores } from './engine-stores.js';
import type { BoardTask, ConsoleCredit, FromBoard, LeftArtifacts, ToBoard } from './protocol.js';
import { ResultFeed } from './result-feed.js';

/** Host time between two reports. */
const REPORT_MS = 200;

/**
 * Runs a program to its end inside its thread. Its standard output and error are the job's consoles.
 * @param engine what runs the CPU; results never depend on it
 * @param post hands a message to the host
 * @param listen registers for messages from the host
 * @returns bytes of guest memory that it took, which lie about until garbage is collected
 */
export async function runProcess(
  task: BoardTask,
  engine: EngineStores & Pick<EngineOptions, 'warn'>,
  credit: ConsoleCredit,
  post: (message: FromBoard) => void,
  listen: (listener: (message: ToBoard) => void) => void,
): Promise<number> {
  const { process: job } = task;
  if (!job) throw new Error('The task is no process');
  const consoles = new ConsolePost(credit, post);
  const feed = new ResultFeed(undefined);
  const files = new Map(
    await Promise.all(job.files.map(async ([position, file]) => [position, await readFile(file)] as const)),
  );
  const run = new ProcessRun({
    spec: job.spec,
    createProgram: (request) => ProgramRun.create({ ...request, ...engine }),
    files,
    timeoutNs: task.timeoutNs,
    wallGuardMs: task.wallGuardMs,
    consoleLimitBytes: task.consoleLimitBytes,
    onConsole: ({ uart, tNs, data }) => consoles.push(uart, tNs, data),
    onStep: (record) => feed.step(record),
  });
  const report = (): void => {
    consoles.advance(run.nowNs);
    post({ type: 'progress', virtualNs: run.nowNs, instructions: run.instructions, ...feed.take() });
  };
  const timer = setInterval(report, REPORT_MS);
  listen((message) => {
    if (message.type === 'abort') run.stop(); // nobody types into a program under test
  });
  try {
    const { usage, ...ended } = await run.run();
    consoles.flush();
    const left = ended.end.kind === 'aborted' ? NO_ARTIFACTS : await leftBy(run, usage, task);
    post({ type: 'end', report: ended, results: feed.rest(ended), ...left });
    return usage?.peakMemoryBytes ?? 0;
  } finally {
    clearInterval(timer);
  }
}

/** What the job asks for, and what the program used. */
async function leftBy(run: ProcessRun, usage: ProgramUsage | undefined, task: BoardTask): Promise<LeftArtifacts> {
  const { artifacts, missingArtifacts } = await leaveArtifacts(task, { filesAt: (path) => run.filesAt(path) });
  const used = usage ? [await saveUsage(usage, task.artifactFolder)] : [];
  return { artifacts: [...artifacts, ...used], missingArtifacts };
}

/** What the program used, as a file of the job. */
async function saveUsage(usage: ProgramUsage, folder: string): Promise<SavedArtifact> {
  const bytes = Buffer.from(`${JSON.stringify(usage, null, 2)}\n`);
  const file = path.join(folder, randomUUID());
  await writeFile(file, bytes, { flag: 'wx' });
  return {
    name: USAGE_ARTIFACT,
    file,
    sizeBytes: bytes.length,
    sha256: createHash('sha256').update(bytes).digest('hex'),
  };
}
