import { ClipboardList } from 'lucide-react';
import { Link } from 'react-router';
import type { Job, Result } from '../api/types.js';
import { ResultBadge } from '../components/badge.js';
import { useResults } from '../api/queries.js';
import { Empty, Failure, Loading } from '../components/feedback.js';
import { formatDurationNs } from '../lib/format.js';

export function ResultsPanel({ job }: { job: Job }) {
  const results = useResults(job);
  if (results.error) return <Failure error={results.error} what="results" retry={() => void results.refetch()} />;
  if (!results.data) return <Loading what="results" />;
  if (results.data.items.length === 0) {
    return (
      <Empty
        icon={<ClipboardList size={40} strokeWidth={1.4} />}
        title={job.state === 'ended' ? 'No results' : 'No results yet'}
      >
        <p>
          {job.spec.steps?.length
            ? 'Each step becomes a result when it is over.'
            : 'This job has no steps: its outcome says how it ended. Give it steps to check what it prints.'}
        </p>
        {!job.spec.steps?.length && (
          <div className="empty-actions">
            <Link className="button" to={`/submit?from=${job.id}`}>
              Run again with steps
            </Link>
          </div>
        )}
      </Empty>
    );
  }
  return (
    <div className="results">
      {bySuite(results.data.items).map(([suite, results]) => (
        <section key={suite} className="card" aria-label={`Suite ${suite}`}>
          <div className="card-head">
            <h2>{suite}</h2>
            <span className="muted tabular">
              {results.filter(({ outcome }) => outcome === 'pass').length} of {results.length} passed
            </span>
          </div>
          <div className="table-scroll">
            <table className="table">
              <thead>
                <tr>
                  <th>Result</th>
                  <th>Case</th>
                  <th className="number">Began at</th>
                  <th className="number">Took</th>
                </tr>
              </thead>
              <tbody>
                {results.map((result, index) => (
                  <tr key={`${index} ${result.name}`}>
                    <td>
                      <ResultBadge outcome={result.outcome} />
                    </td>
                    <td className="result-case">
                      <code>{result.name}</code>
                      {result.detail !== null && <div className="muted">{result.detail}</div>}
                    </td>
                    <td className="number nowrap">
                      {result.startNs === null ? '–' : formatDurationNs(result.startNs)}
                    </td>
                    <td className="number nowrap">
                      {result.durationNs === null ? '–' : formatDurationNs(result.durationNs)}
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        </section>
      ))}
    </div>
  );
}

function bySuite(results: readonly Result[]): [suite: string, results: Result[]][] {
  const suites = new Map<string, Result[]>();
  for (const result of results) {
    const known = suites.get(result.suite);
    if (known) known.push(result);
    else suites.set(result.suite, [result]);
  }
  return [...suites];
}
