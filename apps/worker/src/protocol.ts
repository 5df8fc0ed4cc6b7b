import type { MessagePort } from 'node:worker_threads';
import type { CacheFolder } from '@bootlab/emulator/threads';
import type {
  ClockMode,
  ConsoleSpan,
  JobSpec,
  JobStep,
  MissingArtifact,
  PlacedResult,
  ResultCounts,
  RunReport,
  Step,
} from '@bootlab/lab';
import type { SavedArtifact } from '@bootlab/lab/artifacts';

/** A job, as a board is to run it. Images are files on this host: the board's thread reads them itself. */
export interface BoardTask {
  readonly board: string;
  readonly cpu?: string | undefined;
  readonly memoryBytes?: number | undefined;
  readonly cmdline?: string | undefined;
  readonly files: { kernel?: string; initrd?: string; firmware?: string; drives?: readonly string[] };
  readonly clock: ClockMode;
  readonly timeoutNs: number;
  readonly wallGuardMs: number;
  readonly consoleLimitBytes: number;
  readonly steps?: readonly Step[] | undefined;
  readonly shell?: JobSpec['shell'];
  readonly prompt?: string | undefined;
  readonly onReboot?: JobSpec['on_reboot'];
  readonly failOn?: NonNullable<JobSpec['results']>['fail_on'];
  /** A job of the kind `process`: its spec, and its files by their positions. Nothing of a board applies then. */
  readonly process?: { readonly spec: JobSpec; readonly files: readonly (readonly [position: number, file: string])[] };
  /** Files for `upload` steps, by the reference that the step names. */
  readonly uploads?: readonly { reference: string; file: string; sha256: string }[];
  readonly artifacts?: JobSpec['artifacts'];
  /** Folder that artifacts are written to, under names that the board makes up. */
  readonly artifactFolder: string;
  /** Most bytes that they may have together. */
  readonly artifactLimitBytes: number;
  /** Where interpreters are kept from job to job. */
  readonly interpreters?: CacheFolder | undefined;
}

/** A task with its ways to the host, as a board's thread is given it. */
export interface HostedTask extends BoardTask {
  /** See `ConsoleCredit`. */
  readonly credit: SharedArrayBuffer;
  /** Leads to the worker's `TranslationHub`; for this job only. */
  readonly translations: MessagePort;
}

export type ToBoard = { type: 'input'; uart: string; data: Uint8Array } | { type: 'abort' };

/** What its host says to a board's thread: a job, and when it has ended and the thread is idle another or that it may leave. */
export type ToThread = { type: 'task'; task: HostedTask } | ToBoard | { type: 'leave' };

/** What a thread says to its host. */
export type FromThread =
  | FromBoard
  /** The job before has ended, and nothing of it is at work any more. */
  | { type: 'idle' }
  /** Bytes of JavaScript heap, and of memory that hangs on it, after a collection of garbage: of a board that runs, too. */
  | { type: 'kept'; bytes: number };

export type FromBoard =
  | { type: 'console'; spans: ConsoleSpan[]; sizeBytes: number }
  | ({ type: 'progress' } & BoardProgress)
  /** The emulator's, for the people who run it. */
  | { type: 'remark'; line: string }
  | ({ type: 'end'; report: RunReport; results: PlacedResult[] } & LeftArtifacts);

/** What a run leaves behind: files in the task's folder, and why others are not there. */
export interface LeftArtifacts {
  readonly artifacts: readonly SavedArtifact[];
  readonly missingArtifacts: readonly MissingArtifact[];
}

/** How far a run has come, and what it has found out since the message before. */
export interface BoardProgress {
  readonly virtualNs: number;
  readonly instructions: number;
  /** Those that changed. */
  readonly steps?: JobStep[];
  /** Of all results so far, when there are new ones. */
  readonly counts?: ResultCounts;
  /** New results only. */
  readonly results?: PlacedResult[];
}

const UNSTORED = 0;
const RELEASED = 1;
// The board pauses while more console bytes than this are on their way into the live stream.
const HIGH_WATER_BYTES = 2 ** 20;

/**
 * Back-pressure between a board and the store of its console. The board counts bytes out, its host counts them off
 * once they are stored, and in between the board's thread sleeps when it is too far ahead: nothing is lost, no queue
 * grows, and virtual time does not notice.
 */
export class ConsoleCredit {
  private readonly cells: Int32Array;

  constructor(readonly buffer: SharedArrayBuffer = new SharedArrayBuffer(8)) {
    this.cells = new Int32Array(buffer);
  }

  /** Bytes that are not stored yet. */
  get unstored(): number {
    return Atomics.load(this.cells, UNSTORED);
  }

  /** Board: counts bytes out, and waits while there are too many. */
  spend(sizeBytes: number): void {
    Atomics.add(this.cells, UNSTORED, sizeBytes);
    for (;;) {
      const unstored = Atomics.load(this.cells, UNSTORED);
      if (unstored <= HIGH_WATER_BYTES || Atomics.load(this.cells, RELEASED) === 1) return;
      Atomics.wait(this.cells, UNSTORED, unstored, 1000);
    }
  }

  /** Host: these bytes are stored. */
  restore(sizeBytes: number): void {
    Atomics.sub(this.cells, UNSTORED, sizeBytes);
    Atomics.notify(this.cells, UNSTORED);
  }

  /** Host: the board is to end and must not wait any more. */
  release(): void {
    Atomics.store(this.cells, RELEASED, 1);
    Atomics.notify(this.cells, UNSTORED);
  }
}
