import {
  placedResults,
  resultsSoFar,
  toJobStep,
  type FailOn,
  type KernelEvent,
  type PlacedResult,
  type ResultCounts,
  type RunReport,
  type StepRecord,
} from '@bootlab/lab';
import type { BoardProgress } from './protocol.js';

/** Collects what a run finds out, and hands out each piece once while the run goes on. */
export class ResultFeed {
  /** Changed since the last report. */
  private readonly dirty = new Map<number, StepRecord>();
  private readonly casesTaken = new Map<number, number>();
  private readonly events: KernelEvent[] = [];
  private eventsTaken = 0;
  private readonly taken = new Set<number>();
  private readonly counts: ResultCounts = { pass: 0, fail: 0, skip: 0, error: 0 };

  constructor(private readonly failOn: readonly FailOn[] | undefined) {}

  /** Whether there is anything new to report. */
  get changed(): boolean {
    return this.dirty.size > 0 || this.events.length > this.eventsTaken;
  }

  step(record: StepRecord): void {
    this.dirty.set(record.index, record);
  }

  kernel(event: KernelEvent): void {
    this.events.push(event);
  }

  /** What is new since the last call; empty when nothing is. */
  take(): Pick<BoardProgress, 'steps' | 'counts' | 'results'> {
    if (!this.changed) return {};
    const steps = [...this.dirty.values()];
    const results = resultsSoFar(
      { steps, kernel: this.events, failOn: this.failOn },
      ({ index }) => this.casesTaken.get(index) ?? 0,
      this.eventsTaken,
    ).filter(({ position }) => !this.taken.has(position));
    for (const { index, cases } of steps) this.casesTaken.set(index, cases.length);
    this.dirty.clear();
    this.eventsTaken = this.events.length;
    for (const { position, result } of results) {
      this.taken.add(position);
      this.counts[result.status] += 1;
    }
    return {
      ...(steps.length > 0 && { steps: steps.map(toJobStep) }),
      counts: { ...this.counts },
      results,
    };
  }

  /** All results of the run's end that were not taken before. */
  rest(report: RunReport): PlacedResult[] {
    return placedResults({ ...report, failOn: this.failOn }).filter(({ position }) => !this.taken.has(position));
  }
}
