import { OpenFile } from '../files/open-file.js';
import type { FileFlags } from '../files/open-file.js';
import { Errno, Poll, WaitQueue } from '../kernel/contracts.js';
import type { Inode } from '../vfs/inode.js';
import type { Mount } from '../vfs/mounts.js';

/** Priorities are below this (MQ_PRIO_MAX). */
export const PRIORITY_LIMIT = 32768;

export interface QueueMessage {
  readonly priority: number;
  readonly bytes: Uint8Array;
}

/** A registration with mq_notify(3). */
export interface QueueNotice {
  readonly pid: number;
  /** The descriptor's file that it was made with: it ends with that. */
  readonly file: QueueFile;
  /** Undefined where nothing is to be sent (SIGEV_NONE). */
  readonly tell: (() => void) | undefined;
  /** The registration ends without a message. */
  readonly removed?: () => void;
}

/** A POSIX message queue: messages in the order of their priority, mq_overview(7). */
export class PosixQueue {
  /** Woken when a message came or went. */
  readonly changed = new WaitQueue();
  readonly #messages: QueueMessage[] = [];
  /** Whom mq_notify(3) registered: told once, when a message comes into the empty queue and nobody waits for it. */
  notice: QueueNotice | undefined;
  /** Threads in mq_receive. */
  #receivers = 0;

  constructor(
    readonly inode: Inode,
    readonly maxMessages: number,
    readonly messageBytes: number,
  ) {}

  get length(): number {
    return this.#messages.length;
  }

  get isFull(): boolean {
    return this.#messages.length >= this.maxMessages;
  }

  /** @returns undefined where there is no room yet. @throws Errno EMSGSIZE */
  send(message: QueueMessage): number | undefined {
    if (message.bytes.length > this.messageBytes) throw new Errno('EMSGSIZE');
    if (this.isFull) return undefined;
    const wasEmpty = this.length === 0;
    const lower = this.#messages.findIndex(({ priority }) => priority < message.priority);
    this.#messages.splice(lower < 0 ? this.length : lower, 0, message);
    const { notice } = this;
    if (wasEmpty && this.#receivers === 0 && notice) {
      this.notice = undefined;
      notice.tell?.();
    }
    this.changed.wake();
    return 0;
  }

  /** Takes a registration back. */
  endNotice(): void {
    const { notice } = this;
    this.notice = undefined;
    notice?.removed?.();
  }

  /** The oldest message of the highest priority. */
  receive(): QueueMessage | undefined {
    const message = this.#messages.shift();
    if (message) this.changed.wake();
    return message;
  }

  /** A thread waits for a message: it gets the next one, and nobody is notified. @returns ends the waiting */
  awaitMessage(): () => void {
    this.#receivers++;
    return () => void this.#receivers--;
  }
}

/** A descriptor of a message queue, mq_open(3). */
export class QueueFile extends OpenFile {
  constructor(
    mount: Mount,
    flags: FileFlags,
    readonly queue: PosixQueue,
    private readonly name: string,
  ) {
    super(queue.inode, mount, flags, undefined, queue.changed);
  }

  override poll(): number {
    return (this.queue.length > 0 ? Poll.IN : 0) | (this.queue.isFull ? 0 : Poll.OUT);
  }

  override get anonymousName(): string {
    return `/${this.name}`;
  }

  protected override release(): void {
    if (this.queue.notice?.file === this) this.queue.endNotice();
  }
}
