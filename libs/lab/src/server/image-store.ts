import { createHash, randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { Transform, type Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Image, ImageChange, ImagePage } from '../index.js';
import { imageKey, type BlobStore } from './blobs.js';
import type { Database } from './database.js';
import { Prisma, type Image as ImageRow } from './generated/client.js';
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

/** The image cannot be removed now. */
export class ImageInUseError extends Error {
  override readonly name = 'ImageInUseError';

  constructor(readonly jobId: string) {
    super(`Job ${jobId} uses the image and has not ended`);
  }
}

/** What garbage collection goes by. */
export interface CollectOptions {
  /** How long images are kept that no job uses, in projects that say nothing of their own. */
  readonly retentionMs: number;
  /** How long bytes stay that nothing names any more; longer than any upload takes to store what it has received. */
  readonly graceMs: number;
}

export interface Collected {
  /** Images taken out of the library. */
  readonly images: number;
  readonly blobs: number;
  readonly blobErrors: readonly Error[];
}

const DAY_MS = 86_400_000;
const BLOB_DELETE_MS = 60_000;

/** Whether an image in some library, or a job that has not ended, names this digest. */
const needed = (sha256: Prisma.Sql): Prisma.Sql => Prisma.sql`EXISTS (
  SELECT 1 FROM "Image" WHERE "Image"."sha256" = ${sha256} AND (
    "Image"."removedAt" IS NULL OR EXISTS (
      SELECT 1 FROM "JobImage" JOIN "Job" ON "Job"."id" = "JobImage"."jobId"
      WHERE "JobImage"."imageId" = "Image"."id" AND "Job"."state" <> 'ended')))`;

/**
 * Images: rows in the database, bytes in the blob store under their digest, each once.
 *
 * Garbage collection runs beside uploads and jobs, on any number of hosts. Three rules keep bytes that are needed:
 * an upload touches the digest's row in "Blob" before it looks whether the bytes are there, collection locks that row
 * and leaves alone what was touched within the grace; an image that a job names is touched first; and what a job uses
 * that has not ended is never collected, whether or not the image is still in the library.
 */
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
   * @param origin where it comes from, for a person to read
   * @throws QuotaExceededError
   */
  async commit(projectId: string, staged: StagedFile, inspection: Inspection, origin?: string): Promise<Image> {
    const { sha256 } = staged;
    const known = await this.database.image.findFirst({ where: { projectId, sha256, removedAt: null } });
    if (!known) await admitBytes(this.database, projectId, staged.sizeBytes); // before the bytes travel
    const key = imageKey(sha256);
    const touchedAt = new Date();
    // Before looking: from here on, and for the grace, nobody deletes these bytes.
    await this.database.blob.upsert({ where: { sha256 }, update: { touchedAt }, create: { sha256, touchedAt } });
    if (await this.blobs.has(key)) await this.discard(staged);
    else await this.blobs.putFile(key, staged.path);
    const described = {
      name: staged.name,
      type: inspection.type,
      description: inspection.description,
      arch: inspection.arch ?? null,
      byteOrder: inspection.byteOrder ?? null,
      bits: inspection.bits ?? null,
      entry: inspection.entry ?? null,
      origin: origin ?? null,
    };
    const where = { projectId_sha256: { projectId, sha256 } };
    const create = { ...described, projectId, sha256, sizeBytes: staged.sizeBytes };
    return this.database.$transaction(async (tx) => {
      if (!known) await admitBytes(tx, projectId, staged.sizeBytes);
      await tx.image.upsert({ where, update: { lastUsedAt: touchedAt }, create });
      // An image that had been removed comes back under its new name, and as new.
      await tx.image.updateMany({
        where: { projectId, sha256, removedAt: { not: null } },
        data: { ...described, removedAt: null, kept: false, createdAt: touchedAt },
      });
      return toImage(await tx.image.findUniqueOrThrow({ where }));
    });
  }

  /** An image of the library, or one that was removed while jobs still show it. */
  async find(projectId: string, which: { id: string } | { sha256: string }): Promise<Image | undefined> {
    const row = await this.database.image.findFirst({ where: { projectId, ...which } });
    return row ? toImage(row) : undefined;
  }

  /** An image of the library that a job is about to use: retention then leaves it alone. */
  async use(projectId: string, which: { id: string } | { sha256: string }): Promise<Image | undefined> {
    const where = { projectId, removedAt: null, ...which };
    const { count } = await this.database.image.updateMany({ where, data: { lastUsedAt: new Date() } });
    return count === 0 ? undefined : this.find(projectId, which);
  }

  /** Newest first. */
  async list(projectId: string, query: { cursor?: string | undefined; limit: number }): Promise<ImagePage> {
    const rows = await this.database.image.findMany({
      where: { projectId, removedAt: null },
      orderBy: [{ createdAt: 'desc' }, { id: 'asc' }],
      take: query.limit + 1,
      ...(query.cursor && { cursor: { id: query.cursor }, skip: 1 }),
    });
    const items = rows.slice(0, query.limit).map(toImage);
    return { items, nextCursor: rows.length > query.limit ? (items.at(-1)?.id ?? null) : null };
  }

  /** The image as it is after the change; undefined when it is not in the library. */
  async change(projectId: string, id: string, { name, kept }: ImageChange): Promise<Image | undefined> {
    const data = { ...(name !== undefined && { name }), ...(kept !== undefined && { kept }) };
    const { count } = await this.database.image.updateMany({ where: { id, projectId, removedAt: null }, data });
    return count === 0 ? undefined : this.find(projectId, { id });
  }

  /**
   * Takes an image out of the library. Its bytes go when nothing else names them.
   * @returns false when it is not in the library
   * @throws ImageInUseError
   */
  async remove(projectId: string, id: string): Promise<boolean> {
    const unfinished = { state: { not: 'ended' } } as const;
    const { count } = await this.database.image.updateMany({
      where: { id, projectId, removedAt: null, uses: { none: { job: unfinished } } },
      data: { removedAt: new Date() },
    });
    if (count > 0) return true;
    const use = await this.database.jobImage.findFirst({
      where: { imageId: id, job: unfinished, image: { projectId, removedAt: null } },
    });
    if (use) throw new ImageInUseError(use.jobId);
    return false;
  }

  /** The bytes of an image, as a stream. */
  read(sha256: string): Promise<Readable> {
    return this.blobs.read(imageKey(sha256));
  }

  /** Days that a project keeps unused images; null when it goes by the lab's setting. */
  async retentionDays(projectId: string): Promise<number | null> {
    const project = await this.database.project.findUniqueOrThrow({ where: { id: projectId } });
    return project.imageRetentionDays;
  }

  async setRetentionDays(projectId: string, days: number | null): Promise<void> {
    await this.database.project.update({ where: { id: projectId }, data: { imageRetentionDays: days } });
  }

  /** Retention, then garbage collection. Safe to run at any time, beside itself too. */
  async collect(options: CollectOptions): Promise<Collected> {
    const images = await this.retire(options);
    await this.forget(options);
    return { images, ...(await this.collectBlobs(options)) };
  }

  /** Takes images out of the library that nobody has used for the time that their project keeps them. */
  private async retire({ retentionMs }: CollectOptions): Promise<number> {
    const projects = await this.database.project.findMany({ select: { id: true, imageRetentionDays: true } });
    let retired = 0;
    for (const { id: projectId, imageRetentionDays: days } of projects) {
      const before = new Date(Date.now() - (days === null ? retentionMs : days * DAY_MS));
      const { count } = await this.database.image.updateMany({
        where: {
          projectId,
          removedAt: null,
          kept: false,
          lastUsedAt: { lt: before },
          uses: { none: { job: { OR: [{ endedAt: null }, { endedAt: { gte: before } }] } } },
        },
        data: { removedAt: new Date() },
      });
      retired += count;
    }
    return retired;
  }

  /** Deletes rows of removed images that no job shows. The grace is for jobs that are being submitted. */
  private async forget({ graceMs }: CollectOptions): Promise<void> {
    await this.database.image.deleteMany({
      where: { removedAt: { lt: new Date(Date.now() - graceMs) }, uses: { none: {} } },
    });
  }

  private async collectBlobs({ graceMs }: CollectOptions): Promise<Omit<Collected, 'images'>> {
    const before = new Date(Date.now() - graceMs);
    const candidates = await this.database.$queryRaw<{ sha256: string }[]>`
      SELECT "sha256" FROM "Blob" WHERE "touchedAt" < ${before} AND NOT ${needed(Prisma.sql`"Blob"."sha256"`)}`;
    let blobs = 0;
    const blobErrors: Error[] = [];
    for (const { sha256 } of candidates) {
      try {
        if (await this.collectBlob(sha256, before)) blobs++;
      } catch (error) {
        blobErrors.push(new Error(`Blob ${sha256} could not be deleted`, { cause: error }));
      }
    }
    return { blobs, blobErrors };
  }

  private collectBlob(sha256: string, before: Date): Promise<boolean> {
    return this.database.$transaction(
      async (tx) => {
        // Locked until the bytes are gone: an upload of the same bytes waits, and then sees that they are not there.
        const rows = await tx.$queryRaw<unknown[]>`
          SELECT 1 FROM "Blob" WHERE "sha256" = ${sha256} AND "touchedAt" < ${before} FOR UPDATE SKIP LOCKED`;
        if (rows.length === 0) return false;
        // Asked anew under the lock: an upload may have named it since the list was made.
        const [row] = await tx.$queryRaw<{ needed: boolean }[]>`SELECT ${needed(Prisma.sql`${sha256}`)} AS "needed"`;
        if (row?.needed !== false) return false;
        await this.blobs.delete(imageKey(sha256));
        await tx.blob.delete({ where: { sha256 } });
        return true;
      },
      { timeout: BLOB_DELETE_MS },
    );
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
    origin: row.origin,
    kept: row.kept,
    lastUsedAt: row.lastUsedAt.toISOString(),
    removedAt: row.removedAt?.toISOString() ?? null,
  };
}
