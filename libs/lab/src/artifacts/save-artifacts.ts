import { createHash } from 'node:crypto';
import { open, rm } from 'node:fs/promises';
import type { MissingArtifact } from '../job.js';
import { driveOf, type ArtifactRequest } from '../spec/job-spec.js';
import { formatSize } from '../units.js';
import { guestBytes, piecesOf, type GuestFile, type ReadableBytes } from './guest-archive.js';

/** An artifact in a file of this host. */
export interface SavedArtifact {
  readonly name: string;
  readonly file: string;
  readonly sizeBytes: number;
  /** Hexadecimal. */
  readonly sha256: string;
}

/** What a run has left to take artifacts from. */
export interface ArtifactSources {
  /** In the order of the spec's `images.drives`, as the guest left them. */
  readonly drives?: readonly ReadableBytes[];
  /** What is at a path of a program's tree; nothing where there is nothing. */
  filesAt?(path: string): Iterable<GuestFile>;
}

export interface SaveOptions {
  /** Where an artifact goes: the path of a file that is not there yet. */
  fileFor(name: string): string;
  /** Of all artifacts together. */
  readonly limitBytes?: number;
}

class LimitError extends Error {}

/** Writes the artifacts that a job asks for. One that cannot be had does not keep the others from being saved. */
export async function saveArtifacts(
  requests: readonly ArtifactRequest[],
  sources: ArtifactSources,
  { fileFor, limitBytes = Infinity }: SaveOptions,
): Promise<{ saved: SavedArtifact[]; missing: MissingArtifact[] }> {
  const saved: SavedArtifact[] = [];
  const missing: MissingArtifact[] = [];
  let left = limitBytes;
  for (const request of requests) {
    const bytes = bytesOf(request, sources);
    if (!bytes) {
      const what = request.path === undefined ? 'The board had no such drive' : `There is nothing at ${request.path}`;
      missing.push({ name: request.as, reason: `${what} after the run` });
      continue;
    }
    const file = fileFor(request.as);
    try {
      const written = await writeHashed(bytes, file, left);
      left -= written.sizeBytes;
      saved.push({ name: request.as, file, ...written });
    } catch (error) {
      await rm(file, { force: true });
      if (!(error instanceof LimitError)) throw error;
      const reason = `With it the artifacts of this job would be larger than ${formatSize(limitBytes)} together`;
      missing.push({ name: request.as, reason });
    }
  }
  return { saved, missing };
}

function bytesOf(
  request: ArtifactRequest,
  { drives = [], filesAt }: ArtifactSources,
): Iterable<Uint8Array> | AsyncIterable<Uint8Array> | undefined {
  if (request.path !== undefined) return filesAt && guestBytes(filesAt(request.path));
  const drive = drives[driveOf(request) ?? -1];
  return drive && piecesOf(drive);
}

async function writeHashed(
  pieces: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  file: string,
  limitBytes: number,
): Promise<{ sizeBytes: number; sha256: string }> {
  const hash = createHash('sha256');
  let sizeBytes = 0;
  const target = await open(file, 'wx');
  try {
    for await (const piece of pieces) {
      sizeBytes += piece.length;
      if (sizeBytes > limitBytes) throw new LimitError();
      hash.update(piece);
      await target.writeFile(piece);
    }
  } finally {
    await target.close();
  }
  return { sizeBytes, sha256: hash.digest('hex') };
}
