import type { FieldError, Image, ImageTransfer } from '../index.js';
import type { Database } from './database.js';
import type { Prisma, ImageTransfer as TransferRow } from './generated/client.js';
import { toImage } from './image-store.js';

export type TransferState = ImageTransfer['state'];

export interface NewTransfer {
  readonly id: string;
  readonly projectId: string;
  readonly kind: ImageTransfer['kind'];
  readonly name: string;
  readonly url?: string;
  readonly sizeBytes?: number | null;
  readonly expectedSha256?: string | undefined;
  readonly unpack: boolean;
}

/** A transfer with what its receiver needs to know of it. */
export interface StoredTransfer extends NewTransfer {
  readonly state: TransferState;
}

/** Ended ones are shown for this long. */
const SHOWN_MS = 86_400_000;

/** Files on their way into the image libraries: uploads and imports, in the database. Changes of state are conditional. */
export class ImageTransfers {
  constructor(private readonly database: Database) {}

  async create(transfer: NewTransfer): Promise<void> {
    const { expectedSha256 = null, ...data } = transfer;
    await this.database.imageTransfer.create({ data: { ...data, expectedSha256 } });
  }

  async find(projectId: string, id: string): Promise<StoredTransfer | undefined> {
    const row = await this.database.imageTransfer.findFirst({ where: { id, projectId } });
    return row ? toStored(row) : undefined;
  }

  /** Of any project: for the lab's own work on it. */
  async byId(id: string): Promise<StoredTransfer | undefined> {
    const row = await this.database.imageTransfer.findUnique({ where: { id } });
    return row ? toStored(row) : undefined;
  }

  async get(projectId: string, id: string): Promise<ImageTransfer | undefined> {
    const row = await this.database.imageTransfer.findFirst({ where: { id, projectId } });
    return row ? (await this.withImages(projectId, [row]))[0] : undefined;
  }

  /** Those of the last day, newest first. */
  async list(projectId: string): Promise<ImageTransfer[]> {
    const rows = await this.database.imageTransfer.findMany({
      where: { projectId, createdAt: { gt: new Date(Date.now() - SHOWN_MS) } },
      orderBy: [{ createdAt: 'desc' }, { id: 'asc' }],
      take: 100,
    });
    return this.withImages(projectId, rows);
  }

  /** How many of a project's have not ended. */
  open(projectId: string): Promise<number> {
    return this.database.imageTransfer.count({ where: { projectId, state: { in: ['receiving', 'checking'] } } });
  }

  /** Says that somebody still works on it. */
  async touch(id: string): Promise<void> {
    await this.database.imageTransfer.updateMany({ where: { id }, data: { updatedAt: new Date() } });
  }

  async progress(id: string, receivedBytes: number, sizeBytes?: number | null): Promise<void> {
    await this.database.imageTransfer.updateMany({
      where: { id },
      data: { receivedBytes, ...(sizeBytes !== undefined && { sizeBytes }) },
    });
  }

  /** False when it had ended meanwhile. */
  async startChecking(id: string, sizeBytes: number): Promise<boolean> {
    const { count } = await this.database.imageTransfer.updateMany({
      where: { id, state: 'receiving' },
      data: { state: 'checking', receivedBytes: sizeBytes, sizeBytes },
    });
    return count > 0;
  }

  async stored(id: string, imageId: string): Promise<void> {
    await this.database.imageTransfer.updateMany({
      where: { id, state: 'checking' },
      data: { state: 'stored', imageId },
    });
  }

  async failed(id: string, errors: readonly FieldError[]): Promise<void> {
    await this.database.imageTransfer.updateMany({
      where: { id, state: { in: ['receiving', 'checking'] } },
      data: { state: 'failed', errors: errors.map((error) => ({ ...error })) },
    });
  }

  /** False when it had ended already. */
  async cancel(projectId: string, id: string): Promise<boolean> {
    const { count } = await this.database.imageTransfer.updateMany({
      where: { id, projectId, state: { in: ['receiving', 'checking'] } },
      data: { state: 'cancelled' },
    });
    return count > 0;
  }

  /**
   * Fails what can no longer end by itself: uploads that took too long, and what a lab worked on that is gone.
   * @param silentMs how long a working lab is silent at most
   */
  async expire(uploadExpiryMs: number, silentMs: number): Promise<void> {
    const late = new Date(Date.now() - uploadExpiryMs);
    const silent = new Date(Date.now() - silentMs);
    await this.fail({ kind: 'upload', state: 'receiving', createdAt: { lt: late } }, 'The upload took too long');
    const abandoned: Prisma.ImageTransferWhereInput = {
      updatedAt: { lt: silent },
      OR: [{ state: 'checking' }, { kind: 'import', state: 'receiving' }],
    };
    await this.fail(abandoned, 'The lab was stopped while it worked on this file');
  }

  private async fail(where: Prisma.ImageTransferWhereInput, message: string): Promise<void> {
    const errors = [{ field: 'file', message, mend: 'Send it again.' }];
    await this.database.imageTransfer.updateMany({ where, data: { state: 'failed', errors } });
  }

  private async withImages(projectId: string, rows: readonly TransferRow[]): Promise<ImageTransfer[]> {
    const ids = rows.flatMap(({ imageId }) => imageId ?? []);
    const found = await this.database.image.findMany({ where: { projectId, id: { in: ids } } });
    const images = new Map(found.map((row) => [row.id, toImage(row)]));
    return rows.map((row) => toTransfer(row, images.get(row.imageId ?? '') ?? null));
  }
}

function toStored(row: TransferRow): StoredTransfer {
  return {
    id: row.id,
    projectId: row.projectId,
    kind: row.kind,
    name: row.name,
    ...(row.url !== null && { url: row.url }),
    sizeBytes: row.sizeBytes === null ? null : Number(row.sizeBytes),
    expectedSha256: row.expectedSha256 ?? undefined,
    unpack: row.unpack,
    state: row.state,
  };
}

function toTransfer(row: TransferRow, image: Image | null): ImageTransfer {
  return {
    id: row.id,
    kind: row.kind,
    name: row.name,
    url: row.url,
    state: row.state,
    sizeBytes: row.sizeBytes === null ? null : Number(row.sizeBytes),
    receivedBytes: Number(row.receivedBytes),
    image,
    errors: (row.errors ?? []) as unknown as FieldError[], // written by failed() and expire() alone
    createdAt: row.createdAt.toISOString(),
  };
}
