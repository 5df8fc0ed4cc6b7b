import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Image, ImageTransfer } from '@bootlab/lab';
import { SingleBar } from 'cli-progress';
import { DetailedError, Upload } from 'tus-js-client';
import { ExitCode, LabError, UsageError } from '../exit-codes.js';
import { labError, type LabClient } from './client.js';
import { sizeText, type Output } from './output.js';

const CHUNK_BYTES = 16 * 2 ** 20;
const RETRY_DELAYS_MS = [0, 1000, 3000, 5000, 10_000, 20_000];
const POLL_MS = 200;

/** SHA-256 of a file, in hexadecimal. @throws UsageError */
export async function digestOf(file: string): Promise<string> {
  const hash = createHash('sha256');
  try {
    for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  } catch (error) {
    throw new UsageError(`cannot read ${file}: ${(error as Error).message}`);
  }
  return hash.digest('hex');
}

/** The image of these bytes in the lab's library, if it is there. */
export async function knownImage(client: LabClient, sha256: string): Promise<Image | undefined> {
  try {
    const image = await client.json<Image>(`/images/sha256:${sha256}`);
    return image.removedAt === null ? image : undefined;
  } catch (error) {
    if (error instanceof LabError && error.status === 404) return undefined;
    throw error;
  }
}

/**
 * Brings a file into the lab's library, unless it is there already; an interrupted line is taken up again.
 * @throws LabError
 */
export async function uploadFile(
  client: LabClient,
  file: string,
  output: Output,
  options: { name?: string; unpack?: boolean; sha256?: string } = {},
): Promise<Image> {
  const sha256 = await digestOf(file);
  if (options.sha256 !== undefined && options.sha256 !== sha256) {
    throw new UsageError(`${file} has the digest sha256:${sha256}, not sha256:${options.sha256}.`);
  }
  const name = options.name ?? path.basename(file);
  const known = options.unpack ? undefined : await knownImage(client, sha256);
  if (known) {
    output.out.write(`${name}: the lab has it\n`);
    return known;
  }
  const { size } = await stat(file);
  const progress = startProgress(name, size, output);
  try {
    const id = await send(
      client,
      file,
      { filename: name, sha256, ...(options.unpack && { unpack: '1' }) },
      size,
      progress,
    );
    return await stored(client, id, progress);
  } finally {
    progress.end();
  }
}

interface Progress {
  sent(bytes: number): void;
  note(text: string): void;
  end(): void;
}

/** A bar on a terminal; elsewhere a line when it begins and one when it is done. */
function startProgress(name: string, sizeBytes: number, { out, live }: Output): Progress {
  if (!live) {
    out.write(`${name}: uploading ${sizeText(sizeBytes)}\n`);
    return { sent: () => undefined, note: (text) => void out.write(`${name}: ${text}\n`), end: () => undefined };
  }
  const bar = new SingleBar({
    stream: out,
    format: '{name} [{bar}] {percentage}% of {size} {note}',
    barCompleteChar: '=',
    barIncompleteChar: ' ',
    hideCursor: true,
    clearOnComplete: false,
    linewrap: false,
    fps: 10,
  });
  const size = sizeText(sizeBytes);
  bar.start(Math.max(1, sizeBytes), 0, { name, size, note: '' });
  return {
    sent: (bytes) => bar.update(sizeBytes === 0 ? 1 : bytes),
    note: (note) => bar.update({ note }),
    end: () => bar.stop(),
  };
}

/** @returns the id of the transfer */
function send(
  client: LabClient,
  file: string,
  metadata: Record<string, string>,
  sizeBytes: number,
  progress: Progress,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const source = createReadStream(file, { highWaterMark: 2 ** 20 });
    source.on('error', reject);
    const upload: Upload = new Upload(source, {
      endpoint: `${client.connection.url}/api/v1/uploads`,
      headers: client.headers(),
      metadata,
      uploadSize: sizeBytes,
      chunkSize: CHUNK_BYTES,
      retryDelays: RETRY_DELAYS_MS,
      onProgress: (sentBytes) => progress.sent(sentBytes),
      onSuccess: () => resolve(upload.url?.split('/').at(-1) ?? ''),
      onError: (error) => reject(errorOf(client, error)),
    });
    upload.start();
  });
}

function errorOf(client: LabClient, error: Error): LabError {
  const response = error instanceof DetailedError ? error.originalResponse : null;
  return response ? labError(response.getStatus(), response.getBody()) : client.unreachable(error);
}

/** Waits until the lab has checked and stored what was sent, or downloaded itself. @throws LabError */
export async function stored(client: LabClient, transferId: string, progress?: Pick<Progress, 'note'>): Promise<Image> {
  for (;;) {
    const { state, image, errors } = await client.json<ImageTransfer>(`/images/transfers/${transferId}`);
    if (state === 'stored' && image) {
      progress?.note('stored');
      return image;
    }
    if (state === 'failed' || state === 'cancelled') {
      const why = errors.map(({ message, mend }) => `${message}. ${mend}`).join(' ');
      throw new LabError(why || 'the transfer was cancelled', ExitCode.usage);
    }
    await sleep(POLL_MS);
  }
}
