import { ArrowLeftRight, GitCompareArrows } from 'lucide-react';
import { Link, useNavigate, useSearchParams } from 'react-router';
import { useComparison, useJobs } from '../api/queries.js';
import type { Comparison, JobBrief, ResultPair } from '../api/types.js';
import { JobBadge, ResultBadge } from '../components/badge.js';
import { Empty, Failure, Loading } from '../components/feedback.js';
import { TimeAgo } from '../components/time-ago.js';
import { SelectField } from '../components/fields.js';
import { logLink } from '../job/log-rows.js';
import { useTitle } from '../lib/use-title.js';
import '../styles/matrix.css';

const PARTS = [
  { key: 'regressions', title: 'Regressions', one: 'regression', open: true },
  { key: 'fixes', title: 'Fixes', one: 'fix', open: true },
  { key: 'stillFailing', title: 'Still failing', open: true },
  { key: 'added', title: 'New', open: false },
  { key: 'missing', title: 'Missing', open: false },
  { key: 'changed', title: 'Changed otherwise', open: false },
] as const satisfies readonly { key: keyof Comparison; title: string; one?: string; open: boolean }[];

/** Two jobs side by side: what broke, what was mended. */
export default function ComparePage() {
  useTitle('Compare');
  const navigate = useNavigate();
  const [search] = useSearchParams();
  const base = search.get('base') ?? '';
  const head = search.get('head') ?? '';
  const comparison = useComparison(base, head);
  const choose = (change: { base?: string; head?: string }): void =>
    void navigate(`/compare?${new URLSearchParams({ base, head, ...change })}`);
  return (
    <div className="page">
      <div className="page-head">
        <div>
          <h1>Compare</h1>
          <p>What became of the results of one job in another.</p>
        </div>
      </div>
      <div className="compare-choice">
        <JobChoice label="Before" value={base} onChange={(id) => choose({ base: id })} />
        <button
          type="button"
          className="button icon"
          aria-label="Swap"
          disabled={base === '' || head === ''}
          onClick={() => choose({ base: head, head: base })}
        >
          <ArrowLeftRight size={15} aria-hidden />
        </button>
        <JobChoice label="After" value={head} onChange={(id) => choose({ head: id })} />
      </div>
      {base === '' || head === '' ? (
        <div className="card">
          <Empty icon={<GitCompareArrows size={40} strokeWidth={1.4} />} title="Choose two jobs" />
        </div>
      ) : comparison.data ? (
        <Differences comparison={comparison.data} />
      ) : comparison.error ? (
        <div className="card">
          <Failure error={comparison.error} what="comparison" retry={() => void comparison.refetch()} />
        </div>
      ) : (
        <Loading what="comparison" />
      )}
    </div>
  );
}

function JobChoice({ label, value, onChange }: { label: string; value: string; onChange(id: string): void }) {
  const jobs = useJobs({ state: 'ended' }).data?.items ?? [];
  return (
    <SelectField label={label} value={value} onChange={onChange}>
      <option value="">Choose a job…</option>
      {value !== '' && !jobs.some(({ id }) => id === value) && <option value={value}>{value}</option>}
      {jobs.map((job) => (
        <option key={job.id} value={job.id}>
          {job.name} · {job.outcome} · {job.id.slice(0, 8)}
        </option>
      ))}
    </SelectField>
  );
}

function Differences({ comparison }: { comparison: Comparison }) {
  return (
    <>
      <div className="compare-jobs">
        <Side title="Before" job={comparison.base} />
        <Side title="After" job={comparison.head} />
      </div>
      <p className="compare-sum tabular">
        {PARTS.map(({ key, title, ...part }) => (
          <span key={key} data-part={key} data-none={comparison[key].length === 0 || undefined}>
            {comparison[key].length} {comparison[key].length === 1 && 'one' in part ? part.one : title.toLowerCase()}
          </span>
        ))}
        <span className="muted">{comparison.unchanged} unchanged</span>
      </p>
      {PARTS.filter(({ key }) => comparison[key].length > 0).map(({ key, title, open }) => (
        <details key={key} className="card compare-part" open={open}>
          <summary>
            <h2>{title}</h2> <span className="tab-count">{comparison[key].length}</span>
          </summary>
          <div className="table-scroll">
            <table className="table">
              <thead>
                <tr>
                  <th>Case</th>
                  <th>Before</th>
                  <th>After</th>
                </tr>
              </thead>
              <tbody>
                {comparison[key].slice(0, 500).map((pair, index) => (
                  <Pair key={`${index} ${pair.name}`} pair={pair} comparison={comparison} />
                ))}
              </tbody>
            </table>
          </div>
        </details>
      ))}
    </>
  );
}

function Side({ title, job }: { title: string; job: JobBrief }) {
  return (
    <section className="card compare-side" aria-label={title}>
      <span className="muted">{title}</span>
      <Link to={`/jobs/${job.id}`}>{job.name}</Link>
      <JobBadge job={job} />
      <span className="muted">
        {job.board} {job.cpu} · <TimeAgo iso={job.createdAt} />
      </span>
      {job.reason !== null && <p className="muted">{job.reason}</p>}
    </section>
  );
}

function Pair({ pair: { suite, name, base, head }, comparison }: { pair: ResultPair; comparison: Comparison }) {
  const side = (result: ResultPair['base'], job: JobBrief) =>
    result === null ? (
      <span className="muted">–</span>
    ) : result.lines && result.console ? (
      <Link to={logLink(job.id, result.console, result.lines)}>
        <ResultBadge outcome={result.outcome} />
      </Link>
    ) : (
      <ResultBadge outcome={result.outcome} />
    );
  const why = head?.detail ?? base?.detail;
  return (
    <tr>
      <td className="result-case">
        <span className="muted">{suite}/</span>
        <Link to={`/history?${new URLSearchParams({ suite, name })}`}>
          <code>{name}</code>
        </Link>
        {why && <div className="muted compare-why">{why.split('\n', 1)[0]}</div>}
      </td>
      <td>{side(base, comparison.base)}</td>
      <td>{side(head, comparison.head)}</td>
    </tr>
  );
}
