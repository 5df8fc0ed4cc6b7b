import { Inject, Injectable } from '@nestjs/common';
import type { DeliveryPage, MadeWebhook, NewWebhook, Webhook, WebhookDelivery } from '@bootlab/lab';
import { MAX_WEBHOOKS, WEBHOOKS_TOPIC, WebhookStore, type LiveStreams, type Principal } from '@bootlab/lab/server';
import { isUuid } from '../jobs/jobs.service.js';
import { STREAMS } from '../lab.module.js';
import { notFound, ProblemError } from '../problem/problem.js';

/** The webhooks of a project. */
@Injectable()
export class WebhooksService {
  constructor(
    private readonly webhooks: WebhookStore,
    @Inject(STREAMS) private readonly streams: LiveStreams,
  ) {}

  list({ projectId }: Principal): Promise<Webhook[]> {
    return this.webhooks.list(projectId);
  }

  async create({ projectId }: Principal, webhook: NewWebhook): Promise<MadeWebhook> {
    const made = await this.webhooks.create(projectId, webhook);
    if (!made) throw new ProblemError(409, `A project may have ${MAX_WEBHOOKS} webhooks; remove one first`);
    return made;
  }

  async setActive({ projectId }: Principal, id: string, active: boolean): Promise<Webhook> {
    if (isUuid(id)) await this.webhooks.setActive(projectId, id, active);
    return this.get(projectId, id);
  }

  async remove({ projectId }: Principal, id: string): Promise<void> {
    if (!isUuid(id) || !(await this.webhooks.delete(projectId, id))) throw notFound(`webhook "${id}"`);
  }

  async deliveries(
    { projectId }: Principal,
    id: string,
    query: { cursor?: string | undefined; limit: number },
  ): Promise<DeliveryPage> {
    await this.get(projectId, id);
    return this.webhooks.deliveries(id, query);
  }

  async ping({ projectId }: Principal, id: string): Promise<WebhookDelivery> {
    await this.get(projectId, id);
    const delivery = await this.webhooks.ping(id);
    await this.streams.announce(WEBHOOKS_TOPIC);
    return delivery;
  }

  async repeat({ projectId }: Principal, id: string, deliveryId: string): Promise<WebhookDelivery> {
    await this.get(projectId, id);
    const delivery = isUuid(deliveryId) ? await this.webhooks.repeat(id, deliveryId) : undefined;
    if (!delivery) throw notFound(`delivery "${deliveryId}"`);
    await this.streams.announce(WEBHOOKS_TOPIC);
    return delivery;
  }

  private async get(projectId: string, id: string): Promise<Webhook> {
    const webhook = isUuid(id) ? await this.webhooks.find(projectId, id) : undefined;
    if (!webhook) throw notFound(`webhook "${id}"`);
    return webhook;
  }
}
