/** read(2), write(2) and their kin: bytes between memory and open files. */
import type { LinuxFileAbi } from '../../../targets/linux-abi/file-abi.js';
import { Errno } from '../../kernel/contracts.js';
import type { SyscallContext, SyscallResult, SyscallTable, UserMemory } from '../../kernel/contracts.js';
import { FileType } from '../../vfs/inode.js';
import { isRegular, MAX_TRANSFER, RegularFile, waitUntil } from '../open-file.js';
import type { OpenFile } from '../open-file.js';
import { filesOf } from '../process-files.js';
import { byteCount, int, ioVector, long } from './arguments.js';
import type { Buffer } from './arguments.js';

/** preadv2(2). */
const RWF_NOWAIT = 0x8;
const RWF_KNOWN = 0x1f;
/** Bytes that sendfile and copy_file_range move at a time. */
const COPY_CHUNK = 256 * 1024;

export function readable(context: SyscallContext, fd: number): OpenFile {
  const file = filesOf(context).file(fd);
  if (!file.flags.read) throw new Errno('EBADF');
  return file;
}

export function writable(context: SyscallContext, fd: number): OpenFile {
  const file = filesOf(context).file(fd);
  if (!file.flags.write) throw new Errno('EBADF');
  return file;
}

/** Spreads bytes over buffers. */
export function scatter(memory: UserMemory, buffers: readonly Buffer[], bytes: Uint8Array): void {
  let done = 0;
  for (const { address, length } of buffers) {
    if (done === bytes.length) return;
    const part = bytes.subarray(done, done + length);
    memory.write(address, part);
    done += part.length;
  }
}

/** The bytes of buffers, in a copy. */
export function gather(memory: UserMemory, buffers: readonly Buffer[]): Uint8Array {
  const total = totalOf(buffers);
  if (buffers.length === 1) return memory.read(buffers[0]!.address, total).slice();
  const bytes = new Uint8Array(total);
  let done = 0;
  for (const { address, length } of buffers) {
    if (length > 0) bytes.set(memory.read(address, length), done);
    done += length;
  }
  return bytes;
}

export const totalOf = (buffers: readonly Buffer[]): number =>
  Math.min(
    MAX_TRANSFER,
    buffers.reduce((sum, { length }) => sum + length, 0),
  );

/** A regular file straight into memory. @returns undefined for another file, and where that cannot be written in one piece */
function readPlain(
  { memory }: SyscallContext,
  file: OpenFile,
  address: number,
  length: number,
  offset: number | undefined,
): number | undefined {
  if (!(file instanceof RegularFile)) return undefined;
  return memory.fill(address, Math.min(MAX_TRANSFER, length), (bytes) => file.readTo(bytes, offset));
}

export function readInto(
  context: SyscallContext,
  file: OpenFile,
  buffers: readonly Buffer[],
  offset: number | undefined,
  nonblocking = file.flags.nonblocking,
): SyscallResult {
  const limit = totalOf(buffers);
  const [buffer] = buffers;
  const count = buffer && buffers.length === 1 ? readPlain(context, file, buffer.address, limit, offset) : undefined;
  if (count !== undefined) return count;
  return waitUntil(
    () => file.queues(context),
    () => {
      if (file.released) throw new Errno('EBADF');
      const bytes = file.read(limit, offset, context);
      if (!bytes) return undefined;
      try {
        scatter(context.memory, buffers, bytes);
      } catch (error) {
        if (offset === undefined && file instanceof RegularFile) file.seek(-bytes.length, 1); // nothing was read
        throw error;
      }
      return bytes.length;
    },
    { nonblocking, interrupted: 'restart' },
  );
}

/** Writes everything, waiting for room between the parts. */
export function writeAll(
  context: SyscallContext,
  file: OpenFile,
  bytes: Uint8Array,
  offset: number | undefined,
  { nonblocking = file.flags.nonblocking, noSignal = false } = {},
): SyscallResult {
  let done = 0;
  const partial = (): number | undefined => (done > 0 ? done : undefined);
  return waitUntil(
    () => file.queues(context),
    () => {
      do {
        let count;
        try {
          if (file.released) throw new Errno('EBADF');
          count = file.write(bytes.subarray(done), offset === undefined ? undefined : offset + done, context);
        } catch (error) {
          if (error instanceof Errno && error.code === 'EPIPE' && !noSignal) context.raiseSignal('SIGPIPE');
          if (done > 0 && error instanceof Errno) return done;
          throw error;
        }
        if (count === undefined) return nonblocking ? partial() : undefined;
        done += count;
        if (count === 0) break;
      } while (done < bytes.length);
      return done;
    },
    { nonblocking, interrupted: 'restart', partial },
  );
}

