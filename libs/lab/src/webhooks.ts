import { z } from 'zod';
import { pageQuerySchema } from './job.js';
import { jobBriefSchema } from './results/views.js';

export const WEBHOOK_EVENTS = ['job.started', 'job.ended'] as const;
export const webhookEventSchema = z.enum(WEBHOOK_EVENTS);
export type WebhookEvent = z.infer<typeof webhookEventSchema>;

export const newWebhookSchema = z
  .strictObject({
    url: z
      .url({ protocol: /^https?$/ })
      .max(2000)
      .refine((url) => !URL.canParse(url) || !/^[^/]*\/\/[^/]*@/.test(url), {
        message: 'The address carries a user name or password',
        params: { mend: 'Leave it out; check the signature of what comes instead.' },
      })
      .describe('Where messages go, by POST. It must lie on the public internet, unless the operator allows the host'),
    events: z.array(webhookEventSchema).min(1).max(WEBHOOK_EVENTS.length).default(['job.ended']),
  })
  .meta({ id: 'NewWebhook' });
export type NewWebhook = z.output<typeof newWebhookSchema>;

export const changeWebhookSchema = z.strictObject({ active: z.boolean() }).meta({ id: 'ChangeWebhook' });

export const webhookSchema = z
  .object({
    id: z.string(),
    url: z.string(),
    events: z.array(webhookEventSchema),
    active: z.boolean(),
    createdAt: z.iso.datetime(),
  })
  .meta({ id: 'Webhook' });
export type Webhook = z.infer<typeof webhookSchema>;

export const madeWebhookSchema = webhookSchema
  .extend({ secret: z.string().describe('Key of the signatures. Shown this once') })
  .meta({ id: 'MadeWebhook' });
export type MadeWebhook = z.infer<typeof madeWebhookSchema>;

/** What a webhook is sent. */
export const webhookPayloadSchema = z
  .object({
    event: z.enum([...WEBHOOK_EVENTS, 'ping']),
    at: z.iso.datetime(),
    job: jobBriefSchema.nullable().describe('null in a ping'),
  })
  .meta({ id: 'WebhookPayload' });
export type WebhookPayload = z.infer<typeof webhookPayloadSchema>;

export const webhookDeliverySchema = z
  .object({
    id: z.string(),
    event: z.string(),
    jobId: z.string().nullable(),
    state: z.enum(['pending', 'delivered', 'failed']),
    attempts: z.number().int(),
    status: z.number().int().nullable().describe('HTTP status of the last attempt'),
    error: z.string().nullable(),
    durationMs: z.number().int().nullable(),
    createdAt: z.iso.datetime(),
    sentAt: z.iso.datetime().nullable(),
    payload: webhookPayloadSchema,
  })
  .meta({ id: 'WebhookDelivery' });
export type WebhookDelivery = z.infer<typeof webhookDeliverySchema>;

export const deliveryPageSchema = z.object({
  items: z.array(webhookDeliverySchema),
  nextCursor: z.string().nullable(),
});
export type DeliveryPage = z.infer<typeof deliveryPageSchema>;
export const deliveryQuerySchema = pageQuerySchema;

/** Headers of a message. The signature is HMAC-SHA256 of "<timestamp>.<body>" with the webhook's secret, in hexadecimal. */
export const WEBHOOK_HEADERS = {
  event: 'x-bootlab-event',
  delivery: 'x-bootlab-delivery',
  timestamp: 'x-bootlab-timestamp',
  signature: 'x-bootlab-signature-256',
} as const;
