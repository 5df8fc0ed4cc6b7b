// What the settings ask of the lab about badges and webhooks.
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { getJson, postJson, remove, sendJson } from './client.js';
import { useChange } from './people-queries.js';
import type { Badge, DeliveryPage, MadeWebhook, NewBadge, NewWebhook, Webhook, WebhookDelivery } from './types.js';

/** A message that was not taken yet is sent again soon: the log is asked for more often then. */
const PENDING_REFRESH_MS = 1500;
const LOG_REFRESH_MS = 2500;

const list = <T>(key: string, path: string) => ({
  queryKey: [key],
  queryFn: ({ signal }: { signal: AbortSignal }) => getJson<{ items: T[] }>(path, signal),
  select: ({ items }: { items: T[] }) => items,
});

export const useBadges = () => useQuery(list<Badge>('badges', '/badges'));
export const useMakeBadge = () => useChange(['badges'], (badge: NewBadge) => postJson<Badge>('/badges', badge));
export const useRemoveBadge = () => useChange(['badges'], (id: string) => remove(`/badges/${id}`));

export const useWebhooks = () => useQuery(list<Webhook>('webhooks', '/webhooks'));
export const useMakeWebhook = () =>
  useChange(['webhooks'], (webhook: NewWebhook) => postJson<MadeWebhook>('/webhooks', webhook));
export const useRemoveWebhook = () => useChange(['webhooks'], (id: string) => remove(`/webhooks/${id}`));
export const useSwitchWebhook = () =>
  useChange(['webhooks'], ({ id, active }: { id: string; active: boolean }) =>
    sendJson<Webhook>('PATCH', `/webhooks/${id}`, { active }),
  );
export const usePing = (id: string) =>
  useChange(['deliveries'], () => postJson<WebhookDelivery>(`/webhooks/${id}/ping`, {}));
export const useRedeliver = (id: string) =>
  useChange(['deliveries'], (delivery: string) =>
    postJson<WebhookDelivery>(`/webhooks/${id}/deliveries/${delivery}/repeat`, {}),
  );

export function useDeliveries(webhookId: string, cursor: string | undefined) {
  return useQuery({
    queryKey: ['deliveries', webhookId, cursor ?? ''],
    queryFn: ({ signal }) =>
      getJson<DeliveryPage>(
        `/webhooks/${webhookId}/deliveries?limit=20${cursor === undefined ? '' : `&cursor=${cursor}`}`,
        signal,
      ),
    placeholderData: keepPreviousData,
    refetchInterval: ({ state }) =>
      state.data?.items.some((delivery) => delivery.state === 'pending') ? PENDING_REFRESH_MS : LOG_REFRESH_MS,
  });
}
