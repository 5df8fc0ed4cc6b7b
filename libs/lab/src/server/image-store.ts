import { createHash, randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { Transform, type Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Image, ImagePage } from '../index.js';
import { imageKey, type BlobStore } from './blobs.js';
import type { Database } from './database.js';
import type { Image as ImageRow } from './generated/client.js';
import { admitBytes } from './people/quotas.js';

/** A file on its way in: on this host's disk, hashed, not yet in the store. */
export interface StagedFile {
  readonly path: string;
  readonly name: string;
  readonly sha256: string;
  readonly sizeBytes: number;
}

/** What inspection says about an image. */
export interface Inspection {
  type: string;
  description: string;
  arch?: string | undefined;
  byteOrder?: 'little' | 'big' | undefined;
  bits?: number | undefined;
  entry?: number | undefined;
}

export class FileTooLargeError extends Error {
  override readonly name = 'FileTooLargeError';

  constructor(readonly limitBytes: number) {
    super(`The file is larger than ${limitBytes} bytes`);
  }
}

/** Images: rows in the database, bytes in the blob store under their digest, each once. */
export class ImageStore {
  constructor(
    private readonly database: Database,
    private readonly blobs: BlobStore,
  ) {}

  /**
   * Writes a stream to the staging folder, hashing it on the way.
   * @throws FileTooLargeError
   */
  async stage(source: Readable, name: string, limitBytes: number): Promise<StagedFile> {
    const file = path.join(this.blobs.stagingDir, randomUUID());
    const hash = createHash('sha256');
    let sizeBytes = 0;
    const measure = new Transform({
      transform(chunk: Buffer, _encoding, done) {
        sizeBytes += chunk.length;
        if (sizeBytes > limitBytes) return done(new FileTooLargeError(limitBytes));
        hash.update(chunk);
        done(null, chunk);
      },
    });
    try {
      await pipeline(source, measure, createWriteStream(file));
    } catch (error) {
      await rm(file, { force: true });
      throw error;
    }
    return { path: file, name, sha256: hash.digest('hex'), sizeBytes };
  }

  discard(staged: StagedFile): Promise<void> {
    return rm(staged.path, { force: true });
  }

  /**
   * Takes a staged file into the store; the image of the same bytes when there is one.
   * @throws QuotaExceededError
   */
  async commit(projectId: string, staged: StagedFile, inspection: Inspection): Promise<Image> {
    const known = await this.find(projectId, { sha256: staged.sha256 });
    if (!known) await admitBytes(this.database, projectId, staged.sizeBytes); // before the bytes travel
    const key = imageKey(staged.sha256);
    if (await this.blobs.has(key)) await this.discard(staged);
    else await this.blobs.putFile(key, staged.path);
    const row = await this.database.$transaction(async (tx) => {
      if (!known) await admitBytes(tx, projectId, staged.sizeBytes);
      return tx.image.upsert({
        where: { projectId_sha256: { projectId, sha256: staged.sha256 } },
        update: {},
        create: {
          projectId,
          sha256: staged.sha256,
          name: staged.name,
          sizeBytes: staged.sizeBytes,
          type: inspection.type,
          description: inspection.description,
          arch: inspection.arch ?? null,
          byteOrder: inspection.byteOrder ?? null,
          bits: inspection.bits ?? null,
          entry: inspection.entry ?? null,
        },
      });
    });
    return toImage(row);
  }

  async find(projectId: string, which: { id: string } | { sha256: string }): Promise<Image | undefined> {
    const row = await this.database.image.findFirst({ where: { projectId, ...which } });
    return row ? toImage(row) : undefined;
  }

  /** Newest first. */
  async list(projectId: string, query: { cursor?: string | undefined; limit: number }): Promise<ImagePage> {
    const rows = await this.database.image.findMany({
      where: { projectId },
      orderBy: [{ createdAt: 'desc' }, { id: 'asc' }],
      take: query.limit + 1,
      ...(query.cursor && { cursor: { id: query.cursor }, skip: 1 }),
    });
    const items = rows.slice(0, query.limit).map(toImage);
    return { items, nextCursor: rows.length > query.limit ? (items.at(-1)?.id ?? null) : null };
  }

  localPath(sha256: string): Promise<string> {
    return this.blobs.localPath(imageKey(sha256));
  }
}

export function toImage(row: ImageRow): Image {
  return {
    id: row.id,
    sha256: row.sha256,
    name: row.name,
    sizeBytes: Number(row.sizeBytes),
    type: row.type,
    description: row.description,
    arch: row.arch,
    byteOrder: row.byteOrder === 'little' || row.byteOrder === 'big' ? row.byteOrder : null,
    bits: row.bits,
    entry: row.entry === null ? null : Number(row.entry),
    createdAt: row.createdAt.toISOString(),
  };
}