export function transferSyscalls(abi: LinuxFileAbi): SyscallTable {
  const at = (file: OpenFile, offset: number): number => {
    if (offset < 0) throw new Errno('EINVAL');
    if (!file.seekable) throw new Errno('ESPIPE');
    return offset;
  };
  const checkFlags = (flags: number): void => {
    if ((flags & ~RWF_KNOWN) !== 0) throw new Errno('EOPNOTSUPP');
  };

  return {
    read: (context, fd = 0, address = 0, length = 0) => {
      const file = readable(context, fd);
      const count = readPlain(context, file, address, byteCount(abi, length), undefined);
      return count ?? readInto(context, file, [{ address, length }], undefined);
    },

    write: (context, fd = 0, address = 0, length = 0) => {
      const file = writable(context, fd);
      return writeAll(context, file, gather(context.memory, [{ address, length: byteCount(abi, length) }]), undefined);
    },

    pread64: (context, fd = 0, address = 0, length = 0, offset = 0) => {
      const file = readable(context, fd);
      return readInto(context, file, [{ address, length: byteCount(abi, length) }], at(file, offset));
    },

    pwrite64: (context, fd = 0, address = 0, length = 0, offset = 0) => {
      const file = writable(context, fd);
      const bytes = gather(context.memory, [{ address, length: byteCount(abi, length) }]);
      return writeAll(context, file, bytes, at(file, offset));
    },

    readv: (context, fd = 0, vector = 0, count = 0) =>
      readInto(context, readable(context, fd), ioVector(abi, context.memory, vector, count), undefined),

    writev: (context, fd = 0, vector = 0, count = 0) => {
      const file = writable(context, fd);
      return writeAll(context, file, gather(context.memory, ioVector(abi, context.memory, vector, count)), undefined);
    },

    preadv: (context, fd = 0, vector = 0, count = 0, offset = 0) => {
      const file = readable(context, fd);
      return readInto(context, file, ioVector(abi, context.memory, vector, count), at(file, offset));
    },

    pwritev: (context, fd = 0, vector = 0, count = 0, offset = 0) => {
      const file = writable(context, fd);
      const bytes = gather(context.memory, ioVector(abi, context.memory, vector, count));
      return writeAll(context, file, bytes, at(file, offset));
    },

    preadv2: (context, fd = 0, vector = 0, count = 0, offset = 0, flags = 0) => {
      checkFlags(flags);
      const file = readable(context, fd);
      const buffers = ioVector(abi, context.memory, vector, count);
      const nonblocking = file.flags.nonblocking || (flags & RWF_NOWAIT) !== 0;
      return readInto(context, file, buffers, offset === -1 ? undefined : at(file, offset), nonblocking);
    },

    pwritev2: (context, fd = 0, vector = 0, count = 0, offset = 0, flags = 0) => {
      checkFlags(flags);
      const file = writable(context, fd);
      const bytes = gather(context.memory, ioVector(abi, context.memory, vector, count));
      const nonblocking = file.flags.nonblocking || (flags & RWF_NOWAIT) !== 0;
      return writeAll(context, file, bytes, offset === -1 ? undefined : at(file, offset), { nonblocking });
    },

    sendfile: (context, out = 0, input = 0, offset = 0, count = 0) => {
      const { memory } = context;
      const size = abi.dataModel.longBytes;
      const start = offset === 0 ? undefined : size === 8 ? Number(memory.u64(offset)) : memory.i32(offset);
      return sendFile(context, out, input, start, byteCount(abi, count), (position) => {
        if (size === 8) memory.setU64(offset, BigInt(position));
        else memory.setU32(offset, position);
      });
    },

    sendfile64: (context, out = 0, input = 0, offset = 0, count = 0) =>
      sendFile(
        context,
        out,
        input,
        offset === 0 ? undefined : Number(BigInt.asIntN(64, context.memory.u64(offset))),
        byteCount(abi, count),
        (position) => context.memory.setU64(offset, BigInt(position)),
      ),

    copy_file_range: (context, input = 0, inputOffset = 0, output = 0, outputOffset = 0, length = 0, flags = 0) => {
      if (flags !== 0) throw new Errno('EINVAL');
      const [from, to] = [readable(context, input), writable(context, output)];
      if (from.inode.isDirectory || to.inode.isDirectory) throw new Errno('EISDIR');
      if (!isRegular(from) || !isRegular(to)) throw new Errno('EINVAL');
      if (to.flags.append) throw new Errno('EBADF');
      const { memory } = context;
      const offsetAt = (address: number): number | undefined => {
        if (address === 0) return undefined;
        const offset = Number(BigInt.asIntN(64, memory.u64(address)));
        if (offset < 0) throw new Errno('EINVAL');
        return offset;
      };
      let readAt = offsetAt(inputOffset);
      let writeAt = offsetAt(outputOffset);
      let done = 0;
      const total = Math.min(byteCount(abi, length), MAX_TRANSFER);
      while (done < total) {
        const bytes = from.read(Math.min(COPY_CHUNK, total - done), readAt);
        if (bytes.length === 0) break;
        const count = to.write(bytes, writeAt);
        if (readAt !== undefined) readAt += count;
        else if (count < bytes.length) from.seek(count - bytes.length, 1);
        if (writeAt !== undefined) writeAt += count;
        done += count;
        if (count < bytes.length) break;
      }
      if (readAt !== undefined) memory.setU64(inputOffset, BigInt(readAt));
      if (writeAt !== undefined) memory.setU64(outputOffset, BigInt(writeAt));
      return done;
    },

    // splice(2): programs fall back to read and write when the files do not support it.
    splice: () => {
      throw new Errno('EINVAL');
    },
    tee: () => {
      throw new Errno('EINVAL');
    },
    vmsplice: () => {
      throw new Errno('EINVAL');
    },

    readahead: (context, fd = 0) => {
      if (!isRegular(readable(context, fd))) throw new Errno('EINVAL');
      return 0;
    },

    fadvise64: (context, ...[fd = 0, , , advice = 0]) => {
      const file = filesOf(context).file(fd);
      if (file.inode.type === FileType.FIFO) throw new Errno('ESPIPE');
      if (advice > 5) throw new Errno('EINVAL');
      return 0;
    },

    sync_file_range: (context, fd = 0) => {
      if (!isRegular(filesOf(context).file(fd))) throw new Errno('ESPIPE');
      return 0;
    },

    lseek: (context, fd = 0, offset = 0, whence = 0) => {
      const file = filesOf(context).file(fd);
      const position = file.seek(long(abi, offset), whence);
      if (abi.dataModel.longBytes === 4 && position > 0x7fffffff) throw new Errno('EOVERFLOW');
      return position;
    },

    _llseek: (context, fd = 0, offset = 0, result = 0, whence = 0) => {
      const position = filesOf(context).file(fd).seek(offset, whence);
      context.memory.setU64(result, BigInt(position));
      return 0;
    },

    fsync: (context, fd = 0) => {
      filesOf(context).file(fd).sync();
      return 0;
    },
    fdatasync: (context, fd = 0) => {
      filesOf(context).file(fd).sync();
      return 0;
    },
    sync: () => 0,
    syncfs: (context, fd = 0) => {
      filesOf(context).file(fd);
      return 0;
    },

    fallocate: (context, fd = 0, mode = 0, offset = 0, length = 0) => {
      const KEEP_SIZE = 1;
      const PUNCH_HOLE = 2;
      const file = writable(context, fd);
      if (offset < 0 || length <= 0) throw new Errno('EINVAL');
      if (file.inode.type === FileType.FIFO) throw new Errno('ESPIPE');
      if (int(mode) === 0 || mode === KEEP_SIZE) file.allocate(offset, length, 'reserve', mode === KEEP_SIZE);
      else if (mode === (PUNCH_HOLE | KEEP_SIZE)) file.allocate(offset, length, 'punch', true);
      else throw new Errno('EOPNOTSUPP');
      return 0;
    },
  };
}

