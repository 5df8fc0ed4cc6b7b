/** Messages on sockets: send(2), recv(2), sendmsg(2), recvmsg(2), and what travels with them, cmsg(3). */
import type { LinuxFileAbi } from '../../../targets/linux-abi/file-abi.js';
import { UCRED } from '../../../targets/linux-abi/common.js';
import { decodeStruct, encodeStruct, readStruct, writeStruct } from '../../abi/struct.js';
import { Errno } from '../../kernel/contracts.js';
import type { SyscallContext, SyscallHandler, SyscallResult } from '../../kernel/contracts.js';
import type { OpenFile } from '../open-file.js';
import { waitUntil } from '../open-file.js';
import { filesOf } from '../process-files.js';
import { encodeAddress } from '../sockets/address.js';
import type { SocketAddress } from '../sockets/address.js';
import type { Received, Socket } from '../sockets/socket.js';
import { deadlineAfter, ioVector, timespecNs } from './arguments.js';
import type { Buffer } from './arguments.js';
import {
  addressAt,
  bindIfUnbound,
  credentialsOf,
  find,
  remoteSeenBy,
  socketAt,
  storeAddress,
  timedOut,
} from './socket-names.js';
import { gather, scatter, totalOf } from './transfer.js';

/** linux/socket.h, the same on all architectures. */
const Msg = {
  OOB: 0x1,
  PEEK: 0x2,
  CTRUNC: 0x8,
  TRUNC: 0x20,
  DONTWAIT: 0x40,
  EOR: 0x80,
  WAITALL: 0x100,
  NOSIGNAL: 0x4000,
  WAITFORONE: 0x10000,
  CMSG_CLOEXEC: 0x40000000,
} as const;
const SCM_RIGHTS = 1;
const SCM_CREDENTIALS = 2;
/** unix(7): SCM_MAX_FD. */
const MAX_RIGHTS = 253;
const UIO_MAXIOV = 1024;

type MessageCall =
  'sendto' | 'send' | 'recvfrom' | 'recv' | 'sendmsg' | 'recvmsg' | 'sendmmsg' | 'recvmmsg' | 'recvmmsg_time64';

