import { Download, Rows3 } from 'lucide-react';
import { useState } from 'react';
import { Link, useParams } from 'react-router';
import { download } from '../api/client.js';
import { useGroup } from '../api/queries.js';
import type { Job, JobGroup } from '../api/types.js';
import { JobBadge } from '../components/badge.js';
import { Counts } from '../components/counts.js';
import { Failure, Loading } from '../components/feedback.js';
import { Panel } from '../components/panel.js';
import { formatDurationNs } from '../lib/format.js';
import { useTitle } from '../lib/use-title.js';
import '../styles/matrix.css';

/** The jobs of one matrix: a table of their values when there are two of them, a list otherwise. */
export default function GroupPage() {
  const { id = '' } = useParams();
  const group = useGroup(id);
  useTitle(group.data?.name ?? 'Matrix');
  if (!group.data) {
    return (
      <div className="page">
        <div className="card">
          {group.error ? (
            <Failure wholePage error={group.error} what="matrix" retry={() => void group.refetch()} />
          ) : (
            <Loading what="matrix" />
          )}
        </div>
      </div>
    );
  }
  return <Group group={group.data} />;
}

function Group({ group }: { group: JobGroup }) {
  const [failure, setFailure] = useState<string>();
  const passed = group.jobs.filter(({ outcome }) => outcome === 'pass').length;
  const save = (): void => {
    setFailure(undefined);
    download(`/groups/${group.id}/results?format=junit`, `${group.id}.xml`).catch((error: unknown) =>
      setFailure(error instanceof Error ? error.message : String(error)),
    );
  };
  return (
    <div className="page">
      <div className="page-head">
        <div>
          <h1>{group.name}</h1>
          <p className="tabular">
            {passed} of {group.jobs.length} jobs passed
          </p>
          {failure !== undefined && (
            <p className="field-error" role="alert">
              {failure}
            </p>
          )}
        </div>
        <div className="page-actions">
          <button type="button" className="button" onClick={save}>
            <Download size={15} aria-hidden />
            JUnit
          </button>
          <Link className="button" to={`/jobs?group=${group.id}`}>
            <Rows3 size={15} aria-hidden />
            Show as list
          </Link>
        </div>
      </div>
      <div className="card">
        <Combinations jobs={group.jobs} />
      </div>
      <Panel title="Definition">
        <pre className="code-block" tabIndex={0} aria-label="Definition of the matrix">
          {group.definition}
        </pre>
      </Panel>
    </div>
  );
}

function Combinations({ jobs }: { jobs: readonly Job[] }) {
  const keys = Object.keys(jobs[0]?.combination ?? {});
  const [rowKey, columnKey] = keys;
  if (keys.length !== 2 || rowKey === undefined || columnKey === undefined) return <List jobs={jobs} keys={keys} />;
  const valuesOf = (key: string): string[] => [...new Set(jobs.map(({ combination }) => String(combination[key])))];
  return (
    <div className="table-scroll">
      <table className="table matrix">
        <thead>
          <tr>
            <th scope="col">
              {rowKey} × {columnKey}
            </th>
            {valuesOf(columnKey).map((value) => (
              <th scope="col" key={value}>
                {value}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {valuesOf(rowKey).map((row) => (
            <tr key={row}>
              <th scope="row">{row}</th>
              {valuesOf(columnKey).map((column) => {
                const job = jobs.find(
                  ({ combination }) => String(combination[rowKey]) === row && String(combination[columnKey]) === column,
                );
                return <td key={column}>{job && <Cell job={job} />}</td>;
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function List({ jobs, keys }: { jobs: readonly Job[]; keys: readonly string[] }) {
  return (
    <div className="table-scroll">
      <table className="table matrix">
        <thead>
          <tr>
            {keys.map((key) => (
              <th scope="col" key={key}>
                {key}
              </th>
            ))}
            <th scope="col">Job</th>
          </tr>
        </thead>
        <tbody>
          {jobs.map((job) => (
            <tr key={job.id}>
              {keys.map((key) => (
                <td key={key}>{String(job.combination[key])}</td>
              ))}
              <td>
                <Cell job={job} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Cell({ job }: { job: Job }) {
  return (
    <Link to={`/jobs/${job.id}`} className="matrix-cell" data-outcome={job.outcome} title={job.reason ?? job.name}>
      <JobBadge job={job} />
      <span className="muted tabular">
        <Counts counts={job.counts} />
        {job.virtualNs > 0 && ` · ${formatDurationNs(job.virtualNs)}`}
      </span>
    </Link>
  );
}
