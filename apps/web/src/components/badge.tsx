import { Ban, CircleCheck, CircleDashed, CircleX, ClockAlert, MinusCircle, ServerCrash } from 'lucide-react';
import type { Job, Outcome, Result } from '../api/types.js';

const OUTCOMES = {
  pass: { label: 'Passed', icon: CircleCheck, tone: 'pass' },
  fail: { label: 'Failed', icon: CircleX, tone: 'fail' },
  timeout: { label: 'Timed out', icon: ClockAlert, tone: 'timeout' },
  infra: { label: 'Infrastructure', icon: ServerCrash, tone: 'infra' },
  cancelled: { label: 'Cancelled', icon: Ban, tone: 'idle' },
} as const satisfies Record<Outcome, unknown>;

export function outcomeLabel(outcome: Outcome): string {
  return OUTCOMES[outcome].label;
}

/** What a person asks of a job first: is it waiting, running, or how did it end? */
export function JobBadge({ job }: { job: Pick<Job, 'state' | 'outcome'> }) {
  if (job.state === 'running') {
    return (
      <span className="badge" data-tone="running">
        <span className="pulse" />
        Running
      </span>
    );
  }
  if (job.state === 'queued' || job.outcome === null) {
    return (
      <span className="badge">
        <CircleDashed size={15} aria-hidden />
        Queued
      </span>
    );
  }
  const { label, icon: Icon, tone } = OUTCOMES[job.outcome];
  return (
    <span className="badge" data-tone={tone}>
      <Icon size={15} aria-hidden />
      {label}
    </span>
  );
}

const RESULTS = {
  pass: { label: 'Pass', icon: CircleCheck, tone: 'pass' },
  fail: { label: 'Fail', icon: CircleX, tone: 'fail' },
  skip: { label: 'Skipped', icon: MinusCircle, tone: 'idle' },
  error: { label: 'Error', icon: ServerCrash, tone: 'infra' },
} as const satisfies Record<Result['outcome'], unknown>;

export function ResultBadge({ outcome }: { outcome: Result['outcome'] }) {
  const { label, icon: Icon, tone } = RESULTS[outcome];
  return (
    <span className="badge" data-tone={tone}>
      <Icon size={15} aria-hidden />
      {label}
    </span>
  );
}
