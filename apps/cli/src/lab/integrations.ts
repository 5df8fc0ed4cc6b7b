// Badges and webhooks: what others see of jobs.
import type { Badge, DeliveryPage, MadeWebhook, NewWebhook, Webhook, WebhookDelivery } from '@bootlab/lab';
import { ExitCode } from '../exit-codes.js';
import { chosen } from './choose.js';
import type { LabClient } from './client.js';
import { columns, printable, printJson, timeText, type Output } from './output.js';

interface Page<T> {
  items: T[];
}

/** Prints the badges of the project. @returns the exit status */
export async function listBadges(client: LabClient, json: boolean, output: Output): Promise<number> {
  const { items } = await client.json<Page<Badge>>('/badges');
  if (json) return printJson(items, output);
  const rows = items.map((badge) => [
    badge.id,
    badge.jobName === null ? 'any' : printable(badge.jobName),
    badge.board ?? 'any',
    printable(badge.label),
    client.page(badge.path),
  ]);
  output.out.write(columns([['BADGE', 'JOBS', 'BOARD', 'LABEL', 'PICTURE'], ...rows]));
  return ExitCode.pass;
}

/** Makes a badge, and prints the Markdown that shows it. @returns the exit status */
export async function addBadge(
  client: LabClient,
  badge: { label?: string; jobName?: string; board?: string },
  { out }: Output,
): Promise<number> {
  const { label, path } = await client.post<Badge>('/badges', badge);
  const query = new URLSearchParams();
  if (badge.jobName !== undefined) query.set('name', badge.jobName);
  if (badge.board !== undefined) query.set('board', badge.board);
  const jobs = client.page(`/jobs${query.size > 0 ? `?${query}` : ''}`);
  out.write(`[![${printable(label).replace(/[[\]\\]/g, '\\$&')}](${client.page(path)})](${jobs})\n`);
  return ExitCode.pass;
}

/** @returns the exit status */
export async function removeBadges(client: LabClient, references: readonly string[], { out }: Output): Promise<number> {
  const { items } = await client.json<Page<Badge>>('/badges');
  for (const reference of references) {
    const badge = chosen(items, reference, 'badge', { id: ({ id }) => id, names: ({ label }) => [label] });
    await client.delete(`/badges/${badge.id}`);
    out.write(`${printable(badge.label)}: removed\n`);
  }
  return ExitCode.pass;
}

/** Prints the webhooks of the project. @returns the exit status */
export async function listWebhooks(client: LabClient, json: boolean, output: Output): Promise<number> {
  const { items } = await client.json<Page<Webhook>>('/webhooks');
  if (json) return printJson(items, output);
  const rows = items.map(({ id, active, events, createdAt, url }) => [
    id,
    active ? 'on' : 'off',
    events.join(','),
    timeText(createdAt),
    printable(url),
  ]);
  output.out.write(columns([['WEBHOOK', 'STATE', 'EVENTS', 'MADE', 'ADDRESS'], ...rows]));
  return ExitCode.pass;
}

/** Makes a webhook, and prints the key of its signatures, this once. @returns the exit status */
export async function addWebhook(client: LabClient, webhook: NewWebhook, { out }: Output): Promise<number> {
  const { id, secret } = await client.post<MadeWebhook>('/webhooks', webhook);
  out.write(`webhook ${id}\nKey of its signatures, shown this once: ${secret}\n`);
  return ExitCode.pass;
}

/** @returns the exit status */
export async function removeWebhooks(
  client: LabClient,
  references: readonly string[],
  { out }: Output,
): Promise<number> {
  for (const reference of references) {
    const { id, url } = await webhookOf(client, reference);
    await client.delete(`/webhooks/${id}`);
    out.write(`${printable(url)}: removed\n`);
  }
  return ExitCode.pass;
}

/** @returns the exit status */
export async function switchWebhooks(
  client: LabClient,
  references: readonly string[],
  active: boolean,
  { out }: Output,
): Promise<number> {
  for (const reference of references) {
    const { id, url } = await webhookOf(client, reference);
    await client.send('PATCH', `/webhooks/${id}`, { active });
    out.write(`${printable(url)}: switched ${active ? 'on' : 'off'}\n`);
  }
  return ExitCode.pass;
}

/** Prints what a webhook was sent, newest first. @returns the exit status */
export async function listDeliveries(
  client: LabClient,
  reference: string,
  { limit, json }: { limit: number; json: boolean },
  output: Output,
): Promise<number> {
  const { id } = await webhookOf(client, reference);
  const { items } = await client.json<DeliveryPage>(`/webhooks/${id}/deliveries?limit=${limit}`);
  if (json) return printJson(items, output);
  const rows = items.map((delivery) => [
    delivery.id,
    delivery.event,
    delivery.state,
    String(delivery.attempts),
    timeText(delivery.createdAt),
    answerOf(delivery),
  ]);
  output.out.write(columns([['DELIVERY', 'EVENT', 'STATE', 'ATTEMPTS', 'MADE', 'LAST ANSWER'], ...rows]));
  return ExitCode.pass;
}

const answerOf = ({ status, error }: WebhookDelivery): string =>
  printable(error ?? (status === null ? '-' : `HTTP ${status}`));

/** Sends a message that says nothing but that messages arrive. @returns the exit status */
export async function pingWebhook(client: LabClient, reference: string, { out }: Output): Promise<number> {
  const { id } = await webhookOf(client, reference);
  const delivery = await client.post<WebhookDelivery>(`/webhooks/${id}/ping`, {});
  out.write(`delivery ${delivery.id}: on its way; 'bootlab webhooks log ${id}' tells what became of it\n`);
  return ExitCode.pass;
}

/** Sends a message once more. @returns the exit status */
export async function repeatDelivery(
  client: LabClient,
  reference: string,
  deliveryId: string,
  { out }: Output,
): Promise<number> {
  const { id } = await webhookOf(client, reference);
  const path = `/webhooks/${id}/deliveries/${encodeURIComponent(deliveryId)}/repeat`;
  const delivery = await client.post<WebhookDelivery>(path, {});
  out.write(`delivery ${delivery.id}: on its way\n`);
  return ExitCode.pass;
}

async function webhookOf(client: LabClient, reference: string): Promise<Webhook> {
  const { items } = await client.json<Page<Webhook>>('/webhooks');
  return chosen(items, reference, 'webhook', { id: ({ id }) => id, names: ({ url }) => [url] });
}
