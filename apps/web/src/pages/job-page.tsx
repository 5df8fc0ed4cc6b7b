import { GitCompareArrows, Grid3x3, OctagonX, RotateCcw } from 'lucide-react';
import { useRef, useState } from 'react';
import { Link, Navigate, useParams } from 'react-router';
import { useCancelJob, useJob } from '../api/queries.js';
import type { Job } from '../api/types.js';
import { JobBadge } from '../components/badge.js';
import { ConfirmDialog } from '../components/confirm-dialog.js';
import { Failure, Loading, Notice } from '../components/feedback.js';
import { ConsolePanel } from '../console/console-panel.js';
import { useConsoleStream } from '../console/use-console-stream.js';
import { DefinitionPanel } from '../job/definition-panel.js';
import { FilesPanel, fileCount } from '../job/files-panel.js';
import { JobFacts } from '../job/job-facts.js';
import { logLink } from '../job/log-rows.js';
import { LogPanel } from '../job/log-panel.js';
import { ResultsPanel } from '../job/results-panel.js';
import { TabNav } from '../components/tab-nav.js';
import { useTitle } from '../lib/use-title.js';
import '../styles/job.css';

const TABS = ['console', 'log', 'results', 'files', 'definition'] as const;
type Tab = (typeof TABS)[number];

const TAB_LABELS: Readonly<Record<Tab, string>> = {
  console: 'Console',
  log: 'Log',
  results: 'Results',
  files: 'Files',
  definition: 'Definition',
};

export default function JobPage() {
  const { id = '', tab: name } = useParams();
  const tab = name === undefined ? 'console' : TABS.find((known) => known === name);
  const job = useJob(id);
  useTitle(job.data ? `${job.data.name} ${statusWord(job.data)}` : 'Job');

  if (tab === undefined) return <Navigate to={`/jobs/${id}`} replace />;
  if (job.data) return <JobView key={id} job={job.data} tab={tab} staleBecause={job.error?.message} />;
  return (
    <div className="page">
      <div className="card">
        {job.error ? (
          <Failure wholePage error={job.error} what="job" retry={() => void job.refetch()} />
        ) : (
          <Loading what="job" />
        )}
      </div>
    </div>
  );
}

/** So that a tab in the background shows how the job stands. */
function statusWord(job: Job): string {
  return job.state === 'ended' ? (job.outcome ?? 'ended') : job.state;
}

function JobView({ job, tab, staleBecause }: { job: Job; tab: Tab; staleBecause: string | undefined }) {
  const stream = useConsoleStream(job.id);
  const heading = useRef<HTMLHeadingElement>(null);
  return (
    <div className="job">
      <header className="job-head">
        <nav className="crumbs" aria-label="Breadcrumb">
          <Link to="/jobs">Jobs</Link>
          <span aria-hidden>/</span>
          <span className="mono">{job.id.slice(0, 8)}</span>
        </nav>
        <div className="job-title">
          <h1 ref={heading} tabIndex={-1}>
            {job.name}
          </h1>
          <span role="status" aria-label="Job status">
            <JobBadge job={job} />
          </span>
          <span className="console-spring" />
          <div className="page-actions">
            {/* The button goes with the job's end: the keyboard is not to go with it. */}
            {job.state !== 'ended' && <CancelButton job={job} onConfirm={() => heading.current?.focus()} />}
            {job.groupId !== null && (
              <Link className="button" to={`/groups/${job.groupId}`}>
                <Grid3x3 size={15} aria-hidden />
                Matrix
              </Link>
            )}
            {job.state === 'ended' && (
              <Link className="button" to={`/compare?head=${job.id}`}>
                <GitCompareArrows size={15} aria-hidden />
                Compare
              </Link>
            )}
            <Link className="button" to={`/submit?from=${job.id}`}>
              <RotateCcw size={15} aria-hidden />
              Run again
            </Link>
          </div>
        </div>
        {job.reason !== null && (
          <p className="job-outcome" data-outcome={job.outcome}>
            {job.reason}{' '}
            {job.evidence && <Link to={logLink(job.id, job.evidence.console, job.evidence)}>Show the lines</Link>}
          </p>
        )}
        {staleBecause !== undefined && job.state !== 'ended' && (
          <Notice tone="timeout" title="These facts may be out of date">
            {staleBecause}
          </Notice>
        )}
      </header>
      <div className="job-body">
        <JobFacts job={job} />
        <section className="job-main">
          <TabNav label="Parts of the job" current={tab}>
            {TABS.map((name) => (
              <Link
                key={name}
                to={name === 'console' ? `/jobs/${job.id}` : `/jobs/${job.id}/${name}`}
                aria-current={name === tab ? 'page' : undefined}
                replace
              >
                {TAB_LABELS[name]}
                {countAt(name, job) > 0 && <span className="tab-count">{countAt(name, job)}</span>}
              </Link>
            ))}
          </TabNav>
          {/* The terminals stay while another tab is shown: their scroll position and selection stay too. */}
          <ConsolePanel job={job} stream={stream} shown={tab === 'console'} />
          {tab === 'log' && <LogPanel job={job} stream={stream} />}
          {tab === 'results' && <ResultsPanel job={job} />}
          {tab === 'files' && <FilesPanel job={job} />}
          {tab === 'definition' && <DefinitionPanel job={job} />}
        </section>
      </div>
    </div>
  );
}

/** What a tab says that it holds. */
function countAt(tab: Tab, job: Job): number {
  const { pass, fail, skip, error } = job.counts;
  return tab === 'results' ? pass + fail + skip + error : tab === 'files' ? fileCount(job) : 0;
}

function CancelButton({ job, onConfirm }: { job: Job; onConfirm(): void }) {
  const [asking, setAsking] = useState(false);
  const cancel = useCancelJob(job.id);
  return (
    <>
      {cancel.error && (
        <span className="field-error" role="alert">
          {cancel.error.message}
        </span>
      )}
      <button type="button" className="button danger" disabled={cancel.isPending} onClick={() => setAsking(true)}>
        {cancel.isPending ? <span className="spinner" aria-hidden /> : <OctagonX size={15} aria-hidden />}
        Cancel job
      </button>
      <ConfirmDialog
        open={asking}
        title="Cancel this job?"
        confirmLabel="Cancel job"
        dismissLabel="Keep it running"
        onConfirm={() => {
          onConfirm();
          cancel.mutate();
        }}
        onClose={() => setAsking(false)}
      >
        The board is switched off at once. What it has printed so far stays.
      </ConfirmDialog>
    </>
  );
}
