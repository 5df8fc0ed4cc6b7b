import { Ban, CircleCheck, CircleDashed, CircleDot, CircleX, ClockAlert } from 'lucide-react';
import { Link } from 'react-router';
import type { Job, JobStep } from '../api/types.js';
import { formatDurationNs } from '../lib/format.js';
import { logLink } from './log-rows.js';

const STATUSES = {
  pending: { label: 'Not begun', icon: CircleDashed },
  running: { label: 'Running', icon: CircleDot },
  pass: { label: 'Passed', icon: CircleCheck },
  fail: { label: 'Failed', icon: CircleX },
  timeout: { label: 'Timed out', icon: ClockAlert },
  incomplete: { label: 'Not finished', icon: Ban },
} as const satisfies Record<JobStep['status'], unknown>;

export function StepIcon({ status, size = 15 }: { status: JobStep['status']; size?: number }) {
  const { label, icon: Icon } = STATUSES[status];
  return (
    <span className="step-icon" data-status={status}>
      <Icon size={size} role="img" aria-label={label} />
    </span>
  );
}

/** What a step is called where there is one line for it. */
export function stepName({ name, kind, text }: JobStep): string {
  return name ?? (text === '' ? kind : `${kind} ${text.trimEnd()}`);
}

/** The steps of a job, one below the other, with how each went and how long it took. */
export function StepList({ job }: { job: Job }) {
  if (job.steps.length === 0) return null;
  const done = job.steps.filter(({ status }) => status !== 'pending' && status !== 'running').length;
  const longest = Math.max(1, ...job.steps.map((step) => durationOf(step, job) ?? 0));
  return (
    <section className="fact-group" aria-labelledby="facts-steps">
      <h2 id="facts-steps">
        Steps{' '}
        <span className="tabular step-progress">
          {done} of {job.steps.length}
        </span>
      </h2>
      <ol className="step-list">
        {job.steps.map((step) => (
          <li key={step.index} data-status={step.status}>
            <StepIcon status={step.status} />
            <div className="step-body">
              <div className="step-line">
                {step.lines ? (
                  <Link
                    to={logLink(job.id, step.console ?? job.consoles[0] ?? '', {
                      first: step.lines.first,
                      last: step.lines.first,
                    })}
                    title={stepName(step)}
                  >
                    {stepName(step)}
                  </Link>
                ) : (
                  <span title={stepName(step)}>{stepName(step)}</span>
                )}
                <span className="step-time tabular">{timeOf(step, job)}</span>
              </div>
              <Bar part={(durationOf(step, job) ?? 0) / longest} status={step.status} />
              <CaseCounts step={step} />
              {step.message !== null && <p className="step-message">{step.message}</p>}
            </div>
          </li>
        ))}
      </ol>
    </section>
  );
}

/** Virtual time that a step has taken so far. */
function durationOf(step: JobStep, job: Job): number | undefined {
  if (step.startNs === null) return undefined;
  if (step.doneNs !== null) return step.doneNs - step.startNs;
  return step.status === 'running' ? Math.max(0, job.virtualNs - step.startNs) : undefined;
}

function timeOf(step: JobStep, job: Job): string {
  const ns = durationOf(step, job);
  return ns === undefined ? '' : formatDurationNs(ns);
}

function Bar({ part, status }: { part: number; status: JobStep['status'] }) {
  if (part <= 0) return null;
  return (
    <div className="timing-bar" data-status={status} aria-hidden>
      <div style={{ width: `${Math.max(1, part * 100)}%` }} />
    </div>
  );
}

function CaseCounts({ step: { counts } }: { step: JobStep }) {
  const shown = (['pass', 'fail', 'error', 'skip'] as const).filter((outcome) => counts[outcome] > 0);
  if (shown.length === 0) return null;
  return (
    <p className="step-counts tabular">
      {shown.map((outcome) => (
        <span key={outcome} data-outcome={outcome}>
          {counts[outcome]} {WORDS[outcome]}
        </span>
      ))}
    </p>
  );
}

const WORDS = { pass: 'passed', fail: 'failed', error: 'broken', skip: 'skipped' } as const;
