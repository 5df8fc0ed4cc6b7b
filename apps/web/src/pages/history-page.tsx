import { useState } from 'react';
import { Link, useSearchParams } from 'react-router';
import { useHistory } from '../api/queries.js';
import { ResultBadge } from '../components/badge.js';
import { Empty, Failure, Loading } from '../components/feedback.js';
import { TimeAgo } from '../components/time-ago.js';
import { logLink } from '../job/log-rows.js';
import { formatDurationNs } from '../lib/format.js';
import { useTitle } from '../lib/use-title.js';
import '../styles/matrix.css';

/** One test case through all jobs: since when does it fail? */
export default function HistoryPage() {
  const [search] = useSearchParams();
  const suite = search.get('suite') ?? '';
  const name = search.get('name') ?? '';
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
          <div className="table-scroll">
            <table className="table">
              <thead>
                <tr>
                  <th>Result</th>
                  <th>Job</th>
                  <th>Board</th>
                  <th className="number">Took</th>
                  <th>Lines</th>
                  <th>When</th>
                </tr>
              </thead>
              <tbody>
                {items.map(({ job, result }) => (
                  <tr key={job.id}>
                    <td>
                      <ResultBadge outcome={result.outcome} />
                    </td>
                    <td>
                      <Link to={`/jobs/${job.id}`}>{job.name}</Link>
                      {result.detail !== null && (
                        <div className="muted compare-why">{result.detail.split('\n', 1)[0]}</div>
                      )}
                    </td>
                    <td className="nowrap">
                      {job.board} {job.cpu !== null && <span className="tag">{job.cpu}</span>}
                    </td>
                    <td className="number">{result.durationNs === null ? '–' : formatDurationNs(result.durationNs)}</td>
                    <td>
                      {result.lines && result.console && (
                        <Link to={logLink(job.id, result.console, result.lines)}>{result.lines.first}</Link>
                      )}
                    </td>
                    <td className="nowrap muted">
                      <TimeAgo iso={job.createdAt} />
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
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
