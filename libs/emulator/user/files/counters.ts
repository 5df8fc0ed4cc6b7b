/** Descriptors that count: eventfd(2), timerfd_create(2), signalfd(2). */
import { SIGNALFD_SIGINFO } from '../../targets/linux-abi/common.js';
import { encodeStruct } from '../abi/struct.js';
import { Errno, Poll } from '../kernel/contracts.js';
import type { GuestClock, SyscallContext, WaitQueue } from '../kernel/contracts.js';
import type { Inode } from '../vfs/inode.js';
import type { Mount } from '../vfs/mounts.js';
import { OpenFile } from './open-file.js';
import type { FileFlags } from './open-file.js';

const U64_MAX = 2n ** 64n - 1n;

function u64Bytes(value: bigint, context: SyscallContext): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, value, context.memory.byteOrder === 'little');
  return bytes;
}

export class EventFile extends OpenFile {
  #count: bigint;
  readonly #semaphore: boolean;

  constructor(inode: Inode, mount: Mount, flags: FileFlags, initial: number, semaphore: boolean) {
    super(inode, mount, flags, undefined);
    this.#count = BigInt(initial);
    this.#semaphore = semaphore;
  }

  override read(limit: number, _offset: number | undefined, context: SyscallContext): Uint8Array | undefined {
    if (limit < 8) throw new Errno('EINVAL');
    if (this.#count === 0n) return undefined;
    const value = this.#semaphore ? 1n : this.#count;
    this.#count -= value;
    this.changed.wake();
    return u64Bytes(value, context);
  }

  override write(bytes: Uint8Array, _offset: number | undefined, context: SyscallContext): number | undefined {
    if (bytes.length < 8) throw new Errno('EINVAL');
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    const value = view.getBigUint64(0, context.memory.byteOrder === 'little');
    if (value === U64_MAX) throw new Errno('EINVAL');
    if (this.#count + value >= U64_MAX) return undefined;
    this.#count += value;
    this.changed.wake();
    return 8;
  }

  override poll(): number {
    return (this.#count > 0n ? Poll.IN : 0) | (this.#count < U64_MAX - 1n ? Poll.OUT : 0);
  }

  override get anonymousName(): string {
    return 'anon_inode:[eventfd]';
  }
}

export interface TimerSetting {
  /** To the next expiry; 0 is disarmed. */
  readonly valueNs: number;
  readonly intervalNs: number;
}

export class TimerFile extends OpenFile {
  readonly #clock: GuestClock;
  readonly #realtime: boolean;
  /** Guest monotonic time. */
  #nextNs: number | undefined;
  #intervalNs = 0;
  #cancel: (() => void) | undefined;
  #expirations = 0n;

  constructor(inode: Inode, mount: Mount, flags: FileFlags, clock: GuestClock, realtime: boolean) {
    super(inode, mount, flags, undefined);
    this.#clock = clock;
    this.#realtime = realtime;
  }

  /** @param absolute `valueNs` is a time of the timer's own clock */
  set({ valueNs, intervalNs }: TimerSetting, absolute: boolean): TimerSetting {
    const previous = this.setting();
    this.#cancel?.();
    this.#cancel = undefined;
    this.#expirations = 0n;
    this.#intervalNs = intervalNs;
    this.#nextNs = undefined;
    if (valueNs > 0) {
      const now = this.#clock.monotonicNs();
      const origin = this.#realtime ? now - Number(this.#clock.realtimeNs()) : 0;
      this.#arm(absolute ? origin + valueNs : now + valueNs);
    }
    return previous;
  }

  setting(): TimerSetting {
    this.#count();
    const valueNs = this.#nextNs === undefined ? 0 : Math.max(1, this.#nextNs - this.#clock.monotonicNs());
    return { valueNs, intervalNs: this.#intervalNs };
  }

  override read(limit: number, _offset: number | undefined, context: SyscallContext): Uint8Array | undefined {
    if (limit < 8) throw new Errno('EINVAL');
    this.#count();
    if (this.#expirations === 0n) return undefined;
    const value = this.#expirations;
    this.#expirations = 0n;
    return u64Bytes(value, context);
  }

  override poll(): number {
    this.#count();
    return this.#expirations > 0n ? Poll.IN : 0;
  }

  override get anonymousName(): string {
    return 'anon_inode:[timerfd]';
  }

  protected override release(): void {
    this.#cancel?.();
  }

  #arm(timeNs: number): void {
    this.#nextNs = timeNs;
    this.#cancel = this.#clock.at(Math.max(timeNs, this.#clock.monotonicNs()), () => {
      this.#cancel = undefined;
      this.#count();
      this.changed.wake();
    });
  }

  /** Adds the expiries up to now. */
  #count(): void {
    const now = this.#clock.monotonicNs();
    if (this.#nextNs === undefined || this.#nextNs > now) return;
    this.#cancel?.();
    if (this.#intervalNs === 0) {
      this.#expirations++;
      this.#nextNs = undefined;
      return;
    }
    const elapsed = Math.floor((now - this.#nextNs) / this.#intervalNs) + 1;
    this.#expirations += BigInt(elapsed);
    this.#arm(this.#nextNs + elapsed * this.#intervalNs);
  }
}

export class SignalFile extends OpenFile {
  mask: bigint;

  constructor(inode: Inode, mount: Mount, flags: FileFlags, mask: bigint) {
    super(inode, mount, flags, undefined);
    this.mask = mask;
  }

  override queues(context: SyscallContext): WaitQueue[] {
    return [this.changed, context.signalArrival];
  }

  override read(limit: number, _offset: number | undefined, context: SyscallContext): Uint8Array | undefined {
    const { size } = SIGNALFD_SIGINFO;
    if (limit < size) throw new Errno('EINVAL');
    const records: Uint8Array[] = [];
    while ((records.length + 1) * size <= limit) {
      const taken = context.takePendingSignal(this.mask);
      if (!taken) break;
      records.push(
        encodeStruct(
          SIGNALFD_SIGINFO,
          {
            ssi_signo: taken.signal,
            ssi_errno: 0,
            ssi_code: taken.code,
            ssi_pid: taken.pid,
            ssi_uid: context.process.credentials.uid,
          },
          context.memory.byteOrder,
        ),
      );
    }
    if (records.length === 0) return undefined;
    const bytes = new Uint8Array(records.length * size);
    for (const [index, record] of records.entries()) bytes.set(record, index * size);
    return bytes;
  }

  override poll(context: SyscallContext): number {
    return context.hasPendingSignal(this.mask) ? Poll.IN : 0;
  }

  override get anonymousName(): string {
    return 'anon_inode:[signalfd]';
  }
}
