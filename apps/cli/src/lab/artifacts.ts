import { createHash } from 'node:crypto';
import { createReadStream, mkdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ArtifactInfo, ArtifactList, Job } from '@bootlab/lab';
import { ExitCode, LabError, UsageError } from '../exit-codes.js';
import type { LabClient } from './client.js';
import { columns, printable, sizeText, type Output } from './output.js';

/** As the lab's schema has them: what is named otherwise is not written anywhere, whatever the lab says. */
const SAFE_NAME = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}$/;
const TRIES = 5;
const FIRST_PAUSE_MS = 500;

export interface ArtifactOptions {
  /** Which; none: all. */
  names: readonly string[];
  /** Folder to save them in; undefined: they are listed. */
  save?: string;
  json: boolean;
}

/** Lists or saves what a job left behind. @returns the exit status */
export async function artifacts(
  client: LabClient,
  jobId: string,
  { names, save, json }: ArtifactOptions,
  output: Output,
): Promise<number> {
  const list = await client.json<ArtifactList>(`/jobs/${encodeURIComponent(jobId)}/artifacts`);
  const wanted = names.length === 0 ? list.items : names.map((name) => artifactOf(list, name));
  if (save !== undefined) {
    makeFolder('--save', save);
    await saveAll(client, jobId, wanted, save, output);
  } else if (json) {
    output.out.write(`${JSON.stringify({ ...list, items: wanted }, null, 2)}\n`);
  } else {
    const rows = wanted.map(({ name, sizeBytes, sha256 }) => [printable(name), sizeText(sizeBytes), sha256]);
    output.out.write(columns([['NAME', 'SIZE', 'SHA-256'], ...rows]));
  }
  if (!json && names.length === 0) tellMissing(list.missing, output);
  return ExitCode.pass;
}

/** Saves what jobs left behind: of one job into the folder, of several into folders 1, 2, … in it. */
export async function saveArtifactsOf(
  client: LabClient,
  jobs: readonly Job[],
  folder: string,
  output: Output,
): Promise<void> {
  for (const [index, job] of jobs.entries()) {
    const target = jobs.length === 1 ? folder : path.join(folder, String(index + 1));
    makeFolder('--artifacts', target);
    await saveAll(client, job.id, job.artifacts, target, output);
    tellMissing(job.missingArtifacts, output);
  }
}

/** Fails early where a folder cannot be written to. @throws UsageError */
export function makeFolder(option: string, folder: string): void {
  try {
    mkdirSync(folder, { recursive: true });
  } catch (error) {
    throw new UsageError(`${option}: cannot create the folder: ${(error as Error).message}. Name another one.`);
  }
}

function artifactOf({ items, missing }: ArtifactList, name: string): ArtifactInfo {
  const found = items.find((item) => item.name === name);
  if (found) return found;
  const reason = missing.find((each) => each.name === name)?.reason;
  const names = items.map((item) => item.name).join(', ') || 'none';
  throw new UsageError(`the job has no artifact ${name}${reason ? ` (${printable(reason)})` : ''}. It has: ${names}.`);
}

function tellMissing(missing: ArtifactList['missing'], { out }: Output): void {
  for (const { name, reason } of missing) out.write(`${printable(name)} is not there: ${printable(reason)}\n`);
}

async function saveAll(
  client: LabClient,
  jobId: string,
  wanted: readonly ArtifactInfo[],
  folder: string,
  { out }: Output,
): Promise<void> {
  for (const artifact of wanted) {
    if (!SAFE_NAME.test(artifact.name)) {
      throw new LabError(
        `the lab names an artifact "${printable(artifact.name)}", which is no file name`,
        ExitCode.internal,
      );
    }
    const file = path.join(folder, artifact.name);
    await download(client, `/jobs/${encodeURIComponent(jobId)}/artifacts/${artifact.name}`, artifact, file);
    out.write(`${file}: ${sizeText(artifact.sizeBytes)}\n`);
  }
}

/**
 * Fetches an artifact beside its place, goes on where a line broke, and puts it in place when its digest is right.
 * @throws LabError, UsageError
 */
async function download(
  client: LabClient,
  address: string,
  { sha256, sizeBytes }: ArtifactInfo,
  file: string,
): Promise<void> {
  const part = `${file}.part`;
  rmSync(part, { force: true });
  for (let attempt = 1; ; attempt++) {
    try {
      await fetchRest(client, address, { sha256, sizeBytes }, part);
      break;
    } catch (error) {
      const answered = error instanceof LabError && error.exitCode === ExitCode.usage;
      if (answered || error instanceof UsageError || attempt === TRIES) {
        rmSync(part, { force: true });
        throw error instanceof LabError || error instanceof UsageError ? error : client.unreachable(error);
      }
      await sleep(FIRST_PAUSE_MS * 2 ** (attempt - 1));
    }
  }
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(part)) hash.update(chunk as Buffer);
  if (statSync(part).size !== sizeBytes || hash.digest('hex') !== sha256) {
    rmSync(part, { force: true });
    throw new LabError(`${file} is not what the lab has: the digest differs`, ExitCode.internal);
  }
  renameSync(part, file);
}

/** Appends what a file lacks yet. */
async function fetchRest(
  client: LabClient,
  address: string,
  { sha256, sizeBytes }: Pick<ArtifactInfo, 'sha256' | 'sizeBytes'>,
  part: string,
): Promise<void> {
  const have = statSync(part, { throwIfNoEntry: false })?.size ?? 0;
  if (have > 0 && have === sizeBytes) return;
  const headers: Record<string, string> = have > 0 ? { range: `bytes=${have}-`, 'if-range': `"${sha256}"` } : {};
  const response = await client.request(address, { headers });
  const flags = response.status === 206 ? 'a' : 'w';
  const unwritable = (error: Error): never => {
    throw new UsageError(`cannot write ${part}: ${error.message}`);
  };
  const target = await open(part, flags).catch(unwritable);
  try {
    // Fetch's bodies can be iterated in Node, which the type of the browser's does not say; without one there are no bytes.
    const pieces = (response.body ?? []) as AsyncIterable<Uint8Array> | [];
    for await (const piece of pieces) await target.writeFile(piece).catch(unwritable);
  } finally {
    await target.close();
  }
}