export function messageSyscalls(abi: LinuxFileAbi): Record<MessageCall, SyscallHandler> {
  const { SOL_SOCKET } = abi.socket;

  interface Sending {
    readonly bytes: Uint8Array;
    readonly to: SocketAddress | undefined;
    readonly rights: readonly OpenFile[];
    readonly flags: number;
  }

  const send = (c: SyscallContext, socket: Socket, { bytes, to, rights, flags }: Sending): SyscallResult => {
    if ((flags & Msg.OOB) !== 0) throw new Errno('EOPNOTSUPP');
    if (socket.isConnectionBased && to && socket.connected && socket.family === 'unix') throw new Errno('EISCONN');
    const { space } = socket;
    if (rights.length > 0 && space.inFlight + rights.length > c.process.maxFiles) throw new Errno('ETOOMANYREFS');
    const nonblocking = socket.flags.nonblocking || (flags & Msg.DONTWAIT) !== 0;
    const credentials = credentialsOf(c);
    let done = 0;
    let target: Socket | undefined;
    const partial = (): number | undefined => (done > 0 ? done : undefined);
    const deadlineNs = deadlineAfter(c, socket.options.sendTimeoutNs);
    const attempt = (): number | undefined => {
      if (socket.released) throw new Errno('EBADF');
      if (to && !socket.isConnectionBased) {
        target = find(c, socket, to);
        bindIfUnbound(socket, to);
        if (!target) {
          if (to.family === 'unix') throw new Errno('ECONNREFUSED');
          socket.sendToWorld(bytes, to);
          return bytes.length; // udp(7): where nobody is, nobody told the sender yet
        }
        if (target.kind !== 'datagram') throw new Errno('EPROTOTYPE');
      } else {
        target = socket.peer;
        if (!socket.isConnectionBased) {
          if (!socket.remote) throw new Errno(socket.family === 'unix' ? 'ENOTCONN' : 'EDESTADDRREQ');
          if (target?.released || (!target && socket.remote.family !== 'unix')) {
            // Who binds the port meanwhile gets what is sent from then on.
            target = socket.remote.family === 'unix' ? undefined : space.atPort(socket, socket.remote);
            if (!target) {
              if (socket.remote.family === 'unix') throw new Errno('ECONNREFUSED');
              if (socket.sendToWorld(bytes, socket.remote)) return bytes.length;
              socket.refuse('ECONNREFUSED');
              return bytes.length;
            }
          }
        }
      }
      for (;;) {
        const from = target && target.family !== socket.family ? remoteSeenBy(target, socket.local) : socket.local;
        const message = { bytes: bytes.subarray(done), from, rights: done === 0 ? rights : [], credentials };
        const count = socket.send(message, target);
        if (count === undefined) return nonblocking ? partial() : undefined;
        done += count;
        if (socket.kind !== 'stream' || done >= bytes.length) return done;
      }
    };
    return waitUntil(
      () => (target ? [socket.changed, target.changed] : [socket.changed]),
      () => {
        try {
          return attempt();
        } catch (error) {
          if (!(error instanceof Errno)) throw error;
          if (error.code === 'EPIPE' && socket.isConnectionBased && (flags & Msg.NOSIGNAL) === 0) {
            c.raiseSignal('SIGPIPE');
          }
          if (done > 0) return done;
          throw error;
        }
      },
      {
        nonblocking,
        interrupted: 'restart',
        partial,
        ...(deadlineNs === undefined ? {} : { deadlineNs, timeout: () => partial() ?? timedOut() }),
      },
    );
  };

  const receive = (
    c: SyscallContext,
    socket: Socket,
    buffers: readonly Buffer[],
    flags: number,
    store: (received: Received, count: number) => number,
  ): SyscallResult => {
    if ((flags & Msg.OOB) !== 0)
      throw new Errno(socket.kind === 'stream' && socket.family !== 'unix' ? 'EINVAL' : 'EOPNOTSUPP');
    const limit = totalOf(buffers);
    const nonblocking = socket.flags.nonblocking || (flags & Msg.DONTWAIT) !== 0;
    const peek = (flags & Msg.PEEK) !== 0;
    const waitAll = socket.kind === 'stream' && (flags & Msg.WAITALL) !== 0 && !peek;
    const parts: Uint8Array[] = [];
    let collected = 0;
    let first: Received | undefined;
    const finish = (): number | undefined => {
      if (!first) return undefined;
      const bytes = parts.length === 1 ? parts[0]! : Uint8Array.from(globalThis.Buffer.concat(parts));
      scatter(c.memory, buffers, bytes);
      return store(first, bytes.length);
    };
    const deadlineNs = deadlineAfter(c, socket.options.receiveTimeoutNs);
    return waitUntil(
      () => [socket.changed],
      () => {
        if (socket.released) throw new Errno('EBADF');
        for (;;) {
          const received = socket.receive(limit - collected, { peek });
          if (!received) return nonblocking ? finish() : undefined;
          first ??= received;
          parts.push(received.bytes);
          collected += received.bytes.length;
          if (!waitAll || collected >= limit || received.bytes.length === 0) return finish();
        }
      },
      {
        nonblocking,
        interrupted: 'restart',
        partial: finish,
        ...(deadlineNs === undefined ? {} : { deadlineNs, timeout: () => finish() ?? timedOut() }),
      },
    );
  };

  const recvfrom = (
    c: SyscallContext,
    fd: number,
    address: number,
    length: number,
    flags: number,
    from: number,
    fromLength: number,
  ): SyscallResult => {
    const socket = socketAt(c, fd);
    return receive(c, socket, [{ address, length }], flags, (received, count) => {
      for (const file of received.rights) file.drop();
      storeAddress(c, socket.isConnectionBased ? undefined : received.from, from, fromLength);
      return (flags & Msg.TRUNC) !== 0 && socket.kind !== 'stream' ? received.fullLength : count;
    });
  };

  const { msghdr, cmsghdr } = abi.structs;
  const word = abi.dataModel.longBytes;
  const aligned = (size: number): number => Math.ceil(size / word) * word;
  const headerBytes = aligned(cmsghdr.size);

  /** Descriptors of SCM_RIGHTS; other control messages are checked and passed over. */
  const sentRights = (c: SyscallContext, address: number, length: number, socket: Socket): OpenFile[] => {
    const rights: OpenFile[] = [];
    if (length > 65536) throw new Errno('ENOBUFS');
    const bytes = c.memory.read(address, length).slice();
    for (let at = 0; at + cmsghdr.size <= length;) {
      const header = decodeStruct(cmsghdr, bytes.subarray(at), c.memory.byteOrder);
      const size = Number(header.cmsg_len);
      if (size < headerBytes || at + size > length) throw new Errno('EINVAL');
      if (header.cmsg_level === SOL_SOCKET) {
        if (header.cmsg_type === SCM_RIGHTS) {
          if (socket.family !== 'unix') throw new Errno('EINVAL');
          const view = new DataView(bytes.buffer, at + headerBytes, size - headerBytes);
          for (let i = 0; i + 4 <= view.byteLength; i += 4) {
            rights.push(filesOf(c).file(view.getInt32(i, c.memory.byteOrder === 'little')));
          }
          if (rights.length > MAX_RIGHTS) throw new Errno('EINVAL');
        } else if (header.cmsg_type === SCM_CREDENTIALS) {
          const { pid, uid, gid } = decodeStruct(UCRED, bytes.subarray(at + headerBytes), c.memory.byteOrder);
          const own = credentialsOf(c);
          if (own.uid !== 0 && (pid !== own.pid || uid !== own.uid || gid !== own.gid)) throw new Errno('EPERM');
        } else throw new Errno('EINVAL');
      }
      at += aligned(size);
    }
    return rights;
  };

  const sendmsg = (c: SyscallContext, fd: number, address: number, flags: number): SyscallResult => {
    const socket = socketAt(c, fd);
    const header = readStruct(c.memory, address, msghdr);
    const [name, nameLength] = [Number(header.msg_name), Number(header.msg_namelen)];
    const to = name !== 0 && nameLength > 0 ? addressAt(c, name, nameLength, socket.family) : undefined;
    const buffers = messageVector(c, Number(header.msg_iov), Number(header.msg_iovlen));
    const [control, controlLength] = [Number(header.msg_control), Number(header.msg_controllen)];
    const rights = control !== 0 && controlLength > 0 ? sentRights(c, control, controlLength, socket) : [];
    return send(c, socket, { bytes: gather(c.memory, buffers), to, rights, flags });
  };

  const messageVector = (c: SyscallContext, address: number, count: number): Buffer[] => {
    if (count > UIO_MAXIOV) throw new Errno('EMSGSIZE');
    return ioVector(abi, c.memory, address, count);
  };

  /** Hands received descriptors and credentials out. @returns length of the control data, and MSG_CTRUNC */
  const storeControl = (
    c: SyscallContext,
    socket: Socket,
    { rights, credentials }: Received,
    address: number,
    room: number,
    flags: number,
  ): { used: number; flags: number } => {
    let used = 0;
    let result = 0;
    const order = c.memory.byteOrder;
    const put = (type: number, data: Uint8Array): void => {
      const size = headerBytes + data.length;
      const header = encodeStruct(cmsghdr, { cmsg_len: size, cmsg_level: SOL_SOCKET, cmsg_type: type }, order);
      c.memory.write(address + used, header);
      c.memory.write(address + used + headerBytes, data);
      used += Math.min(aligned(size), room - used);
    };
    if (socket.options.passCredentials && credentials) {
      if (room >= headerBytes + UCRED.size) put(SCM_CREDENTIALS, encodeStruct(UCRED, credentials, order));
      else result |= Msg.CTRUNC;
    }
    if (rights.length > 0) {
      const fitting = Math.max(0, Math.floor((room - used - headerBytes) / 4));
      const numbers: number[] = [];
      const closeOnExec = (flags & Msg.CMSG_CLOEXEC) !== 0;
      try {
        for (const file of rights.slice(0, fitting)) {
          numbers.push(filesOf(c).descriptorTable.add(file, { limit: c.process.maxFiles, closeOnExec }));
        }
      } catch (error) {
        if (!(error instanceof Errno)) throw error; // no number is free: the rest is cut off
      }
      if (numbers.length < rights.length) result |= Msg.CTRUNC;
      for (const file of rights) file.drop(); // the table holds those that found a number
      if (numbers.length > 0) {
        const data = new Uint8Array(numbers.length * 4);
        const view = new DataView(data.buffer);
        for (const [index, number] of numbers.entries()) view.setInt32(index * 4, number, order === 'little');
        put(SCM_RIGHTS, data);
      }
    }
    return { used, flags: result };
  };

  const recvmsg = (c: SyscallContext, fd: number, address: number, flags: number): SyscallResult => {
    const socket = socketAt(c, fd);
    const header = readStruct(c.memory, address, msghdr);
    const buffers = messageVector(c, Number(header.msg_iov), Number(header.msg_iovlen));
    return receive(c, socket, buffers, flags, (received, count) => {
      const [name, room] = [Number(header.msg_name), Number(header.msg_namelen)];
      let nameLength = 0;
      if (name !== 0 && !socket.isConnectionBased && received.from) {
        const bytes = encodeAddress(received.from, c.memory.byteOrder);
        c.memory.write(name, bytes.subarray(0, Math.max(0, room)));
        nameLength = bytes.length;
      }
      const control = Number(header.msg_control);
      const controlRoom = control === 0 ? 0 : Number(header.msg_controllen);
      const stored = storeControl(c, socket, received, control, controlRoom, flags);
      const truncated = received.fullLength > count ? Msg.TRUNC : 0;
      const endOfRecord = socket.kind === 'seqpacket' && count > 0 && !truncated ? Msg.EOR : 0;
      writeStruct(c.memory, address, msghdr, {
        ...header,
        msg_namelen: nameLength,
        msg_controllen: stored.used,
        msg_flags: (flags & Msg.CMSG_CLOEXEC) | stored.flags | truncated | endOfRecord,
      });
      return (flags & Msg.TRUNC) !== 0 && socket.kind !== 'stream' ? received.fullLength : count;
    });
  };

  /** sendmmsg and recvmmsg: several messages; only the first one waits. */
  const entryBytes = Math.ceil((msghdr.size + 4) / word) * word;
  const many = (
    c: SyscallContext,
    address: number,
    count: number,
    flags: number,
    one: (c: SyscallContext, at: number, flags: number) => SyscallResult,
  ): SyscallResult => {
    const total = Math.min(count, UIO_MAXIOV);
    if (total === 0) return 0;
    const rest = (first: number): number => {
      c.memory.setU32(address + msghdr.size, first);
      for (let i = 1; i < total; i++) {
        try {
          const result = one(c, address + i * entryBytes, flags | Msg.DONTWAIT);
          if (typeof result !== 'number') return i;
          c.memory.setU32(address + i * entryBytes + msghdr.size, result);
        } catch (error) {
          if (error instanceof Errno) return i;
          throw error;
        }
      }
      return total;
    };
    const then = (result: SyscallResult): SyscallResult => {
      if (typeof result === 'number') return rest(result);
      const { timeout } = result;
      return { ...result, retry: () => then(result.retry()), ...(timeout ? { timeout: () => then(timeout()) } : {}) };
    };
    return then(one(c, address, flags & ~Msg.WAITFORONE));
  };
  const recvmmsg =
    (wide: boolean): SyscallHandler =>
    (c, fd = 0, address = 0, count = 0, flags = 0, timeout = 0) => {
      if (timeout !== 0) timespecNs(abi, c.memory, timeout, wide); // recvmmsg(2), BUGS: asked only after a message
      return many(c, address, count, flags, (context, at, f) => recvmsg(context, fd, at, f));
    };

  return {
    sendto: (c, fd = 0, address = 0, length = 0, flags = 0, to = 0, toLength = 0) => {
      const socket = socketAt(c, fd);
      const target = to === 0 ? undefined : addressAt(c, to, toLength, socket.family);
      return send(c, socket, { bytes: gather(c.memory, [{ address, length }]), to: target, rights: [], flags });
    },
    send: (c, fd = 0, address = 0, length = 0, flags = 0) =>
      send(c, socketAt(c, fd), { bytes: gather(c.memory, [{ address, length }]), to: undefined, rights: [], flags }),
    recvfrom: (c, fd = 0, address = 0, length = 0, flags = 0, from = 0, fromLength = 0) =>
      recvfrom(c, fd, address, length, flags, from, fromLength),
    recv: (c, fd = 0, address = 0, length = 0, flags = 0) => recvfrom(c, fd, address, length, flags, 0, 0),
    sendmsg: (c, fd = 0, address = 0, flags = 0) => sendmsg(c, fd, address, flags),
    recvmsg: (c, fd = 0, address = 0, flags = 0) => recvmsg(c, fd, address, flags),
    sendmmsg: (c, fd = 0, address = 0, count = 0, flags = 0) =>
      many(c, address, count, flags, (context, at, f) => sendmsg(context, fd, at, f)),
    recvmmsg: recvmmsg(abi.dataModel.longBytes === 8),
    recvmmsg_time64: recvmmsg(true),
  };
}
