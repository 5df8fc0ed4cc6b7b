import { CircleCheck, CircleDashed, CircleX, RotateCcw, Send } from 'lucide-react';
import { useState } from 'react';
import { Link } from 'react-router';
import { useDeliveries, usePing, useRedeliver } from '../api/integration-queries.js';
import type { Webhook, WebhookDelivery } from '../api/types.js';
import { Empty } from '../components/feedback.js';
import { TimeAgo } from '../components/time-ago.js';
import { Panel } from '../components/panel.js';
import { formatDurationMs } from '../lib/format.js';
import { Answered, ChangeError } from './panel-parts.js';

const STATES = {
  delivered: { label: 'Delivered', icon: CircleCheck, tone: 'pass' },
  pending: { label: 'On its way', icon: CircleDashed, tone: 'idle' },
  failed: { label: 'Given up', icon: CircleX, tone: 'fail' },
} as const satisfies Record<WebhookDelivery['state'], unknown>;

/** What a webhook was told, each message with what became of it. */
export function WebhookLog({ webhook }: { webhook: Webhook }) {
  const [cursors, setCursors] = useState<readonly string[]>([]);
  const deliveries = useDeliveries(webhook.id, cursors.at(-1));
  const ping = usePing(webhook.id);
  return (
    <Panel
      title="Messages"
      help={webhook.url}
      action={
        <button type="button" className="button small" disabled={ping.isPending} onClick={() => ping.mutate(undefined)}>
          <Send size={14} aria-hidden />
          Send a test
        </button>
      }
    >
      <ChangeError error={ping.error} />
      <Answered query={deliveries} what="messages">
        {({ items, nextCursor }) => (
          <>
            {items.length === 0 && (
              <Empty icon={<Send size={40} strokeWidth={1.4} />} title="Nothing sent yet">
                <p>A test says nothing but that messages arrive.</p>
              </Empty>
            )}
            {items.map((delivery) => (
              <Delivery key={delivery.id} delivery={delivery} webhookId={webhook.id} />
            ))}
            {(cursors.length > 0 || nextCursor !== null) && (
              <div className="card-body pager">
                <button
                  type="button"
                  className="button small"
                  disabled={cursors.length === 0}
                  onClick={() => setCursors(cursors.slice(0, -1))}
                >
                  Newer
                </button>
                <button
                  type="button"
                  className="button small"
                  disabled={nextCursor === null}
                  onClick={() => nextCursor !== null && setCursors([...cursors, nextCursor])}
                >
                  Older
                </button>
              </div>
            )}
          </>
        )}
      </Answered>
    </Panel>
  );
}

function Delivery({ delivery, webhookId }: { delivery: WebhookDelivery; webhookId: string }) {
  const again = useRedeliver(webhookId);
  const { label, icon: Icon, tone } = STATES[delivery.state];
  const { job } = delivery.payload;
  return (
    <details className="delivery">
      <summary>
        <span className="badge" data-tone={tone}>
          <Icon size={15} aria-hidden />
          {label}
        </span>
        <span className="tag">{delivery.event}</span>
        {delivery.status !== null && <span className="tabular">HTTP {delivery.status}</span>}
        <span className="muted nowrap">
          <TimeAgo iso={delivery.createdAt} />
        </span>
      </summary>
      <div className="delivery-body">
        {delivery.error !== null && <p className="field-error">{delivery.error}</p>}
        <p className="muted">
          {delivery.attempts === 1 ? 'One attempt' : `${delivery.attempts} attempts`}
          {delivery.durationMs !== null && `, the last one took ${formatDurationMs(delivery.durationMs)}`}
          {job && (
            <>
              ; about <Link to={`/jobs/${job.id}`}>{job.name}</Link>
            </>
          )}
        </p>
        <pre className="code-block" tabIndex={0} aria-label="Message">
          {JSON.stringify(delivery.payload, null, 2)}
        </pre>
        <div>
          <button
            type="button"
            className="button small"
            disabled={again.isPending || delivery.state === 'pending'}
            onClick={() => again.mutate(delivery.id)}
          >
            <RotateCcw size={14} aria-hidden />
            Send it again
          </button>
        </div>
        <ChangeError error={again.error} />
      </div>
    </details>
  );
}
