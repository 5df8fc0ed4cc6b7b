import { ConsolePattern } from './pattern.js';
import type { Step } from './job.js';

/** What became of one step. */
export interface StepRecord {
  readonly index: number;
  readonly kind: 'expect' | 'send';
  /** The pattern or the text, as written in the spec. */
  readonly text: string;
  /** Virtual time at which the step was done; undefined while it is not. */
  readonly doneNs: number | undefined;
  /** Virtual time at which the step became the current one; undefined before that. */
  readonly startNs: number | undefined;
}

type CompiledStep = { kind: 'expect'; pattern: ConsolePattern } | { kind: 'send'; text: string };

/**
 * Walks a job's steps over the primary console. The machine feeds it every byte with its virtual time, from inside
 * the console listener, so that the time at which a reply enters the guest depends on nothing but the guest.
 */
export class StepRunner {
  private readonly steps: CompiledStep[];
  private readonly recordsByIndex: StepRecord[];
  private readonly decoder = new TextDecoder('utf-8');
  private current = 0;

  /**
   * @param send takes the text of a `send` step for the guest
   * @throws PatternError when a pattern does not compile
   */
  constructor(
    steps: readonly Step[],
    private readonly send: (text: string) => void,
  ) {
    this.steps = steps.map((step) =>
      step.expect !== undefined
        ? { kind: 'expect', pattern: new ConsolePattern(step.expect) }
        : { kind: 'send', text: step.send ?? '' },
    );
    this.recordsByIndex = this.steps.map((step, index) => ({
      index,
      kind: step.kind,
      text: step.kind === 'expect' ? step.pattern.source : step.text,
      startNs: undefined,
      doneNs: undefined,
    }));
  }

  /** True when there were steps and all of them are done. */
  get done(): boolean {
    return this.steps.length > 0 && this.current === this.steps.length;
  }

  /** True when being done ends the run: a last `send` has an effect that is still to come. */
  get endsRun(): boolean {
    return this.done && this.steps.at(-1)?.kind === 'expect';
  }

  get records(): readonly StepRecord[] {
    return this.recordsByIndex;
  }

  /** The step that the run is waiting at, if any. */
  get waiting(): StepRecord | undefined {
    return this.recordsByIndex[this.current];
  }

  /** Starts at virtual time `tNs`: leading `send` steps go out before the guest prints anything. */
  start(tNs: number): void {
    this.mark(this.current, { startNs: tNs });
    this.sendPending(tNs);
  }

  /** Takes console output printed at virtual time `tNs`. */
  feed(data: Uint8Array | string, tNs: number): void {
    if (this.current >= this.steps.length) return;
    const text = typeof data === 'string' ? data : this.decoder.decode(data, { stream: true });
    for (const character of text) {
      const step = this.steps[this.current];
      if (step?.kind !== 'expect') return;
      if (step.pattern.push(character)) {
        this.complete(tNs);
        this.sendPending(tNs);
      }
    }
  }

  private sendPending(tNs: number): void {
    for (let step = this.steps[this.current]; step?.kind === 'send'; step = this.steps[this.current]) {
      this.send(step.text);
      this.complete(tNs);
    }
  }

  private complete(tNs: number): void {
    this.mark(this.current, { doneNs: tNs });
    this.current += 1;
    this.mark(this.current, { startNs: tNs });
  }

  private mark(index: number, change: Partial<StepRecord>): void {
    const record = this.recordsByIndex[index];
    if (record) this.recordsByIndex[index] = { ...record, ...change };
  }
}
