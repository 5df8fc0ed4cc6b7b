import { pendingSteps, type JobSpec, type JobStep, type PlacedResult, type ResultCounts } from '@bootlab/lab';
import type { Claim, Findings, JobStore, Progress } from '@bootlab/lab/server';
import type { BoardProgress } from './protocol.js';

/**
 * Takes what a run finds out into the database while it goes on. One write is on its way at a time; what comes
 * meanwhile makes up the next, and what could not be written is written with it.
 */
export class FindingsRecorder {
  private steps: JobStep[];
  private counts: ResultCounts | undefined;
  private progress: Progress = { virtualNs: 0, instructions: 0 };
  private unwritten: PlacedResult[] = [];
  private dirty = false;
  private writing: Promise<void> | undefined;

  /** @param failed is told when a write fails; what it was about is not lost */
  constructor(
    private readonly jobs: Pick<JobStore, 'record'>,
    private readonly claim: Claim,
    spec: JobSpec,
    private readonly failed: (error: unknown) => void,
  ) {
    this.steps = pendingSteps(spec);
  }

  take({ virtualNs, instructions, steps, counts, results }: BoardProgress): void {
    this.progress = { virtualNs, instructions };
    for (const step of steps ?? []) this.steps[step.index] = step;
    this.counts = counts ?? this.counts;
    if (results) this.unwritten.push(...results);
    this.dirty = true;
    this.writing ??= this.write().finally(() => {
      this.writing = undefined;
    });
  }

  /** Stops writing. @returns what is known of the run, and the results that are not stored yet */
  async close(): Promise<Required<Pick<Findings, 'steps' | 'results'>> & Pick<Findings, 'counts'>> {
    this.dirty = false;
    await this.writing;
    return { steps: this.steps, counts: this.counts, results: this.unwritten };
  }

  private async write(): Promise<void> {
    while (this.dirty) {
      this.dirty = false;
      const results = this.unwritten;
      this.unwritten = [];
      try {
        await this.jobs.record(this.claim, { ...this.progress, steps: [...this.steps], counts: this.counts, results });
      } catch (error) {
        this.unwritten = [...results, ...this.unwritten];
        this.failed(error);
      }
    }
  }
}
