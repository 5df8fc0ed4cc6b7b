import { setFlagsFromString } from 'node:v8';
import { Worker, type MessagePort } from 'node:worker_threads';
import { formatSize } from '@bootlab/lab';
import { boardEntry } from './board-entry.js';
import type { FromBoard, FromThread, HostedTask, ToBoard, ToThread } from './protocol.js';

/** The engine's own objects are few; what stays behind from building it should not take room for long. */
const YOUNG_GENERATION_MB = 8;
// Who has reported the end leaves by himself: of a thread that is stopped with threads of its own, Node 24 keeps each of theirs.
const LEAVING_MS = 2000;
/** A job waits so long for the thread of one that has just ended: starting another takes longer. */
const ENDING_MS = 100;
/** How long a thread waits for a job: an idle worker should take no memory for it. */
const IDLE_MS = 60_000;
/** A thread ends after so many jobs: what nobody knows that they leave behind ends with it. */
const MAX_JOBS = 200;
/** As much of a job's heap may be in use when it starts. A thread that keeps more is not used again. */
const KEPT_SHARE = 1 / 4;

/**
 * V8's flags for a process whose threads run boards. For the whole process, and before it loads or writes machine code, of which V8's
 * flags are part.
 */
export function setV8Flags(): void {
  // A heap of a gigabyte grows by little, and would be looked through for garbage twice for each boot, that is collected after anyway.
  setFlagsFromString('--heap-growing-percent=200');
  // V8 has ended the process when it freed a wrapper of an import that other threads' instances had, too (nodejs/node issue 64500).
  // Modules are freed whole, as ever.
  setFlagsFromString('--no-wasm-code-gc');
}

export interface BoardThreadsOptions {
  /** JavaScript heap of a thread. The guest's own memory is not on it: the board's configuration bounds that. */
  readonly heapBytes: number;
  /** Most threads that wait for a job. */
  readonly maxIdle: number;
  /** Module that the threads run; another one in tests. */
  readonly entry?: URL | undefined;
  /** Milliseconds that a thread waits for a job. */
  readonly idleMs?: number;
  /** Jobs that a thread runs. */
  readonly maxJobs?: number;
}

/** Whose job a thread runs. */
export interface ThreadUser {
  hear(message: FromBoard): void;
  /** The thread has ended: nothing more comes from it. */
  broke(reason: string): void;
}

/**
 * The threads that run boards. Starting one takes longer than many a job, and in a new one V8 compiles everything again: so a
 * thread that has brought its job to an end, and in which nothing of it is at work any more, gets another one.
 */
export class BoardThreads {
  private readonly all = new Set<BoardThread>();
  /** The one used last comes last: those that are not needed end first. */
  private idle: BoardThread[] = [];
  /** Who waits for a thread that is about to be idle. */
  private readonly waiting = new Set<(thread: BoardThread) => void>();
  private closed = false;

  constructor(private readonly options: BoardThreadsOptions) {}

  /** Threads that there are, whatever they do. */
  get count(): number {
    return this.all.size;
  }

  /** Those of them that wait for a job. */
  get idleCount(): number {
    return this.idle.length;
  }

  /** A thread for one job. It must be given back, or stopped, after that. */
  async lend(): Promise<BoardThread> {
    const thread = this.idle.pop() ?? (await this.nextIdle()) ?? this.start();
    thread.state = 'lent';
    return thread;
  }

  /** Ends threads that are not lent, and from now on all others after their jobs. Resolves when the former are gone. */
  async close(): Promise<void> {
    this.closed = true;
    for (const thread of [...this.idle]) this.dismiss(thread);
    await Promise.all([...this.all].filter(({ state }) => state !== 'lent').map(({ gone }) => gone));
  }

  private start(): BoardThread {
    const thread: BoardThread = new BoardThread(this.options, {
      idle: () => this.takeBack(thread),
      weighed: () => {
        if (this.isWorn(thread)) this.dismiss(thread);
      },
    });
    this.all.add(thread);
    void thread.gone.then(() => {
      this.all.delete(thread);
      this.drop(thread);
    });
    return thread;
  }

  /** One of the threads that were given back a moment ago, once it is idle; undefined: there is none, or it takes its time. */
  private async nextIdle(): Promise<BoardThread | undefined> {
    const ending = [...this.all].filter(({ state }) => state === 'ending').length;
    if (ending <= this.waiting.size) return undefined;
    return new Promise((resolve) => {
      const settle = (thread?: BoardThread): void => {
        clearTimeout(timer);
        this.waiting.delete(settle);
        resolve(thread);
      };
      const timer = setTimeout(settle, ENDING_MS);
      this.waiting.add(settle);
    });
  }

