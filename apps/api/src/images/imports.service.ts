import { randomUUID } from 'node:crypto';
import { Transform } from 'node:stream';
import { Inject, Injectable } from '@nestjs/common';
import { imageName, type ImageTransfer, type ImportRequest } from '@bootlab/lab';
import {
  guardedFetch,
  ImageStore,
  ImageTransfers,
  type NewTransfer,
  type Principal,
  type StoredTransfer,
} from '@bootlab/lab/server';
import { CONFIG, type LabConfig } from '../config.token.js';
import { invalidField, notFound, ProblemError } from '../problem/problem.js';
import { ImageIntake } from './image-intake.js';
import { isUuid } from './images.service.js';

const IMPORT_MS = 3_600_000;
const PROGRESS_MS = 1000;
const MAX_OPEN = 50;

/** Imports by URL, and what is known of every file on its way into the library. */
@Injectable()
export class ImportsService {
  constructor(
    private readonly transfers: ImageTransfers,
    private readonly images: ImageStore,
    private readonly intake: ImageIntake,
    @Inject(CONFIG) private readonly config: LabConfig,
  ) {}

  list(principal: Principal): Promise<ImageTransfer[]> {
    return this.transfers.list(principal.projectId);
  }

  async get(principal: Principal, id: string): Promise<ImageTransfer> {
    const transfer = isUuid(id) ? await this.transfers.get(principal.projectId, id) : undefined;
    if (!transfer) throw notFound(`transfer "${id}"`);
    return transfer;
  }

  /** Ends a transfer; one that has ended stays as it is. */
  async cancel(principal: Principal, id: string): Promise<ImageTransfer> {
    if (isUuid(id) && (await this.transfers.cancel(principal.projectId, id))) this.intake.stop(id);
    return this.get(principal, id);
  }

  /** @throws ProblemError when too many transfers of the project are open */
  async refuseTooMany(projectId: string): Promise<void> {
    if ((await this.transfers.open(projectId)) < MAX_OPEN) return;
    throw new ProblemError(429, `${MAX_OPEN} files are on their way already; wait for some of them, or cancel them`);
  }

  /** Starts a download, which goes on after the answer. */
  async start(principal: Principal, { url, name, sha256, unpack }: ImportRequest): Promise<ImageTransfer> {
    if (!URL.canParse(url)) {
      throw invalidField('url', `"${url}" is no address`, 'Give a whole one, such as https://host/file.');
    }
    await this.refuseTooMany(principal.projectId);
    const transfer: NewTransfer = {
      id: randomUUID(),
      projectId: principal.projectId,
      kind: 'import',
      name: name ?? imageName(decodedPath(url)),
      url,
      expectedSha256: sha256,
      unpack,
    };
    await this.transfers.create(transfer);
    const stored: StoredTransfer = { ...transfer, state: 'receiving' };
    void this.intake.run(stored, (signal) => this.download(stored, url, signal));
    return this.get(principal, transfer.id);
  }

  private async download(transfer: StoredTransfer, url: string, signal: AbortSignal): Promise<void> {
    const { maxUploadBytes: maxBytes, importHosts: allowedHosts } = this.config;
    const { body, sizeBytes } = await guardedFetch(url, { maxBytes, allowedHosts, timeMs: IMPORT_MS, signal });
    await this.transfers.progress(transfer.id, 0, sizeBytes);
    let receivedBytes = 0;
    const timer = setInterval(() => {
      // A figure for people: the next one makes up for a lost one.
      this.transfers.progress(transfer.id, receivedBytes).catch(() => undefined);
    }, PROGRESS_MS);
    const count = new Transform({
      transform(chunk: Buffer, _encoding, done) {
        receivedBytes += chunk.length;
        done(null, chunk);
      },
    });
    body.on('error', (error) => count.destroy(error));
    const file = await this.images
      .stage(body.pipe(count), transfer.name, maxBytes)
      .finally(() => clearInterval(timer))
      .finally(() => body.destroy());
    if (!(await this.transfers.startChecking(transfer.id, file.sizeBytes))) return this.images.discard(file); // cancelled
    await this.intake.store(transfer, file, signal);
  }
}

function decodedPath(url: string): string {
  const { pathname } = new URL(url);
  try {
    return decodeURIComponent(pathname);
  } catch {
    return pathname; // a % that encodes nothing
  }
}
