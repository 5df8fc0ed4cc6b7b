import { ScrollText } from 'lucide-react';
import { useState } from 'react';
import { useMe } from '../api/auth.js';
import { useAudit, type AuditFilter } from '../api/people-queries.js';
import type { AuditEntry } from '../api/types.js';
import { TextField } from '../components/fields.js';
import { DataTable } from '../components/data-table.js';
import { Empty } from '../components/feedback.js';
import { TimeAgo } from '../components/time-ago.js';
import { Panel } from '../components/panel.js';
import { Answered } from './panel-parts.js';

const EVERYTHING: AuditFilter = { action: undefined, actor: undefined, cursor: undefined, lab: false };

/** Who changed what, when and from where. */
export function AuditPanel() {
  const { operator } = useMe();
  const [filter, setFilter] = useState(EVERYTHING);
  const [before, setBefore] = useState<readonly (string | undefined)[]>([]);
  const audit = useAudit(filter);
  const narrow = (change: Partial<AuditFilter>): void => {
    setBefore([]);
    setFilter({ ...filter, ...change, cursor: undefined });
  };
  return (
    <Panel title="Audit log" help="Every change, and every attempt that was refused for want of rights.">
      <div className="card-body form-row">
        <TextField label="By" value={filter.actor ?? ''} onChange={(actor) => narrow({ actor })} placeholder="login" />
        <TextField
          label="Action"
          value={filter.action ?? ''}
          onChange={(action) => narrow({ action })}
          placeholder="jobs.submit"
        />
        {operator && (
          <label className="check">
            <input type="checkbox" checked={filter.lab} onChange={(event) => narrow({ lab: event.target.checked })} />
            <span>Whole lab</span>
          </label>
        )}
      </div>
      <Answered query={audit} what="audit log">
        {({ items, nextCursor }) => (
          <>
            <AuditTable items={items} />
            {(nextCursor !== null || before.length > 0) && (
              <nav className="card-body pager" aria-label="Pages">
                {before.length > 0 && (
                  <button
                    type="button"
                    className="button small"
                    onClick={() => {
                      setFilter({ ...filter, cursor: before.at(-1) });
                      setBefore(before.slice(0, -1));
                    }}
                  >
                    Newer
                  </button>
                )}
                {nextCursor !== null && (
                  <button
                    type="button"
                    className="button small"
                    onClick={() => {
                      setBefore([...before, filter.cursor]);
                      setFilter({ ...filter, cursor: nextCursor });
                    }}
                  >
                    Older
                  </button>
                )}
              </nav>
            )}
          </>
        )}
      </Answered>
    </Panel>
  );
}

function AuditTable({ items }: { items: readonly AuditEntry[] }) {
  if (items.length === 0) {
    return <Empty icon={<ScrollText size={40} strokeWidth={1.4} />} title="Nothing was done here that matches" />;
  }
  return (
    <DataTable
      label="Audit log"
      items={items}
      keyOf={({ id }) => id}
      columns={[
        { head: 'When', className: 'nowrap muted', cell: ({ at }) => <TimeAgo iso={at} /> },
        { head: 'Who', cell: ({ actor }) => actor },
        {
          head: 'What',
          className: 'wide-cell',
          cell: ({ action, status, target }) => (
            <>
              <code>{action}</code>{' '}
              {status >= 400 && (
                <span className="badge" data-tone="fail">
                  Refused
                </span>
              )}
              <div className="muted mono target">{target}</div>
            </>
          ),
        },
        {
          head: 'From',
          className: 'nowrap',
          cell: ({ address, userAgent }) => <span title={userAgent}>{address}</span>,
        },
      ]}
    />
  );
}
