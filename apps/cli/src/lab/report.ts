import type { Job, JobStep } from '@bootlab/lab';
import { countsText, paint, printable, type Output } from './output.js';

const STATUS_WORD: Readonly<Record<JobStep['status'], string>> = {
  pending: '',
  running: '...',
  pass: 'ok',
  fail: 'FAILED',
  timeout: 'TIMEOUT',
  incomplete: 'not done',
};

const WORD_WIDTH = 8;
/** Most steps of one job that a terminal shows at a time. */
const SHOWN_STEPS = 15;

const seconds = (ns: number): string => (ns / 1e9).toFixed(3);

export interface Reporter {
  update(jobs: readonly Job[]): void;
  /** Nothing more comes. */
  close(): void;
}

export function reporterFor(output: Output): Reporter {
  return output.live ? new LiveReporter(output) : new LineReporter(output);
}

/** A line for each thing that has happened, never rewritten: for logs. */
export class LineReporter implements Reporter {
  private readonly told = new Set<string>();

  constructor(protected readonly output: Output) {}

  update(jobs: readonly Job[]): void {
    for (const [index, job] of jobs.entries()) this.tell(job, jobs.length > 1 ? `[${index + 1}/${jobs.length}] ` : '');
  }

  close(): void {
    // Lines are complete at any time.
  }

  private tell(job: Job, prefix: string): void {
    const attempt = job.attempts > 1 ? ` (attempt ${job.attempts})` : '';
    const title = `${printable(job.name)} on ${job.spec.board}`;
    if (job.state === 'queued') this.once(`${job.id} queued ${job.attempts}`, `${prefix}${title}: queued`);
    if (job.startedAt !== null) this.once(`${job.id} run ${job.attempts}`, `${prefix}${title}: running${attempt}`);
    for (const step of job.steps) {
      if (step.status === 'pending' || step.status === 'running') continue;
      this.once(`${job.id} step ${job.attempts} ${step.index}`, prefix + stepLine(step, false));
    }
    if (job.state === 'ended') this.once(`${job.id} end`, prefix + endLine(job, false));
  }

  private once(key: string, text: string): void {
    if (this.told.has(key)) return;
    this.told.add(key);
    this.output.out.write(`${text}\n`);
  }
}

/** All steps, redrawn in place as they go: for a terminal. Of several jobs a line each. */
export class LiveReporter implements Reporter {
  private drawn = 0;

  constructor(private readonly output: Output) {}

  update(jobs: readonly Job[]): void {
    const [job] = jobs;
    const lines = jobs.length === 1 && job ? jobLines(job) : jobs.map(summaryLine);
    const width = Math.max(20, (this.output.out.columns ?? 80) - 1);
    const up = this.drawn > 0 ? `\x1b[${this.drawn}A` : '';
    this.output.out.write(`${up}${lines.map((line) => `\x1b[2K${clip(line, width)}\n`).join('')}\x1b[J`);
    this.drawn = lines.length;
  }

  close(): void {
    this.drawn = 0; // what is drawn stays
  }
}

function jobLines(job: Job): string[] {
  const attempt = job.attempts > 1 ? ` (attempt ${job.attempts})` : '';
  const head = paint(true, 'bold', `${printable(job.name)} on ${job.spec.board}${attempt}`);
  const tail = job.state === 'ended' ? endLine(job, true) : paint(true, 'dim', stateText(job));
  return [head, ...shownSteps(job.steps).map((step) => stepLine(step, true)), tail];
}

/** The window of steps around the one that runs. */
function shownSteps(steps: readonly JobStep[]): readonly JobStep[] {
  const current = steps.findIndex(({ status }) => status === 'running' || status === 'pending');
  const at = current === -1 ? steps.length - 1 : current;
  const first = Math.max(0, Math.min(at - SHOWN_STEPS + 4, steps.length - SHOWN_STEPS));
  return steps.slice(first, first + SHOWN_STEPS);
}

function stepLine(step: JobStep, live: boolean): string {
  const style =
    step.status === 'pass' ? 'good' : step.status === 'pending' || step.status === 'running' ? 'dim' : 'bad';
  const word = paint(live, style, STATUS_WORD[step.status].padEnd(WORD_WIDTH));
  const took = step.startNs !== null && step.doneNs !== null ? ` (${seconds(step.doneNs - step.startNs)} s)` : '';
  const counts = countsText(step.counts);
  const title = printable(step.name ?? `${step.kind} ${step.text}`);
  const why = step.message === null || step.status === 'pass' ? '' : `: ${printable(step.message)}`;
  return `  ${word} ${title}${counts && `: ${counts}`}${took}${why}`;
}

function stateText(job: Job): string {
  return job.state === 'queued' ? 'queued' : `running, ${seconds(job.virtualNs)} s of virtual time`;
}

function summaryLine(job: Job): string {
  const combination = Object.entries(job.combination).map(([key, value]) => `${key}=${value}`);
  const name = printable([job.name, ...combination].join(' '));
  if (job.state === 'ended') return `${name}: ${endLine(job, true)}`;
  const done = job.steps.filter(({ status }) => status !== 'pending' && status !== 'running').length;
  return `${name}: ${stateText(job)}${job.steps.length > 0 ? `, step ${done} of ${job.steps.length}` : ''}`;
}

function endLine(job: Job, live: boolean): string {
  const outcome = job.outcome ?? 'infra';
  const style = outcome === 'pass' ? 'good' : outcome === 'cancelled' || outcome === 'infra' ? 'warn' : 'bad';
  const counts = countsText(job.counts);
  const figures = `${seconds(job.virtualNs)} s virtual, ${(job.wallMs / 1000).toFixed(1)} s wall`;
  return `${paint(live, style, outcome)}: ${printable(job.reason ?? '')}${counts && ` [${counts}]`} (${figures})`;
}

const ESCAPE = '\x1b';
const COLOUR_CODE = new RegExp(`(${ESCAPE}\\[\\d+m)`);

/** Cuts a line to a width, not counting the codes of its colours. */
function clip(line: string, width: number): string {
  let shown = 0;
  let text = '';
  for (const part of line.split(COLOUR_CODE)) {
    if (part.startsWith(ESCAPE)) {
      text += part;
      continue;
    }
    text += part.slice(0, Math.max(0, width - shown));
    shown += part.length;
  }
  return text;
}
