import type { Readable } from 'node:stream';
import type { BlobStore, ByteRange } from './blobs.js';
import type { Database } from './database.js';

/** An artifact, and where its bytes lie. */
export interface ArtifactRecord {
  readonly jobId: string;
  readonly name: string;
  readonly contentType: string;
  readonly sizeBytes: number;
  /** Hexadecimal. */
  readonly sha256: string;
  readonly blobKey: string;
}

const DAY_MS = 86_400_000;
const AT_ONCE = 500;

/** Files that jobs left behind: rows in the database, bytes in the blob store. */
export class ArtifactStore {
  constructor(
    private readonly database: Database,
    private readonly blobs: BlobStore,
  ) {}

  async find(jobId: string, name: string): Promise<ArtifactRecord | undefined> {
    const row = await this.database.artifact.findUnique({ where: { jobId_name: { jobId, name } } });
    return row ? { ...row, sizeBytes: Number(row.sizeBytes) } : undefined;
  }

  /** @param range both ends included; default: all */
  read({ blobKey }: ArtifactRecord, range?: ByteRange): Promise<Readable> {
    return this.blobs.read(blobKey, range);
  }

  /**
   * Deletes an artifact; its job says from then on why it is gone. Again, or on two hosts at once, does no harm.
   * @returns false when there was none
   */
  async remove({ jobId, name, blobKey }: ArtifactRecord, reason: string): Promise<boolean> {
    // Bytes first: a lab that is killed in between deletes the row the next time, and no bytes stay that nobody knows of.
    await this.blobs.delete(blobKey);
    return this.database.$transaction(async (tx) => {
      const { count } = await tx.artifact.deleteMany({ where: { jobId, name } });
      if (count === 0) return false;
      await tx.$executeRaw`
        UPDATE "Job" SET "missingArtifacts" = "missingArtifacts" || ${JSON.stringify([{ name, reason }])}::jsonb
        WHERE "id" = ${jobId}::uuid`;
      return true;
    });
  }

  /** Removes artifacts that are older than the lab keeps them. */
  async collect(retentionMs: number): Promise<{ removed: number; errors: Error[] }> {
    const errors: Error[] = [];
    let removed = 0;
    const rows = await this.database.artifact.findMany({
      where: { createdAt: { lt: new Date(Date.now() - retentionMs) } },
      orderBy: { createdAt: 'asc' },
      take: AT_ONCE,
    });
    for (const row of rows) {
      const artifact = { ...row, sizeBytes: Number(row.sizeBytes) };
      try {
        const days = Math.round(retentionMs / DAY_MS);
        if (await this.remove(artifact, `Artifacts are kept for ${days} days`)) removed++;
      } catch (error) {
        errors.push(new Error(`Artifact ${row.name} of job ${row.jobId} was not deleted`, { cause: error }));
      }
    }
    return { removed, errors };
  }
}