/** sendfile(2): the input's position stays where an offset is given. */
function sendFile(
  context: SyscallContext,
  out: number,
  input: number,
  offset: number | undefined,
  count: number,
  storeOffset: (position: number) => void,
): SyscallResult {
  const [from, to] = [readable(context, input), writable(context, out)];
  if (!from.seekable || to.flags.append) throw new Errno('EINVAL');
  if (offset !== undefined && offset < 0) throw new Errno('EINVAL');
  let position = offset;
  let done = 0;
  const total = Math.min(count, MAX_TRANSFER);
  const finish = (): number => {
    if (position !== undefined) storeOffset(position);
    return done;
  };
  return waitUntil(
    () => to.queues(context),
    () => {
      while (done < total) {
        const bytes = from.read(Math.min(COPY_CHUNK, total - done), position, context) ?? new Uint8Array(0);
        if (bytes.length === 0) break;
        let written;
        try {
          written = to.write(bytes, undefined, context);
        } catch (error) {
          if (error instanceof Errno && error.code === 'EPIPE') context.raiseSignal('SIGPIPE');
          throw error;
        }
        if (position === undefined) from.seek((written ?? 0) - bytes.length, 1);
        else position += written ?? 0;
        if (written === undefined) return to.flags.nonblocking && done > 0 ? finish() : undefined;
        done += written;
      }
      return finish();
    },
    { nonblocking: to.flags.nonblocking, interrupted: 'restart', partial: () => (done > 0 ? finish() : undefined) },
  );
}
