import { Plus, Webhook as WebhookIcon } from 'lucide-react';
import { useState, type FormEvent } from 'react';
import { useMakeWebhook, useRemoveWebhook, useSwitchWebhook, useWebhooks } from '../api/integration-queries.js';
import { errorsIn, errorsOfField } from '../api/problem.js';
import type { MadeWebhook, Webhook, WebhookEvent } from '../api/types.js';
import { ChecksField, TextField } from '../components/fields.js';
import { ACTIONS, DataTable } from '../components/data-table.js';
import { Empty } from '../components/feedback.js';
import { TimeAgo } from '../components/time-ago.js';
import { Panel } from '../components/panel.js';
import { Answered, ChangeError, ConfirmButton, Secret, Tags } from './panel-parts.js';
import { WebhookLog } from './webhook-log.js';

const EVENTS: readonly { value: WebhookEvent; label: string }[] = [
  { value: 'job.started', label: 'a job starts' },
  { value: 'job.ended', label: 'a job ends' },
];

/** Addresses that are told of jobs, and what each was told. */
export function WebhooksPanel() {
  const webhooks = useWebhooks();
  const [shown, setShown] = useState<string>();
  const current = webhooks.data?.find(({ id }) => id === shown);
  return (
    <>
      <NewWebhookForm />
      <Panel title="Webhooks" help="What is not answered with 2xx is sent again, seven times within about ten minutes.">
        <Answered query={webhooks} what="webhooks">
          {(items) => <WebhookTable items={items} shown={shown} onShow={setShown} />}
        </Answered>
      </Panel>
      {current && <WebhookLog key={current.id} webhook={current} />}
    </>
  );
}

function NewWebhookForm() {
  const [url, setUrl] = useState('');
  const [events, setEvents] = useState<readonly WebhookEvent[]>(['job.ended']);
  const [made, setMade] = useState<MadeWebhook>();
  const make = useMakeWebhook();
  const errors = errorsIn(make.error);
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    setMade(undefined);
    make.mutate(
      { url, events: [...events] },
      {
        onSuccess: (webhook) => {
          setMade(webhook);
          setUrl('');
        },
      },
    );
  };
  return (
    <Panel title="New webhook" help="The lab sends a signed message by POST, so that others can act on what jobs do.">
      <form className="card-body form-stack" onSubmit={submit} noValidate>
        <TextField
          label="Address"
          type="url"
          value={url}
          onChange={setUrl}
          placeholder="https://ci.example.org/hooks/bootlab"
          errors={errorsOfField(errors, 'url')}
        />
        <ChecksField label="Tell it when" values={events} options={EVENTS} onChange={setEvents} />
        <div>
          <button
            type="submit"
            className="button primary"
            disabled={make.isPending || url.trim() === '' || events.length === 0}
          >
            <Plus size={16} aria-hidden />
            Make webhook
          </button>
        </div>
      </form>
      <ChangeError error={make.error} shownFields={['url']} />
      {made && (
        <Secret title="The webhook is made" secret={made.secret}>
          This is the key of its signatures, shown this once. Check “x-bootlab-signature-256” with it: HMAC-SHA256 of
          the time stamp, a dot, and the body.
        </Secret>
      )}
    </Panel>
  );
}

function WebhookTable({
  items,
  shown,
  onShow,
}: {
  items: readonly Webhook[];
  shown: string | undefined;
  onShow(id: string | undefined): void;
}) {
  const remove = useRemoveWebhook();
  const change = useSwitchWebhook();
  if (items.length === 0) {
    return (
      <Empty icon={<WebhookIcon size={40} strokeWidth={1.4} />} title="No webhooks yet">
        <p>A webhook tells a chat, a dashboard or another pipeline what became of a job.</p>
      </Empty>
    );
  }
  return (
    <>
      <ChangeError error={remove.error ?? change.error} />
      <DataTable
        label="Webhooks"
        items={items}
        keyOf={({ id }) => id}
        columns={[
          {
            head: 'Address',
            phone: 'title',
            className: 'wide-cell',
            cell: ({ url, active }) => (
              <>
                <span className="webhook-url">{url}</span>
                {!active && <div className="muted">switched off</div>}
              </>
            ),
          },
          { head: 'When', cell: ({ events }) => <Tags items={events} /> },
          { head: 'Made', className: 'nowrap muted', cell: ({ createdAt }) => <TimeAgo iso={createdAt} /> },
          {
            ...ACTIONS,
            cell: ({ id, url, active }) => (
              <>
                <button
                  type="button"
                  className="button small"
                  aria-label={`Log of ${url}`}
                  aria-expanded={id === shown}
                  onClick={() => onShow(id === shown ? undefined : id)}
                >
                  Log
                </button>
                <button
                  type="button"
                  className="button small"
                  aria-label={`${active ? 'Switch off' : 'Switch on'} ${url}`}
                  onClick={() => change.mutate({ id, active: !active })}
                >
                  {active ? 'Switch off' : 'Switch on'}
                </button>
                <ConfirmButton
                  label="Delete"
                  name={`Delete ${url}`}
                  title="Delete this webhook?"
                  confirmLabel="Delete"
                  onConfirm={() => remove.mutate(id)}
                >
                  {url} is told nothing more, and the log of what it was told goes with it.
                </ConfirmButton>
              </>
            ),
          },
        ]}
      />
    </>
  );
}
