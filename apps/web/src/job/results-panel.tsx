import { ClipboardList, Download, History } from 'lucide-react';
import { useMemo, useState } from 'react';
import { Link, useSearchParams } from 'react-router';
import { download } from '../api/client.js';
import { useResults } from '../api/queries.js';
import type { Job, Result } from '../api/types.js';
import { ResultBadge } from '../components/badge.js';
import { Empty, Failure, Loading, Notice } from '../components/feedback.js';
import { Segmented } from '../components/segmented.js';
import { formatDurationNs } from '../lib/format.js';
import { AddResults } from './add-results.js';
import { logLink } from './log-rows.js';
import { isBad, resultTree, type SuiteNode } from './result-tree.js';

/** Cases drawn of one suite before the rest is asked for: a page of a hundred thousand rows helps nobody. */
const CASES_SHOWN = 200;

type Shown = 'all' | 'bad';

/** What the job found out, as a tree of suites. */
export function ResultsPanel({ job }: { job: Job }) {
  const results = useResults(job);
  const [search, setSearch] = useSearchParams();
  const shown: Shown = search.get('show') === 'bad' ? 'bad' : 'all';
  const items = results.data?.items;
  const suites = useMemo(
    () => resultTree((items ?? []).filter((result) => shown === 'all' || isBad(result))),
    [items, shown],
  );
  const longest = useMemo(() => Math.max(1, ...(items ?? []).map(({ durationNs }) => durationNs ?? 0)), [items]);
  if (results.error) return <Failure error={results.error} what="results" retry={() => void results.refetch()} />;
  if (!results.data || !items) return <Loading what="results" />;
  if (items.length === 0) return <NoResults job={job} />;
  const { counts } = results.data;
  const bad = counts.fail + counts.error;
  return (
    <div className="results">
      <div className="results-bar">
        <Segmented
          legend="Which results"
          value={shown}
          options={[
            { value: 'all', label: `All ${counts.pass + counts.fail + counts.skip + counts.error}` },
            { value: 'bad', label: `Failed ${bad}` },
          ]}
          onChange={(value) =>
            // At once: the radio button would fall back until a transition is over.
            setSearch(value === 'bad' ? { show: 'bad' } : {}, { replace: true, flushSync: true })
          }
        />
        <span className="muted tabular">
          {counts.pass} passed{counts.skip > 0 && `, ${counts.skip} skipped`}
        </span>
        <span className="console-spring" />
        <Exports job={job} />
      </div>
      {results.data.nextCursor !== null && (
        <Notice tone="timeout" title={`Only the first ${items.length} results are shown here`}>
          The exports have all of them.
        </Notice>
      )}
      {suites.length === 0 && <Empty icon={undefined} title="No result failed" />}
      {suites.map((suite) => (
        <Suite key={suite.path} suite={suite} job={job} longest={longest} open />
      ))}
    </div>
  );
}

function NoResults({ job }: { job: Job }) {
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
      <div className="empty-actions">
        {!job.spec.steps?.length && (
          <Link className="button" to={`/submit?from=${job.id}`}>
            Run again with steps
          </Link>
        )}
        <AddResults job={job} />
      </div>
    </Empty>
  );
}

function Exports({ job }: { job: Job }) {
  const [failure, setFailure] = useState<string>();
  const save = (format: 'junit' | 'tap' | 'json', ending: string): void => {
    setFailure(undefined);
    download(`/jobs/${job.id}/results?format=${format}`, `${job.id}.${ending}`).catch((error: unknown) =>
      setFailure(error instanceof Error ? error.message : String(error)),
    );
  };
  return (
    <div className="page-actions">
      {failure !== undefined && (
        <span className="field-error" role="alert">
          {failure}
        </span>
      )}
      <AddResults job={job} />
      {(
        [
          ['junit', 'xml', 'JUnit'],
          ['tap', 'tap', 'TAP'],
          ['json', 'json', 'JSON'],
        ] as const
      ).map(([format, ending, label]) => (
        <button key={format} type="button" className="button small" onClick={() => save(format, ending)}>
          <Download size={14} aria-hidden />
          {label}
        </button>
      ))}
    </div>
  );
}

interface SuiteProps {
  suite: SuiteNode;
  job: Job;
  /** Longest of all cases, nanoseconds: what the bars are measured by. */
  longest: number;
  open: boolean;
}

function Suite({ suite, job, longest, open }: SuiteProps) {
  const [limit, setLimit] = useState(CASES_SHOWN);
  const { pass, fail, error, skip } = suite.counts;
  const all = pass + fail + error + skip;
  return (
    <details className="suite" open={open || fail + error > 0}>
      <summary>
        <span className="suite-name">{suite.name}</span>
        <span className="muted tabular">
          {pass} of {all} passed
        </span>
        {fail + error > 0 && <span className="suite-bad tabular">{fail + error} failed</span>}
        <span className="suite-bar" aria-hidden>
          {(['pass', 'fail', 'error', 'skip'] as const).map((outcome) => (
            <i key={outcome} data-outcome={outcome} style={{ flexGrow: suite.counts[outcome] }} />
          ))}
        </span>
      </summary>
      <ul className="cases">
        {suite.results.slice(0, limit).map((result, index) => (
          <Case key={`${index} ${result.name}`} result={result} job={job} longest={longest} />
        ))}
      </ul>
      {suite.results.length > limit && (
        <button type="button" className="button small suite-more" onClick={() => setLimit(limit * 5)}>
          Show more of {suite.results.length}
        </button>
      )}
      {suite.suites.map((inner) => (
        <Suite key={inner.path} suite={inner} job={job} longest={longest} open={suite.suites.length <= 20} />
      ))}
    </details>
  );
}

function Case({ result, job, longest }: { result: Result; job: Job; longest: number }) {
  const history = new URLSearchParams({ suite: result.suite, name: result.name });
  return (
    <li className="case">
      <ResultBadge outcome={result.outcome} />
      <div className="result-case">
        <code>{result.name}</code>
        {result.measurement && (
          <span className="tag">
            {result.measurement.value} {result.measurement.unit}
          </span>
        )}
        {result.detail !== null && <pre className="case-detail">{result.detail}</pre>}
      </div>
      <div className="case-time tabular">
        {result.durationNs !== null && (
          <>
            <span title={result.startNs === null ? undefined : `began at ${formatDurationNs(result.startNs)}`}>
              {formatDurationNs(result.durationNs)}
            </span>
            <span className="timing-bar" data-status={result.outcome} aria-hidden>
              <i style={{ width: `${(result.durationNs / longest) * 100}%` }} />
            </span>
          </>
        )}
      </div>
      <div className="case-links">
        {result.lines && result.console !== null && result.console !== '' && (
          <Link to={logLink(job.id, result.console, result.lines)}>
            {result.lines.last > result.lines.first
              ? `lines ${result.lines.first}–${result.lines.last}`
              : `line ${result.lines.first}`}
          </Link>
        )}
        <Link to={`/history?${history}`} aria-label={`History of ${result.name}`} title="History of this case">
          <History size={14} aria-hidden />
        </Link>
      </div>
    </li>
  );
}
