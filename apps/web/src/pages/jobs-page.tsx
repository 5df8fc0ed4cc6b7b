import { ChevronLeft, ChevronRight, CircuitBoard, FilterX, ListFilter, Search, X } from 'lucide-react';
import { Link, useLocation, useNavigate, useSearchParams } from 'react-router';
import { useBoards, useJobs, type JobFilter } from '../api/queries.js';
import type { Job, JobState, Outcome } from '../api/types.js';
import { JobBadge, outcomeLabel } from '../components/badge.js';
import { DataTable } from '../components/data-table.js';
import { Empty, Failure, Loading, Notice } from '../components/feedback.js';
import { SelfTestButton } from '../components/self-test-button.js';
import { TimeAgo } from '../components/time-ago.js';
import { formatDurationMs, formatDurationNs } from '../lib/format.js';
import { useNow } from '../lib/use-now.js';
import { Counts } from '../components/counts.js';
import { useTitle } from '../lib/use-title.js';

const STATES: readonly { value: JobState | undefined; label: string }[] = [
  { value: undefined, label: 'All' },
  { value: 'queued', label: 'Queued' },
  { value: 'running', label: 'Running' },
  { value: 'ended', label: 'Ended' },
];
const OUTCOMES: readonly Outcome[] = ['pass', 'fail', 'timeout', 'infra', 'cancelled'];

function filterOf(search: URLSearchParams): JobFilter {
  const state = STATES.find(({ value }) => value === search.get('state'))?.value;
  const outcome = OUTCOMES.find((value) => value === search.get('outcome'));
  const texts = (['board', 'name', 'group', 'cursor'] as const).flatMap((name) => {
    const value = search.get(name);
    return value === null || value === '' ? [] : [[name, value] as const];
  });
  return { ...(state && { state }), ...(outcome && { outcome }), ...Object.fromEntries(texts) };
}

function linkTo(filter: { [K in keyof JobFilter]: JobFilter[K] | undefined }): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(filter)) if (value !== undefined && value !== '') search.set(name, value);
  return search.size === 0 ? '/jobs' : `/jobs?${search}`;
}

export function JobsPage() {
  useTitle('Jobs');
  const [search] = useSearchParams();
  const filter = filterOf(search);
  const jobs = useJobs(filter);

  return (
    <div className="page">
      <div className="page-head">
        <div>
          <h1>Jobs</h1>
          <p>Every boot on an emulated board, newest first.</p>
        </div>
      </div>
      <FilterBar filter={filter} />
      {jobs.error && jobs.data && (
        <Notice tone="timeout" title="This list may be out of date">
          {jobs.error.message}
        </Notice>
      )}
      <div className="card">
        {jobs.data ? (
          <JobTable jobs={jobs.data.items} filter={filter} />
        ) : jobs.error ? (
          <Failure error={jobs.error} what="job list" retry={() => void jobs.refetch()} />
        ) : (
          <Loading what="jobs" />
        )}
      </div>
      {jobs.data && <Pager filter={filter} nextCursor={jobs.data.nextCursor} />}
    </div>
  );
}

function FilterBar({ filter }: { filter: JobFilter }) {
  const navigate = useNavigate();
  const boards = useBoards();
  return (
    <div className="filter-bar">
      <form
        className="filter-name"
        role="search"
        onSubmit={(event) => {
          event.preventDefault();
          const name = new FormData(event.currentTarget).get('name');
          void navigate(linkTo({ ...filter, name: typeof name === 'string' ? name : undefined, cursor: undefined }));
        }}
      >
        <Search size={15} aria-hidden />
        <input
          key={filter.name ?? ''}
          className="input small"
          type="search"
          name="name"
          placeholder="Find by name"
          aria-label="Find jobs by name"
          defaultValue={filter.name ?? ''}
          maxLength={200}
        />
      </form>
      <nav className="segmented" aria-label="Filter by state">
        {STATES.map(({ value, label }) => (
          <Link
            key={label}
            to={linkTo(
              value === 'ended'
                ? { ...filter, state: value, cursor: undefined }
                : { ...filter, state: value, outcome: undefined, cursor: undefined },
            )}
            aria-current={filter.state === value && (value !== undefined || !filter.outcome) ? 'page' : undefined}
          >
            {label}
          </Link>
        ))}
      </nav>
      {filter.group !== undefined && (
        <Link className="button small" to={linkTo({ ...filter, group: undefined, cursor: undefined })}>
          <X size={14} aria-hidden />
          One matrix only
        </Link>
      )}
      <label className="filter-outcome">
        <span className="visually-hidden">Board</span>
        <select
          className="input small"
          value={filter.board ?? ''}
          onChange={(event) =>
            void navigate(linkTo({ ...filter, board: event.target.value || undefined, cursor: undefined }))
          }
        >
          <option value="">Any board</option>
          {boards.data?.map(({ id, name }) => (
            <option key={id} value={id}>
              {name}
            </option>
          ))}
        </select>
      </label>
      <label className="filter-outcome">
        <ListFilter size={15} aria-hidden />
        <span className="visually-hidden">Outcome</span>
        <select
          className="input small"
          value={filter.outcome ?? ''}
          onChange={(event) => {
            const outcome = OUTCOMES.find((value) => value === event.target.value);
            // Only ended jobs have an outcome.
            void navigate(linkTo({ ...filter, ...(outcome && { state: 'ended' }), outcome, cursor: undefined }));
          }}
        >
          <option value="">Any outcome</option>
          {OUTCOMES.map((outcome) => (
            <option key={outcome} value={outcome}>
              {outcomeLabel(outcome)}
            </option>
          ))}
        </select>
      </label>
    </div>
  );
}

