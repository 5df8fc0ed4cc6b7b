import { createHmac } from 'node:crypto';
import {
  Inject,
  Injectable,
  Logger,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { WEBHOOK_HEADERS } from '@bootlab/lab';
import {
  guardedPost,
  openQueue,
  openWorker,
  WEBHOOKS_TOPIC,
  WebhookStore,
  type LiveStreams,
  type OutgoingMessage,
} from '@bootlab/lab/server';
import { CONFIG, type ApiConfig } from '../config.token.js';
import { STREAMS } from '../lab.module.js';

interface QueuedDelivery {
  deliveryId: string;
}

const QUEUE = 'webhooks';
/** Of one attempt: whoever takes longer to say "got it" should do the work afterwards. */
const TIME_MS = 10_000;
/** 5 s, 10 s, 20 s, … about ten minutes altogether. */
const ATTEMPTS = 8;
const BACKOFF_MS = 5000;
const CONCURRENCY = 8;
/** What was announced and not heard is found after this time. */
const LOOK_MS = 10_000;
const PENDING_AT_ONCE = 500;

/** The signature of a message: HMAC-SHA256 of "<timestamp>.<body>", hexadecimal. */
export const signatureOf = (secret: string, timestamp: string, body: string): string =>
  `sha256=${createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex')}`;

/** Sends messages to webhooks: each until it is taken, a while later each time it is not, and not for ever. */
@Injectable()
export class WebhookSender implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(WebhookSender.name);
  private stop: (() => Promise<void>) | undefined;
  private looking: Promise<void> | undefined;

  constructor(
    private readonly webhooks: WebhookStore,
    @Inject(STREAMS) private readonly streams: LiveStreams,
    @Inject(CONFIG) private readonly config: ApiConfig,
  ) {}

  onApplicationBootstrap(): void {
    const report = (error: Error): void => this.logger.warn(`queue of webhooks: ${error.message}`);
    const queue = openQueue<QueuedDelivery>(QUEUE, this.config, report);
    const worker = openWorker<QueuedDelivery>(
      QUEUE,
      this.config,
      (job) => this.deliver(job.data.deliveryId, job.attemptsMade + 1 >= (job.opts.attempts ?? 1)),
      { concurrency: CONCURRENCY },
      report,
    );
    const look = (): void => {
      this.looking ??= this.enqueueAll(async (deliveryId) => {
        const options = { jobId: deliveryId, attempts: ATTEMPTS, backoff: { type: 'exponential', delay: BACKOFF_MS } };
        await queue.add('deliver', { deliveryId }, options);
      }).finally(() => (this.looking = undefined));
    };
    const unsubscribe = this.streams.subscribe(WEBHOOKS_TOPIC, look);
    const timer = setInterval(look, LOOK_MS);
    look();
    this.stop = async () => {
      clearInterval(timer);
      unsubscribe();
      await this.looking;
      await worker.close();
      await queue.close();
    };
  }

  // Before the database is closed.
  async beforeApplicationShutdown(): Promise<void> {
    await this.stop?.();
  }

  private async enqueueAll(enqueue: (deliveryId: string) => Promise<void>): Promise<void> {
    try {
      // Again changes nothing: the queue knows those that it has.
      for (const deliveryId of await this.webhooks.pending(PENDING_AT_ONCE)) await enqueue(deliveryId);
    } catch (error) {
      this.logger.warn(`messages for webhooks wait: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  /** @throws Error when it was not taken and is to be tried again */
  private async deliver(deliveryId: string, last: boolean): Promise<void> {
    const message = await this.webhooks.outgoing(deliveryId);
    if (!message) return;
    const startedMs = performance.now();
    const { status, error } = await this.send(message);
    const taken = status !== null && status >= 200 && status < 300;
    await this.webhooks.attempted(deliveryId, {
      status,
      error,
      durationMs: performance.now() - startedMs,
      state: taken ? 'delivered' : last ? 'failed' : 'pending',
    });
    if (!taken && !last) throw new Error(error ?? `It was answered ${status}`);
  }

  private async send(message: OutgoingMessage): Promise<{ status: number | null; error: string | null }> {
    const timestamp = Math.floor(Date.now() / 1000).toString();
    try {
      const status = await guardedPost(message.url, {
        body: message.body,
        headers: {
          'content-type': 'application/json',
          [WEBHOOK_HEADERS.event]: message.event,
          [WEBHOOK_HEADERS.delivery]: message.deliveryId,
          [WEBHOOK_HEADERS.timestamp]: timestamp,
          [WEBHOOK_HEADERS.signature]: signatureOf(message.secret, timestamp, message.body),
        },
        timeMs: TIME_MS,
        allowedHosts: this.config.webhookHosts,
      });
      return { status, error: status >= 300 && status < 400 ? 'Redirects are not followed' : null };
    } catch (error) {
      return { status: null, error: error instanceof Error ? error.message : String(error) };
    }
  }
}
