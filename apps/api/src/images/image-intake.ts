import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { randomUUID } from 'node:crypto';
import { pipeline } from 'node:stream/promises';
import { Inject, Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import type { FieldError, Image } from '@bootlab/lab';
import {
  FetchRefusedError,
  FileTooLargeError,
  ImageStore,
  ImageTransfers,
  isPackedType,
  QuotaExceededError,
  UNPACK_DEFAULTS,
  UnpackError,
  unpackFile,
  type BlobStore,
  type StagedFile,
  type StoredTransfer,
} from '@bootlab/lab/server';
import { CONFIG, type LabConfig } from '../config.token.js';
import { BLOBS } from '../lab.module.js';
import { problemOfQuota } from '../problem/problem.js';
import { inspectFile } from './inspect-file.js';

const HEARTBEAT_MS = 30_000;
/** After this long without a heartbeat, nobody works on a transfer any more. */
export const SILENT_MS = 10 * HEARTBEAT_MS;

/** A file that is all there and turns out not to be what was asked for. */
class RefusedFileError extends Error {
  constructor(readonly errors: readonly FieldError[]) {
    super(errors[0]?.message);
  }
}

/** What happens to a file between its last byte and the library: digest, unpacking, inspection. */
@Injectable()
export class ImageIntake implements OnApplicationShutdown {
  private readonly logger = new Logger(ImageIntake.name);
  /** What this process works on. */
  private readonly working = new Map<string, AbortController>();

  constructor(
    private readonly images: ImageStore,
    private readonly transfers: ImageTransfers,
    @Inject(BLOBS) private readonly blobs: BlobStore,
    @Inject(CONFIG) private readonly config: LabConfig,
  ) {}

  onApplicationShutdown(): void {
    for (const controller of this.working.values()) controller.abort(new Error('The lab is shutting down'));
  }

  /** Stops what this process does for a transfer; what another one does ends at its next step. */
  stop(id: string): void {
    this.working.get(id)?.abort(new Error('Cancelled'));
  }

  /** Runs work for a transfer to its end; whatever happens is in the transfer then. */
  async run(transfer: StoredTransfer, work: (signal: AbortSignal) => Promise<void>): Promise<void> {
    const { id } = transfer;
    const controller = new AbortController();
    this.working.set(id, controller);
    const heartbeat = setInterval(() => {
      this.transfers.touch(id).catch((error: unknown) => this.logger.warn(`Transfer ${id}: ${String(error)}`));
    }, HEARTBEAT_MS);
    try {
      await work(controller.signal);
    } catch (error) {
      const errors = controller.signal.aborted ? [interrupted(transfer)] : fieldErrorsOf(error, transfer);
      if (!errors) this.logger.error(`Transfer ${id}`, error instanceof Error ? error.stack : error);
      await this.transfers.failed(id, errors ?? [ourFault()]);
    } finally {
      clearInterval(heartbeat);
      this.working.delete(id);
    }
  }

  /** Stores a complete file of a transfer that is being checked. When anybody hears of the end, whichever it is, the file is gone. */
  async store(transfer: StoredTransfer, file: StagedFile, signal: AbortSignal): Promise<void> {
    let image: Image;
    try {
      image = await this.storeChecked(transfer, file, signal);
    } finally {
      await this.images.discard(file);
    }
    await this.transfers.stored(transfer.id, image.id);
  }

  /** A file on this host's disk, with its digest. */
  async digest(file: string, name: string, signal: AbortSignal): Promise<StagedFile> {
    const hash = createHash('sha256');
    let sizeBytes = 0;
    await pipeline(
      createReadStream(file),
      async (chunks: AsyncIterable<Buffer>) => {
        for await (const chunk of chunks) {
          hash.update(chunk);
          sizeBytes += chunk.length;
        }
      },
      { signal },
    );
    return { path: file, name, sha256: hash.digest('hex'), sizeBytes };
  }

  private async storeChecked(transfer: StoredTransfer, file: StagedFile, signal: AbortSignal): Promise<Image> {
    const { expectedSha256, projectId } = transfer;
    if (expectedSha256 !== undefined && expectedSha256 !== file.sha256) {
      const message = `The file has the digest sha256:${file.sha256}, not sha256:${expectedSha256}`;
      throw new RefusedFileError([{ field: 'sha256', message, mend: 'Check the file, or the digest.' }]);
    }
    const origin = transfer.url === undefined ? 'Uploaded' : `Imported from ${transfer.url}`;
    const inspection = await inspectFile(file);
    if (!transfer.unpack || !isPackedType(inspection.type)) {
      signal.throwIfAborted();
      return this.images.commit(projectId, file, inspection, origin);
    }
    const to = path.join(this.blobs.stagingDir, randomUUID());
    const limits = { ...UNPACK_DEFAULTS, maxBytes: this.config.maxUploadBytes };
    const unpacked = await unpackFile(inspection.type, file.path, to, limits, { signal });
    try {
      const staged: StagedFile = { ...unpacked, name: file.name.replace(/\.(gz|xz|zst|bz2)$/i, '') || file.name };
      const packed = `${origin}; unpacked from ${file.name} (${inspection.type}, sha256:${file.sha256})`;
      const inside = await inspectFile(staged);
      signal.throwIfAborted();
      return await this.images.commit(projectId, staged, inside, packed);
    } finally {
      await rm(to, { force: true });
    }
  }
}

/** What whoever sent the file can do about it; undefined when it is nothing of his. */
function fieldErrorsOf(error: unknown, { kind }: StoredTransfer): readonly FieldError[] | undefined {
  if (error instanceof RefusedFileError) return error.errors;
  if (error instanceof UnpackError) return [{ field: 'unpack', message: error.message, mend: error.mend }];
  if (error instanceof FetchRefusedError) return [{ field: 'url', message: error.message, mend: error.mend }];
  if (error instanceof QuotaExceededError) return problemOfQuota(error).errors;
  if (error instanceof FileTooLargeError) {
    const field = kind === 'import' ? 'url' : 'file';
    return [{ field, message: error.message, mend: 'Send a smaller file.' }];
  }
  return undefined;
}

const ourFault = (): FieldError => ({
  field: 'file',
  message: 'The lab failed to store this file; its log says why',
  mend: 'Try again, or tell the operator.',
});

const interrupted = ({ kind }: StoredTransfer): FieldError => ({
  field: kind === 'import' ? 'url' : 'file',
  message: 'The lab was stopped while it worked on this file',
  mend: 'Send it again.',
});