function JobTable({ jobs, filter }: { jobs: readonly Job[]; filter: JobFilter }) {
  const now = useNow(
    1000,
    jobs.some((job) => job.state === 'running'),
  );
  if (jobs.length === 0) return <NoJobs filter={filter} />;
  return (
    <DataTable
      label="Jobs"
      className="rows-link jobs-table"
      items={jobs}
      keyOf={({ id }) => id}
      columns={[
        { head: 'Status', cell: (job) => <JobBadge job={job} /> },
        {
          head: 'Job',
          className: 'job-cell',
          cell: (job) => (
            <>
              <Link to={`/jobs/${job.id}`} className="row-link">
                {job.name}
              </Link>
              {job.state === 'ended' && job.outcome !== 'pass' && job.reason !== null && (
                <div className="job-reason" title={job.reason}>
                  {job.reason}
                </div>
              )}
            </>
          ),
        },
        {
          head: 'Board',
          cell: ({ spec }) => (
            <>
              {spec.board} {spec.cpu !== undefined && <span className="tag">{spec.cpu}</span>}
            </>
          ),
        },
        { head: 'Results', className: 'number', cell: ({ counts }) => <Counts counts={counts} /> },
        { head: 'Wall time', phone: 'wide', className: 'number', cell: (job) => wallTime(job, now) },
        {
          head: 'Virtual time',
          phone: 'wide',
          className: 'number',
          cell: ({ virtualNs }) => (virtualNs > 0 ? formatDurationNs(virtualNs) : '–'),
        },
        { head: 'Submitted', className: 'nowrap muted', cell: ({ createdAt }) => <TimeAgo iso={createdAt} /> },
      ]}
    />
  );
}

function wallTime(job: Job, now: Date): string {
  if (job.state === 'running' && job.startedAt !== null) {
    return formatDurationMs(Math.max(0, now.getTime() - Date.parse(job.startedAt)));
  }
  return job.wallMs > 0 ? formatDurationMs(job.wallMs) : '–';
}

function NoJobs({ filter }: { filter: JobFilter }) {
  const selfTesting = useBoards().data?.find((board) => board.selfTest);
  if (Object.keys(filter).length > 0) {
    return (
      <Empty
        icon={<FilterX size={40} strokeWidth={1.4} />}
        title="No job matches this filter"
        actions={
          <Link to="/jobs" className="button">
            Show all jobs
          </Link>
        }
      />
    );
  }
  return (
    <Empty
      icon={<CircuitBoard size={44} strokeWidth={1.3} />}
      title="No jobs yet"
      actions={
        <>
          {selfTesting && <SelfTestButton board={selfTesting.id} primary />}
          <Link to="/submit?preset=shell" className="button">
            Boot Linux interactively
          </Link>
        </>
      }
    >
      <p>
        A job boots your kernel or firmware on an emulated board and records every console byte. Start with the board’s
        built-in self-test: it needs no files and takes a second.
      </p>
    </Empty>
  );
}

/** Cursors only lead forward; the way back is remembered in the history entry of each page. */
function Pager({ filter, nextCursor }: { filter: JobFilter; nextCursor: string | null }) {
  const location = useLocation();
  const before = previousLinks(location.state);
  if (nextCursor === null && filter.cursor === undefined) return null;
  return (
    <nav className="pager" aria-label="Pages">
      {filter.cursor !== undefined && (
        <Link
          className="button small"
          to={before.at(-1) ?? linkTo({ ...filter, cursor: undefined })}
          state={{ before: before.slice(0, -1) }}
        >
          <ChevronLeft size={15} aria-hidden />
          Newer
        </Link>
      )}
      {nextCursor !== null && (
        <Link
          className="button small"
          to={linkTo({ ...filter, cursor: nextCursor })}
          state={{ before: [...before, linkTo(filter)] }}
        >
          Older
          <ChevronRight size={15} aria-hidden />
        </Link>
      )}
    </nav>
  );
}

function previousLinks(state: unknown): string[] {
  if (typeof state !== 'object' || state === null || !('before' in state) || !Array.isArray(state.before)) return [];
  return state.before.filter((link): link is string => typeof link === 'string');
}
