/** From argument words to arguments, and between an ABI's numbers and the file half's own terms. */
import type { ArgumentShape, LinuxFileAbi } from '../../../targets/linux-abi/file-abi.js';
import type { ByteOrder } from '../../../core/index.js';
import { readStruct } from '../../abi/struct.js';
import { Errno } from '../../kernel/contracts.js';
import type { SyscallContext, SyscallHandler, SyscallTable, UserMemory } from '../../kernel/contracts.js';
import { TIMESPEC64 } from '../../../targets/linux-abi/common.js';
import { PATH_MAX } from '../../vfs/mounts.js';
import type { FileFlags } from '../open-file.js';
import { plainFlags } from '../open-file.js';
import { byteString } from '../process-files.js';

/** Joins 64-bit arguments that an ABI passes in two words. @returns signed numbers for 64-bit arguments */
export function joinArguments(
  shapes: readonly ArgumentShape[],
  words: readonly number[],
  byteOrder: ByteOrder,
): number[] {
  const result: number[] = [];
  let at = 0;
  for (const shape of shapes) {
    if (shape === 'pad') at++;
    else if (shape === 'word') result.push(words[at++] ?? 0);
    else {
      const [first, second] = [words[at++] ?? 0, words[at++] ?? 0];
      const lowFirst = shape === 'lowHigh' || (shape === 'int64' && byteOrder === 'little');
      result.push(lowFirst ? join64(second, first) : join64(first, second));
    }
  }
  return result;
}

const join64 = (high: number, low: number): number => (high | 0) * 2 ** 32 + (low >>> 0);

/** Handlers of an ABI whose table says which arguments are pairs. */
export function withJoinedArguments(abi: LinuxFileAbi, table: SyscallTable): SyscallTable {
  const result: Record<string, SyscallHandler> = {};
  for (const [name, handler] of Object.entries(table)) {
    const shapes = abi.arguments[name];
    result[name] = shapes
      ? (context, ...words) => handler(context, ...joinArguments(shapes, words, context.memory.byteOrder))
      : handler;
  }
  return result;
}

/** An argument word as C's `int`. */
export const int = (word: number): number => word | 0;

/** An argument word as C's `long`. */
export function long(abi: LinuxFileAbi, word: number): number {
  if (abi.dataModel.longBytes === 4) return word | 0;
  return word >= 2 ** 63 ? word - 2 ** 64 : word;
}

/** @throws Errno EFAULT, ENAMETOOLONG */
export function pathAt(memory: UserMemory, address: number): string {
  return byteString(memory.cString(address, PATH_MAX));
}

/** A count of bytes, as Linux checks one. @throws Errno EINVAL for what is negative as a `ssize_t` */
export function byteCount(abi: LinuxFileAbi, word: number): number {
  if (long(abi, word) < 0) throw new Errno('EINVAL');
  return word;
}

export interface OpenWord {
  readonly flags: FileFlags;
  readonly create: boolean;
  readonly exclusive: boolean;
  readonly truncate: boolean;
  readonly temporary: boolean;
  readonly closeOnExec: boolean;
}

export function decodeOpenFlags(abi: LinuxFileAbi, word: number): OpenWord {
  const bits = abi.openFlags;
  const has = (bit: number): boolean => (word & bit) === bit;
  const access = word & 3;
  const pathOnly = has(bits.O_PATH);
  return {
    flags: plainFlags({
      read: !pathOnly && (access === 0 || access === 2),
      write: !pathOnly && (access === 1 || access === 2),
      append: has(bits.O_APPEND),
      nonblocking: has(bits.O_NONBLOCK),
      async: has(bits.O_ASYNC),
      direct: has(bits.O_DIRECT),
      noAccessTime: has(bits.O_NOATIME),
      sync: has(bits.O_SYNC),
      dataSync: has(bits.O_DSYNC),
      largeFile: has(bits.O_LARGEFILE),
      directory: has(bits.O_DIRECTORY),
      noFollow: has(bits.O_NOFOLLOW),
      pathOnly,
    }),
    create: has(bits.O_CREAT) && !pathOnly,
    exclusive: has(bits.O_EXCL) && !pathOnly,
    truncate: has(bits.O_TRUNC) && !pathOnly,
    temporary: has(bits.O_TMPFILE) && !pathOnly,
    closeOnExec: has(bits.O_CLOEXEC),
  };
}

