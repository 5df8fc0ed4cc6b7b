import { useState } from 'react';
import { Link, useSearchParams } from 'react-router';
import { useHistory } from '../api/queries.js';
import { ResultBadge } from '../components/badge.js';
import { DataTable } from '../components/data-table.js';
import { Empty, Failure, Loading } from '../components/feedback.js';
import { TimeAgo } from '../components/time-ago.js';
import { logLink } from '../job/log-rows.js';
import { formatDurationNs } from '../lib/format.js';
import { useTitle } from '../lib/use-title.js';
import { NotFoundPage } from './not-found-page.js';
import '../styles/matrix.css';

/** One test case through all jobs: since when does it fail? */
export default function HistoryPage() {
  const [search] = useSearchParams();
  const suite = search.get('suite');
  const name = search.get('name');
  if (suite === null || name === null) return <NotFoundPage />;
  return <History key={`${suite}/${name}`} suite={suite} name={name} />;
}

function History({ suite, name }: { suite: string; name: string }) {
  const [cursors, setCursors] = useState<readonly string[]>([]);
  const history = useHistory(suite, name, cursors.at(-1));
  useTitle(`History of ${name}`);
  const items = history.data?.items ?? [];
  return (
    <div className="page">
      <div className="page-head">
        <div>
          <h1 className="mono">{name}</h1>
          <p>
            In <code>{suite}</code>, newest job first.
          </p>
        </div>
      </div>
      {items.length > 1 && (
        <div className="history-strip" role="img" aria-label={`The last ${items.length} outcomes, newest at the right`}>
          {[...items].reverse().map(({ job, result }) => (
            <i key={job.id} data-outcome={result.outcome} />
          ))}
        </div>
      )}
      <div className="card">
        {!history.data ? (
          history.error ? (
            <Failure error={history.error} what="history" retry={() => void history.refetch()} />
          ) : (
            <Loading what="history" />
          )
        ) : items.length === 0 ? (
          <Empty icon={undefined} title="No job has a result of this name" />
        ) : (
          <DataTable
            label="History"
            items={items}
            keyOf={({ job }) => job.id}
            columns={[
              { head: 'Result', phone: 'title', cell: ({ result }) => <ResultBadge outcome={result.outcome} /> },
              {
                head: 'Job',
                cell: ({ job, result }) => (
                  <>
                    <Link to={`/jobs/${job.id}`}>{job.name}</Link>
                    {result.detail !== null && (
                      <div className="muted compare-why">{result.detail.split('\n', 1)[0]}</div>
                    )}
                  </>
                ),
              },
              {
                head: 'Board',
                className: 'nowrap',
                cell: ({ job }) => (
                  <>
                    {job.board} {job.cpu !== null && <span className="tag">{job.cpu}</span>}
                  </>
                ),
              },
              {
                head: 'Took',
                className: 'number',
                cell: ({ result }) => (result.durationNs === null ? '–' : formatDurationNs(result.durationNs)),
              },
              {
                head: 'Lines',
                cell: ({ job, result }) =>
                  result.lines &&
                  result.console && (
                    <Link to={logLink(job.id, result.console, result.lines)}>{result.lines.first}</Link>
                  ),
              },
              { head: 'When', className: 'nowrap muted', cell: ({ job }) => <TimeAgo iso={job.createdAt} /> },
            ]}
          />
        )}
      </div>
      {(cursors.length > 0 || history.data?.nextCursor) && (
        <nav className="pager" aria-label="Pages">
          {cursors.length > 0 && (
            <button type="button" className="button small" onClick={() => setCursors(cursors.slice(0, -1))}>
              Newer
            </button>
          )}
          {history.data?.nextCursor && (
            <button
              type="button"
              className="button small"
              onClick={() => setCursors([...cursors, history.data.nextCursor ?? ''])}
            >
              Older
            </button>
          )}
        </nav>
      )}
    </div>
  );
}
