import { Errno, WaitQueue } from '../kernel/contracts.js';
import type { IpcPermissions } from './registry.js';
import { IpcObject } from './registry.js';

/** MSGMAX: bytes of one message. */
export const MAX_MESSAGE_BYTES = 8192;
/** MSGMNB: bytes that a queue holds unless IPC_SET says otherwise. */
const DEFAULT_QUEUE_BYTES = 16384;
export const MSG_NOERROR = 0o10000;
export const MSG_EXCEPT = 0o20000;

interface Message {
  readonly type: number;
  readonly bytes: Uint8Array;
}

/** A System V message queue, msgop(2). */
export class MessageQueue extends IpcObject {
  /** Woken when a message came or went, or the queue was removed. */
  readonly changed = new WaitQueue();
  limitBytes = DEFAULT_QUEUE_BYTES;
  usedBytes = 0;
  readonly #messages: Message[] = [];
  /** Real times, s since 1970, and processes of the last msgsnd and msgrcv. */
  lastSent = { timeS: 0, pid: 0 };
  lastReceived = { timeS: 0, pid: 0 };

  constructor(
    key: number,
    permissions: IpcPermissions,
    private readonly nowS: () => number,
  ) {
    super(key, permissions);
  }

  get length(): number {
    return this.#messages.length;
  }

  /** @returns undefined where there is no room yet. @throws Errno EIDRM */
  send(message: Message, pid: number): number | undefined {
    if (this.removed) throw new Errno('EIDRM');
    // Messages without a byte are limited by the same number.
    const fits = this.usedBytes + message.bytes.length <= this.limitBytes && this.length < this.limitBytes;
    if (!fits) return undefined;
    this.#messages.push(message);
    this.usedBytes += message.bytes.length;
    this.lastSent = { timeS: this.nowS(), pid };
    this.changed.wake();
    return 0;
  }

  /**
   * @param wanted 0 the first; positive the first of this type, or with MSG_EXCEPT of another; negative the first of the
   *   lowest type up to its absolute value
   * @returns undefined where there is none. @throws Errno EIDRM, E2BIG
   */
  receive(wanted: number, limit: number, flags: number, pid: number): Message | undefined {
    if (this.removed) throw new Errno('EIDRM');
    const index = this.#find(wanted, (flags & MSG_EXCEPT) !== 0);
    const message = this.#messages[index];
    if (!message) return undefined;
    if (message.bytes.length > limit && !(flags & MSG_NOERROR)) throw new Errno('E2BIG');
    this.#messages.splice(index, 1);
    this.usedBytes -= message.bytes.length;
    this.lastReceived = { timeS: this.nowS(), pid };
    this.changed.wake();
    return { type: message.type, bytes: message.bytes.subarray(0, limit) };
  }

  #find(wanted: number, except: boolean): number {
    if (wanted === 0) return 0;
    if (wanted > 0) return this.#messages.findIndex(({ type }) => (type === wanted) !== except);
    const types = this.#messages.map(({ type }) => type).filter((type) => type <= -wanted);
    return this.#messages.findIndex(({ type }) => type === Math.min(...types));
  }
}