/** F_GETFL: access mode and status flags. */
export function encodeStatusFlags(abi: LinuxFileAbi, flags: FileFlags): number {
  const bits = abi.openFlags;
  let word = flags.read && flags.write ? 2 : flags.write ? 1 : 0;
  if (flags.append) word |= bits.O_APPEND;
  if (flags.nonblocking) word |= bits.O_NONBLOCK;
  if (flags.async) word |= bits.O_ASYNC;
  if (flags.direct) word |= bits.O_DIRECT;
  if (flags.noAccessTime) word |= bits.O_NOATIME;
  if (flags.sync) word |= bits.O_SYNC;
  if (flags.dataSync) word |= bits.O_DSYNC;
  if (flags.largeFile) word |= bits.O_LARGEFILE;
  if (flags.directory) word |= bits.O_DIRECTORY;
  if (flags.noFollow) word |= bits.O_NOFOLLOW;
  if (flags.pathOnly) word |= bits.O_PATH;
  return word;
}

export interface Buffer {
  readonly address: number;
  readonly length: number;
}

const UIO_MAXIOV = 1024;

/** readv(2): buffers, with all lengths together in bounds. @throws Errno EINVAL, EFAULT */
export function ioVector(abi: LinuxFileAbi, memory: UserMemory, address: number, count: number): Buffer[] {
  if (count > UIO_MAXIOV) throw new Errno('EINVAL');
  const layout = abi.structs.iovec;
  const buffers: Buffer[] = [];
  let total = 0;
  for (let i = 0; i < count; i++) {
    const { iov_base, iov_len } = readStruct(memory, address + i * layout.size, layout);
    const length = Number(iov_len);
    total += length;
    if (long(abi, length) < 0 || long(abi, total) < 0 || total > MAX_VECTOR) throw new Errno('EINVAL');
    buffers.push({ address: Number(iov_base), length });
  }
  return buffers;
}

const MAX_VECTOR = 0x7fffffff;

const NS_PER_S = 1_000_000_000;

/** A timespec as ns. @throws Errno EINVAL for what timespecs must not hold */
export function timespecNs(abi: LinuxFileAbi, memory: UserMemory, address: number, wide: boolean): number {
  const { tv_sec, tv_nsec } = readStruct(memory, address, wide ? TIMESPEC64 : abi.structs.timespec);
  // The upper half of tv_nsec is padding where long has 32 bits: linux/time_types.h.
  const nsec = wide && abi.dataModel.longBytes === 4 ? Number(BigInt.asIntN(32, BigInt(tv_nsec))) : Number(tv_nsec);
  const sec = Number(tv_sec);
  if (sec < 0 || nsec < 0 || nsec >= NS_PER_S) throw new Errno('EINVAL');
  return sec * NS_PER_S + nsec;
}

export function timevalNs(abi: LinuxFileAbi, memory: UserMemory, address: number): number {
  const { tv_sec, tv_usec } = readStruct(memory, address, abi.structs.timeval);
  const [sec, usec] = [Number(tv_sec), Number(tv_usec)];
  if (sec < 0 || usec < 0) throw new Errno('EINVAL');
  return sec * NS_PER_S + usec * 1000;
}

/** A relative time as a deadline; undefined waits for ever. */
export const deadlineAfter = (context: SyscallContext, ns: number | undefined): number | undefined =>
  ns === undefined ? undefined : context.clock.monotonicNs() + ns;

/** A signal set. @throws Errno EINVAL for a size that is not the kernel's */
export function signalMask(abi: LinuxFileAbi, memory: UserMemory, address: number, size: number): bigint | undefined {
  if (address === 0) return undefined;
  if (size !== abi.sigsetBytes) throw new Errno('EINVAL');
  let mask = 0n;
  // An array of longs, the one with the lowest signals first on every machine.
  for (let at = 0, shift = 0n; at < size; at += memory.pointerBytes, shift += BigInt(memory.pointerBytes * 8)) {
    const word = memory.pointerBytes === 8 ? memory.u64(address + at) : BigInt(memory.u32(address + at));
    mask |= word << shift;
  }
  return mask;
}
