import type { MessagePort } from 'node:worker_threads';
import type { ConsoleSpan, PlacedResult, RunEnd, RunReport } from '@bootlab/lab';
import { NO_ARTIFACTS } from './artifacts.js';
import type { BoardThread, ThreadUser } from './board-threads.js';
import { ConsoleCredit, type BoardProgress, type BoardTask, type FromBoard, type LeftArtifacts } from './protocol.js';

// A board that does not stop by itself within this time of being told is stopped with its thread.
const ABORT_GRACE_MS = 300;
// The thread watches the wall clock itself; this much later it has failed to.
const WALL_GUARD_GRACE_MS = 5000;
// A board says something every second, unless its engine hangs.
const SILENCE_MS = 60_000;
const SILENCE_CHECK_MS = 5000;

export interface BoardEvents {
  /** Console output, in order. The board runs on meanwhile, up to a limit; a rejection ends the run. */
  console(spans: ConsoleSpan[]): Promise<void>;
  progress(progress: BoardProgress): void;
  /** Of the emulator: it got along, but somebody should know. */
  remark(line: string): void;
}

/** What a board leaves. */
export interface BoardEnd extends LeftArtifacts {
  readonly report: RunReport;
  /** Whether the board itself reported it; else it broke, or had to be stopped. */
  readonly reported: boolean;
  /** Those that no progress message brought. */
  readonly results: readonly PlacedResult[];
}

/** Runs one board in a thread; whatever happens in there, it ends in a report. */
export class BoardHost implements ThreadUser {
  private readonly credit = new ConsoleCredit();
  private readonly timers: NodeJS.Timeout[] = [];
  private storing: Promise<void> = Promise.resolve();
  private queued: ConsoleSpan[] = [];
  private queuedBytes = 0;
  private heardAt = performance.now();
  private last = { virtualNs: 0, instructions: 0 };
  private abortRequested = false;
  private reported = false;
  private settle!: (end: BoardEnd) => void;
  private fail!: (error: unknown) => void;
  /** Resolves after all console output is stored; rejects only when storing it failed. */
  readonly ended: Promise<BoardEnd>;

  constructor(
    task: BoardTask,
    private readonly events: BoardEvents,
    private readonly thread: BoardThread,
    translations: MessagePort,
  ) {
    const outcome = new Promise<BoardEnd>((resolve, reject) => {
      this.settle = resolve;
      this.fail = reject;
    });
    thread.run({ ...task, credit: this.credit.buffer, translations }, this);
    this.timers.push(
      setTimeout(() => this.end({ kind: 'wall-guard' }), task.wallGuardMs + WALL_GUARD_GRACE_MS),
      setInterval(() => this.checkSilence(), SILENCE_CHECK_MS),
    );
    this.ended = outcome.finally(() => this.cleanUp());
  }

  input(uart: string, data: Uint8Array): void {
    this.thread.post(this, { type: 'input', uart, data });
  }

  /** Ends the run as cancelled, within a third of a second. */
  abort(): void {
    if (this.abortRequested) return;
    this.abortRequested = true;
    this.credit.release();
    this.thread.post(this, { type: 'abort' });
    this.timers.push(setTimeout(() => this.end({ kind: 'aborted' }), ABORT_GRACE_MS));
  }

  /** @internal of its thread */
  broke(reason: string): void {
    this.end({ kind: 'engine-failure', reason });
  }

  /** @internal of its thread */
  hear(message: FromBoard): void {
    this.heardAt = performance.now();
    switch (message.type) {
      case 'console':
        this.store(message.spans, message.sizeBytes);
        break;
      case 'progress':
        this.last = { virtualNs: message.virtualNs, instructions: message.instructions };
        this.events.progress(message);
        break;
      case 'remark':
        this.events.remark(message.line);
        break;
      case 'end':
        this.reported = true;
        this.finish({ ...message, reported: true });
        break;
    }
  }

  /** One portion is on its way at a time; what comes meanwhile makes up the next: few writes when there is much. */
  private store(spans: ConsoleSpan[], sizeBytes: number): void {
    const idle = this.queued.length === 0;
    this.queued.push(...spans);
    this.queuedBytes += sizeBytes;
    if (!idle) return;
    this.storing = this.storing.then(async () => {
      const [portion, portionBytes] = [this.queued, this.queuedBytes];
      this.queued = [];
      this.queuedBytes = 0;
      await this.events.console(portion);
      this.credit.restore(portionBytes);
    });
    this.storing.catch((error: unknown) => this.fail(error));
  }

  private checkSilence(): void {
    if (this.credit.unstored > 0) this.heardAt = performance.now(); // it waits for us, not we for it
    if (performance.now() - this.heardAt < SILENCE_MS) return;
    this.end({ kind: 'engine-failure', reason: `The emulator did not respond for ${SILENCE_MS / 1000} s` });
  }

  /** An end that the board did not report itself. */
  private end(end: RunEnd): void {
    const report = { end, steps: [], kernel: [], ...this.last, ramSha256: undefined };
    this.finish({ report, reported: false, results: [], ...NO_ARTIFACTS });
  }

  private finish(end: BoardEnd): void {
    this.storing.then(
      () => this.settle(end),
      () => undefined, // `store` has rejected with it
    );
  }

  private cleanUp(): void {
    this.timers.forEach((timer) => clearTimeout(timer));
    this.credit.release();
    if (this.reported) this.thread.giveBack();
    else this.thread.stop();
  }
}
