import { readdir, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { Inject, Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import {
  AdvisoryLocks,
  ArtifactStore,
  ImageStore,
  ImageTransfers,
  WebhookStore,
  type BlobStore,
} from '@bootlab/lab/server';
import { CONFIG, type LabConfig } from '../config.token.js';
import { BLOBS } from '../lab.module.js';
import { SILENT_MS } from './image-intake.js';
import { UploadsService } from './uploads.service.js';

const INTERVAL_MS = 600_000;
/** Longer than anything is on its way between the staging folder and the library. */
const GRACE_MS = 86_400_000;
/** How long the log shows what webhooks were sent. */
const DELIVERIES_KEPT_MS = 30 * 86_400_000;

/** Keeps what is stored in order: unfinished uploads, forgotten staging files, retention, garbage collection. */
@Injectable()
export class ImageJanitor implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly logger = new Logger(ImageJanitor.name);
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> = Promise.resolve();

  constructor(
    private readonly images: ImageStore,
    private readonly artifacts: ArtifactStore,
    private readonly webhooks: WebhookStore,
    private readonly locks: AdvisoryLocks,
    private readonly transfers: ImageTransfers,
    private readonly uploads: UploadsService,
    @Inject(BLOBS) private readonly blobs: BlobStore,
    @Inject(CONFIG) private readonly config: LabConfig,
  ) {}

  onApplicationBootstrap(): void {
    this.timer = setInterval(() => void this.run(), INTERVAL_MS);
    this.timer.unref();
  }

  async onApplicationShutdown(): Promise<void> {
    clearInterval(this.timer);
    await this.running;
  }

  /** Every part is safe beside uploads, jobs, and janitors of other hosts. */
  run(graceMs = GRACE_MS): Promise<void> {
    this.running = this.running
      .then(() => this.tidy(graceMs))
      .catch((error: unknown) => {
        this.logger.error('Tidying up failed; it is tried again', error instanceof Error ? error.stack : error);
      });
    return this.running;
  }

  private async tidy(graceMs: number): Promise<void> {
    // What lies on this host's own disk…
    await this.uploads.removeExpired();
    await this.removeStaged(graceMs);
    // …and what all processes of the API share, for which one of them is enough.
    await this.locks.runAlone('janitor', () => this.tidyShared(graceMs));
  }

  private async tidyShared(graceMs: number): Promise<void> {
    await this.transfers.expire(this.config.uploadExpiryMs, SILENT_MS);
    await this.webhooks.forget(DELIVERIES_KEPT_MS);
    const { images, blobs, blobErrors } = await this.images.collect({
      retentionMs: this.config.imageRetentionMs,
      graceMs,
    });
    if (images + blobs > 0)
      this.logger.log(`${images} unused images left their libraries, ${blobs} blobs were deleted`);
    const artifacts = await this.artifacts.collect(this.config.artifactRetentionMs);
    if (artifacts.removed > 0) this.logger.log(`${artifacts.removed} artifacts of old jobs were deleted`);
    for (const error of [...blobErrors, ...artifacts.errors]) this.logger.error(error.message, error.cause);
  }

  /** Files that a lab left behind that was killed. */
  private async removeStaged(graceMs: number): Promise<void> {
    for (const name of await readdir(this.blobs.stagingDir)) {
      const file = path.join(this.blobs.stagingDir, name);
      const changedMs = await stat(file).then(
        ({ mtimeMs }) => mtimeMs,
        () => Infinity, // taken into the store meanwhile
      );
      if (changedMs < Date.now() - graceMs) await rm(file, { force: true });
    }
  }
}
