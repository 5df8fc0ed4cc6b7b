/** Times as programs pass them: struct timespec and struct timeval, in the ABI's own width or in 64 bits. */
import { readStruct, writeStruct } from '../abi/struct.js';
import { Errno } from '../kernel/contracts.js';
import type { Thread } from '../kernel/thread.js';
import { TIMESPEC64 } from '../../targets/index.js';

const NS = 1_000_000_000;
/** Beyond what numbers hold exactly nothing is ever waited for: 2^53 ns are 104 days. */
const LONGEST_NS = 2 ** 53 - 1;

const own = (thread: Thread) => thread.kernel.abi.files.structs;

/** Seconds and nanoseconds as ns, checked. @throws Errno EINVAL */
function nanoseconds(seconds: number, fraction: number, unit: number): number {
  if (seconds < 0 || fraction < 0 || fraction >= NS / unit) throw new Errno('EINVAL');
  return Math.min(seconds * NS + fraction * unit, LONGEST_NS);
}

/** @param wide the 64-bit structure of the time64 calls */
export function readTimespec(thread: Thread, address: number, wide: boolean): number {
  const layout = wide ? TIMESPEC64 : own(thread).timespec;
  const { tv_sec, tv_nsec } = readStruct(thread.owner.memory, address, layout);
  return nanoseconds(Number(tv_sec), Number(tv_nsec), 1);
}

/** As {@link readTimespec}, but absolute times of the real-time clock do not fit a number exactly. */
export function readTimespecExact(thread: Thread, address: number, wide: boolean): bigint {
  const layout = wide ? TIMESPEC64 : own(thread).timespec;
  const { tv_sec, tv_nsec } = readStruct(thread.owner.memory, address, layout);
  if (Number(tv_nsec) < 0 || Number(tv_nsec) >= NS || Number(tv_sec) < 0) throw new Errno('EINVAL');
  return BigInt(tv_sec) * BigInt(NS) + BigInt(tv_nsec);
}

export function writeTimespec(thread: Thread, address: number, ns: number | bigint, wide: boolean): void {
  const layout = wide ? TIMESPEC64 : own(thread).timespec;
  const value = BigInt(ns);
  writeStruct(thread.owner.memory, address, layout, { tv_sec: value / BigInt(NS), tv_nsec: value % BigInt(NS) });
}

export function readTimeval(thread: Thread, address: number): number {
  const { tv_sec, tv_usec } = readStruct(thread.owner.memory, address, own(thread).timeval);
  return nanoseconds(Number(tv_sec), Number(tv_usec), 1000);
}

export function writeTimeval(thread: Thread, address: number, ns: number | bigint): void {
  const value = BigInt(ns) / 1000n;
  writeStruct(thread.owner.memory, address, own(thread).timeval, {
    tv_sec: value / 1_000_000n,
    tv_usec: value % 1_000_000n,
  });
}

export const timespecBytes = (thread: Thread, wide: boolean): number => (wide ? TIMESPEC64 : own(thread).timespec).size;
export const timevalBytes = (thread: Thread): number => own(thread).timeval.size;
