import { randomBytes } from 'node:crypto';
import type {
  DeliveryPage,
  MadeWebhook,
  NewWebhook,
  Webhook,
  WebhookDelivery,
  WebhookEvent,
  WebhookPayload,
} from '../index.js';
import type { Database } from './database.js';
import type { Prisma, Webhook as WebhookRow, WebhookDelivery as DeliveryRow } from './generated/client.js';
import { briefSelect, toBrief } from './job-rows.js';

/** Most webhooks of a project. */
export const MAX_WEBHOOKS = 20;

/** A message that is to be sent, and where to. */
export interface OutgoingMessage {
  readonly deliveryId: string;
  readonly event: string;
  readonly url: string;
  readonly secret: string;
  /** Signed and sent as it is. */
  readonly body: string;
}

/** How an attempt to send a message went. */
export interface DeliveryAttempt {
  status: number | null;
  error: string | null;
  durationMs: number;
  /** `pending`: it will be tried again. */
  state: WebhookDelivery['state'];
}

/**
 * Writes what webhooks are to be told of a change of a job, in the transaction that makes the change: a message is
 * neither lost nor sent for what did not happen.
 */
export async function tellWebhooks(tx: Prisma.TransactionClient, jobId: string, event: WebhookEvent): Promise<void> {
  const job = await tx.job.findUniqueOrThrow({
    where: { id: jobId },
    select: {
      ...briefSelect,
      project: { select: { webhooks: { where: { active: true, events: { has: event } }, select: { id: true } } } },
    },
  });
  const { webhooks } = job.project;
  if (webhooks.length === 0) return;
  const payload: WebhookPayload = { event, at: new Date().toISOString(), job: toBrief(job) };
  await tx.webhookDelivery.createMany({ data: webhooks.map(({ id }) => ({ webhookId: id, event, jobId, payload })) });
}

/** Webhooks, and what was sent to them. */
export class WebhookStore {
  constructor(private readonly database: Database) {}

  /** Undefined when the project has as many as it may. */
  async create(projectId: string, { url, events }: NewWebhook): Promise<MadeWebhook | undefined> {
    if ((await this.database.webhook.count({ where: { projectId } })) >= MAX_WEBHOOKS) return undefined;
    const secret = `whs_${randomBytes(32).toString('base64url')}`;
    const row = await this.database.webhook.create({ data: { projectId, url, events: [...new Set(events)], secret } });
    return { ...toWebhook(row), secret };
  }

  async list(projectId: string): Promise<Webhook[]> {
    const rows = await this.database.webhook.findMany({ where: { projectId }, orderBy: { createdAt: 'desc' } });
    return rows.map(toWebhook);
  }

  async find(projectId: string, id: string): Promise<Webhook | undefined> {
    const row = await this.database.webhook.findFirst({ where: { id, projectId } });
    return row ? toWebhook(row) : undefined;
  }

  async setActive(projectId: string, id: string, active: boolean): Promise<boolean> {
    return (await this.database.webhook.updateMany({ where: { id, projectId }, data: { active } })).count > 0;
  }

  async delete(projectId: string, id: string): Promise<boolean> {
    return (await this.database.webhook.deleteMany({ where: { id, projectId } })).count > 0;
  }

  /** Newest first. */
  async deliveries(
    webhookId: string,
    { cursor, limit }: { cursor?: string | undefined; limit: number },
  ): Promise<DeliveryPage> {
    const rows = await this.database.webhookDelivery.findMany({
      where: { webhookId },
      orderBy: [{ createdAt: 'desc' }, { id: 'asc' }],
      take: limit + 1,
      ...(cursor && { cursor: { id: cursor }, skip: 1 }),
    });
    const items = rows.slice(0, limit).map(toDelivery);
    return { items, nextCursor: rows.length > limit ? (items.at(-1)?.id ?? null) : null };
  }

  /** A message that says nothing but that messages arrive. */
  async ping(webhookId: string): Promise<WebhookDelivery> {
    const payload: WebhookPayload = { event: 'ping', at: new Date().toISOString(), job: null };
    return toDelivery(await this.database.webhookDelivery.create({ data: { webhookId, event: 'ping', payload } }));
  }

  /** The same message once more, as a delivery of its own. */
  async repeat(webhookId: string, deliveryId: string): Promise<WebhookDelivery | undefined> {
    const row = await this.database.webhookDelivery.findFirst({ where: { id: deliveryId, webhookId } });
    if (!row) return undefined;
    const { event, jobId, payload } = row;
    const data = { webhookId, event, jobId, payload: payload as Prisma.InputJsonValue }; // it came from here
    return toDelivery(await this.database.webhookDelivery.create({ data }));
  }

  /** Deliveries that wait, the oldest first. */
  async pending(limit: number): Promise<string[]> {
    const rows = await this.database.webhookDelivery.findMany({
      where: { state: 'pending' },
      orderBy: { createdAt: 'asc' },
      take: limit,
      select: { id: true },
    });
    return rows.map(({ id }) => id);
  }

  /** What is to be sent; undefined when it was sent, or the webhook is gone or switched off. */
  async outgoing(deliveryId: string): Promise<OutgoingMessage | undefined> {
    const row = await this.database.webhookDelivery.findUnique({
      where: { id: deliveryId, state: 'pending' },
      include: { webhook: true },
    });
    if (!row) return undefined;
    const { url, secret, active } = row.webhook;
    if (!active && row.event !== 'ping') {
      await this.attempted(deliveryId, { state: 'failed', status: null, error: 'It is switched off', durationMs: 0 });
      return undefined;
    }
    return { deliveryId, event: row.event, url, secret, body: JSON.stringify(row.payload) };
  }

  async attempted(deliveryId: string, { state, status, error, durationMs }: DeliveryAttempt): Promise<void> {
    await this.database.webhookDelivery.updateMany({
      where: { id: deliveryId },
      data: {
        state,
        status,
        error: error?.slice(0, 500) ?? null,
        durationMs: Math.round(durationMs),
        attempts: { increment: 1 },
        sentAt: new Date(),
      },
    });
  }

  /** Forgets what was sent or given up long ago. */
  async forget(ageMs: number): Promise<void> {
    await this.database.webhookDelivery.deleteMany({
      where: { state: { not: 'pending' }, createdAt: { lt: new Date(Date.now() - ageMs) } },
    });
  }
}

const toWebhook = ({ id, url, events, active, createdAt }: WebhookRow): Webhook => ({
  id,
  url,
  events: events as WebhookEvent[], // validated by newWebhookSchema before they were stored
  active,
  createdAt: createdAt.toISOString(),
});

const toDelivery = (row: DeliveryRow): WebhookDelivery => ({
  id: row.id,
  event: row.event,
  jobId: row.jobId,
  state: row.state,
  attempts: row.attempts,
  status: row.status,
  error: row.error,
  durationMs: row.durationMs,
  createdAt: row.createdAt.toISOString(),
  sentAt: row.sentAt?.toISOString() ?? null,
  payload: row.payload as unknown as WebhookPayload, // written by this store only
});