  /** A thread has become idle: somebody waits for it, or it waits for somebody, or it is not needed. */
  private takeBack(thread: BoardThread): void {
    if (this.closed || this.isWorn(thread)) return this.dismiss(thread);
    const [waiting] = this.waiting;
    if (waiting) return waiting(thread);
    const { maxIdle, idleMs = IDLE_MS } = this.options;
    if (this.idle.length >= maxIdle) return this.dismiss(thread);
    this.idle.push(thread);
    thread.rest(idleMs, () => this.dismiss(thread));
  }

  private isWorn({ jobs, keptBytes }: BoardThread): boolean {
    const { heapBytes, maxJobs = MAX_JOBS } = this.options;
    return jobs >= maxJobs || keptBytes > heapBytes * KEPT_SHARE;
  }

  private dismiss(thread: BoardThread): void {
    this.drop(thread);
    thread.leave();
  }

  private drop(thread: BoardThread): void {
    this.idle = this.idle.filter((other) => other !== thread);
  }
}

/** What a thread tells those who lend it. */
interface ThreadOwner {
  /** It could get another job. */
  idle(): void;
  /** Idle as it is, it has found out what it keeps. */
  weighed(): void;
}

/** A thread that runs one board, or waits for one. */
export class BoardThread {
  /**
   * `lent`: it has a job, or is about to get one. `ending`: it was given back, and makes ready for another. `gone`: it is not to be
   * used any more.
   */
  state: 'lent' | 'ending' | 'idle' | 'gone' = 'lent';
  /** Jobs that it was given. */
  jobs = 0;
  /** What it had in use when it was last collected, see {@link FromThread}. */
  keptBytes = 0;
  /** Resolves when the thread has ended. */
  readonly gone: Promise<void>;
  private readonly worker: Worker;
  private user: ThreadUser | undefined;
  private ready = false;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly options: BoardThreadsOptions,
    private readonly owner: ThreadOwner,
  ) {
    this.worker = new Worker(options.entry ?? boardEntry(), {
      name: 'board',
      resourceLimits: {
        maxOldGenerationSizeMb: Math.ceil(options.heapBytes / 2 ** 20),
        maxYoungGenerationSizeMb: YOUNG_GENERATION_MB,
      },
    });
    this.worker.on('message', (message: FromThread) => this.hear(message));
    this.worker.on('error', (error: NodeJS.ErrnoException) => this.user?.broke(this.reasonOf(error)));
    this.gone = new Promise((resolve) => {
      this.worker.on('exit', (code) => {
        this.state = 'gone';
        clearTimeout(this.timer);
        this.user?.broke(`The emulator's thread stopped by itself (exit code ${code})`);
        resolve();
      });
    });
  }

  run(task: HostedTask, user: ThreadUser): void {
    if (this.state === 'gone') return user.broke("The emulator's thread ended before the job began");
    clearTimeout(this.timer);
    this.worker.ref();
    this.user = user;
    this.ready = false;
    this.jobs++;
    this.send({ type: 'task', task }, [task.translations]);
  }

  /** Says something to the board of this user; to no other one, however late it comes. */
  post(user: ThreadUser, message: ToBoard): void {
    if (this.user === user) this.send(message);
  }

  /** For a board that has reported its end. */
  giveBack(): void {
    this.user = undefined;
    if (this.state === 'gone') return;
    this.state = 'ending';
    this.stopIn(LEAVING_MS);
    this.becomeIdle();
  }

  /** Ends the thread, whatever it does. */
  stop(): void {
    this.user = undefined;
    this.state = 'gone';
    void this.worker.terminate();
  }

  /** Waits for another job, so long; that keeps no process alive. */
  rest(ms: number, over: () => void): void {
    this.worker.unref();
    this.timer = setTimeout(over, ms).unref();
  }

  /** Ends the idle thread. */
  leave(): void {
    this.state = 'gone';
    this.worker.ref();
    this.send({ type: 'leave' });
    this.stopIn(LEAVING_MS);
  }

  private hear(message: FromThread): void {
    if (message.type === 'idle') {
      this.ready = true;
      this.becomeIdle();
    } else if (message.type === 'kept') {
      this.keptBytes = message.bytes;
      if (this.state === 'idle') this.owner.weighed();
    } else {
      this.user?.hear(message);
    }
  }

  private becomeIdle(): void {
    if (this.state !== 'ending' || !this.ready) return;
    clearTimeout(this.timer);
    this.state = 'idle';
    this.owner.idle();
  }

  private send(message: ToThread, transfer: readonly MessagePort[] = []): void {
    this.worker.postMessage(message, transfer);
  }

  private stopIn(ms: number): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.stop(), ms);
  }

  private reasonOf(error: NodeJS.ErrnoException): string {
    if (error.code === 'ERR_WORKER_OUT_OF_MEMORY') {
      return `The emulator needed more than ${formatSize(this.options.heapBytes)} of heap for this guest`;
    }
    return `The emulator failed: ${error.message}`;
  }
}
