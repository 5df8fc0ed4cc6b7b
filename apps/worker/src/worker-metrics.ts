import type { ConsoleSpan, Outcome } from '@bootlab/lab';
import type { FinishedRun, Metrics } from '@bootlab/lab/server';

const RUN_SECONDS = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 3600];

/** What a worker is asked when somebody reads its metrics. */
export interface WorkerState {
  /** How many boards run now. */
  readonly running: () => number;
  /** How many threads wait for a board. */
  readonly idleThreads: () => number;
}

/** What a worker counts. */
export class WorkerMetrics {
  readonly ended: (outcome: Outcome, run: Pick<FinishedRun, 'wallMs' | 'instructions'>) => void;
  readonly retried: () => void;
  readonly printed: (spans: readonly ConsoleSpan[]) => void;

  constructor(metrics: Metrics, { running, idleThreads }: WorkerState) {
    metrics.value('bootlab_boards_running', 'Boards that run on this worker', running);
    metrics.value('bootlab_idle_threads', 'Threads of this worker that wait for a board', idleThreads);
    const jobs = metrics.counter('bootlab_jobs_ended_total', 'Jobs that ended on this worker', ['outcome']);
    const retries = metrics.counter('bootlab_job_retries_total', 'Attempts that ended with an infrastructure error');
    const seconds = metrics.histogram('bootlab_run_duration_seconds', 'Host time of runs', RUN_SECONDS);
    const instructions = metrics.counter('bootlab_instructions_total', 'Instructions that guests executed');
    const bytes = metrics.counter('bootlab_console_bytes_total', 'Bytes that guests printed');
    this.ended = (outcome, run) => {
      jobs.labels(outcome).inc();
      seconds.observe(run.wallMs / 1000);
      instructions.inc(run.instructions);
    };
    this.retried = () => retries.inc();
    this.printed = (spans) => bytes.inc(spans.reduce((sum, { data }) => sum + data.length, 0));
  }
}
