import { currentProject, useMe } from '../api/auth.js';
import { useProject } from '../api/people-queries.js';
import type { Project } from '../api/types.js';
import { formatBytes, formatDurationMs } from '../lib/format.js';
import { Panel } from '../components/panel.js';
import { Answered } from './panel-parts.js';
import { QuotaForm } from './quota-form.js';

/** What the project uses, and what it may. */
export function UsagePanel() {
  const name = currentProject();
  const project = useProject(name);
  const { operator } = useMe();
  return (
    <Answered query={project} what="project">
      {(shown) => (
        <>
          <Panel title="Usage" help="Jobs over the quota of boards wait; beyond the others they are refused.">
            <div className="card-body meters">
              <Usage project={shown} />
            </div>
          </Panel>
          {operator && (
            <Panel title="Quota" help="An empty field is no limit.">
              <QuotaForm key={shown.id} project={shown} />
            </Panel>
          )}
        </>
      )}
    </Answered>
  );
}

export function Usage({ project: { usage, quota } }: { project: Project }) {
  const days = quota.periodHours / 24;
  const period = Number.isInteger(days) ? `${days} days` : `${quota.periodHours} hours`;
  const waiting = usage.queuedJobs > 0 ? `, ${usage.queuedJobs} waiting` : '';
  return (
    <>
      <Meter label="Boards running" value={usage.runningBoards} limit={quota.boards} format={String} more={waiting} />
      <Meter
        label={`Board time in ${period}`}
        value={usage.cpuSeconds}
        limit={quota.cpuSeconds}
        format={(seconds) => formatDurationMs(seconds * 1000)}
      />
      <Meter label="Storage" value={usage.storageBytes} limit={quota.storageBytes} format={formatBytes} />
    </>
  );
}

function Meter({
  label,
  value,
  limit,
  format,
  more = '',
}: {
  label: string;
  value: number;
  limit: number | null;
  format(value: number): string;
  more?: string;
}) {
  const share = limit === null ? 0 : Math.min(1, limit === 0 ? 1 : value / limit);
  return (
    <div className="meter">
      <div className="meter-head">
        <span>{label}</span>
        <span className="muted tabular">
          {format(value)} {limit === null ? '' : `of ${format(limit)}`}
          {more}
        </span>
      </div>
      {limit !== null && (
        <div className="progress" data-full={share >= 0.9} aria-hidden>
          <span style={{ width: `${share * 100}%` }} />
        </div>
      )}
    </div>
  );
}
