/** System calls on sockets: socket(2), connect(2), sendmsg(2) and their kin. */
import type { LinuxFileAbi } from '../../../targets/linux-abi/file-abi.js';
import { LINGER, TIMEVAL64, UCRED } from '../../../targets/linux-abi/common.js';
import { decodeStruct, encodeStruct, readStruct, writeStruct } from '../../abi/struct.js';
import { Errno } from '../../kernel/contracts.js';
import type { SyscallContext, SyscallHandler, SyscallResult, SyscallTable } from '../../kernel/contracts.js';
import { Access, FileType } from '../../vfs/inode.js';
import { callerOf, creationFor, mayChange } from '../file-system.js';
import type { OpenFile } from '../open-file.js';
import { plainFlags, waitUntil } from '../open-file.js';
import { filesOf } from '../process-files.js';
import { decodeAddress, encodeAddress, Family, familyNumber, hostBytes } from '../sockets/address.js';
import type { InetAddress, SocketAddress } from '../sockets/address.js';
import { Socket } from '../sockets/socket.js';
import type { PeerCredentials, Received, SocketKind } from '../sockets/socket.js';
import { deadlineAfter, int, ioVector, timespecNs } from './arguments.js';
import type { Buffer } from './arguments.js';
import { addPair, storePair } from './descriptors.js';
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
const TYPE_MASK = 0xf;
const IPPROTO = { IP: 0, ICMP: 1, TCP: 6, UDP: 17, IPV6: 41 } as const;
const IPV6_V6ONLY = 26;
const MAX_ADDRESS_BYTES = 128;
const UIO_MAXIOV = 1024;

export function socketSyscalls(abi: LinuxFileAbi): SyscallTable {
  const { types, options: numbers, SOL_SOCKET } = abi.socket;
  const { O_NONBLOCK, O_CLOEXEC } = abi.openFlags;

  const socketAt = (c: SyscallContext, fd: number): Socket => {
    const file = filesOf(c).file(fd);
    if (!(file instanceof Socket)) throw new Errno('ENOTSOCK');
    return file;
  };

  const credentialsOf = ({ process }: SyscallContext): PeerCredentials => ({
    pid: process.pid,
    uid: process.credentials.euid,
    gid: process.credentials.egid,
  });

  const kindOf = (type: number, isUnix: boolean): SocketKind => {
    switch (type) {
      case types.SOCK_STREAM:
        return 'stream';
      case types.SOCK_DGRAM:
        return 'datagram';
      case types.SOCK_SEQPACKET:
        if (isUnix) return 'seqpacket';
        break;
      case types.SOCK_RAW:
        if (isUnix) return 'datagram'; // unix(7) takes it for a datagram socket
        throw new Errno('EPERM'); // raw(7): needs CAP_NET_RAW
    }
    throw new Errno('ESOCKTNOSUPPORT');
  };

  const create = (c: SyscallContext, domain: number, typeWord: number, protocol: number): Socket => {
    const families = { [Family.UNIX]: 'unix', [Family.INET]: 'inet', [Family.INET6]: 'inet6' } as const;
    const family =
      domain === Family.UNIX || domain === Family.INET || domain === Family.INET6 ? families[domain] : undefined;
    if (!family) throw new Errno('EAFNOSUPPORT');
    if ((typeWord & ~(TYPE_MASK | O_NONBLOCK | O_CLOEXEC)) !== 0) throw new Errno('EINVAL');
    const kind = kindOf(typeWord & TYPE_MASK, family === 'unix');
    let actual = protocol;
    if (family === 'unix') {
      if (protocol !== 0 && protocol !== Family.UNIX) throw new Errno('EPROTONOSUPPORT');
    } else {
      actual = kind === 'stream' ? IPPROTO.TCP : IPPROTO.UDP;
      if (protocol !== 0 && protocol !== actual) throw new Errno('EPROTONOSUPPORT');
    }
    return make(c, family, kind, actual, (typeWord & O_NONBLOCK) !== 0);
  };

  const make = (
    c: SyscallContext,
    family: SocketAddress['family'],
    kind: SocketKind,
    protocol: number,
    nonblocking: boolean,
  ): Socket => {
    const { fileSystem } = filesOf(c);
    const flags = plainFlags({ read: true, write: true, nonblocking });
    const inode = fileSystem.anonymousInode(FileType.SOCKET, 0o777);
    const socket = new Socket(inode, fileSystem.anonymousMount, flags, family, kind, protocol, fileSystem.sockets);
    socket.writer = credentialsOf(c);
    return socket;
  };

  const addressAt = (c: SyscallContext, address: number, length: number, family: SocketAddress['family']) => {
    if (int(length) < 0 || length > MAX_ADDRESS_BYTES) throw new Errno('EINVAL');
    return decodeAddress(c.memory.read(address, length), c.memory.byteOrder, family);
  };

  /** Stores an address and its length as accept(2) and getsockname(2) do: cut to the room, the length as it is. */
  const storeAddress = (c: SyscallContext, value: SocketAddress | undefined, to: number, lengthAt: number): void => {
    if (to === 0) return;
    const room = c.memory.u32(lengthAt);
    if (int(room) < 0) throw new Errno('EINVAL');
    const bytes = value ? encodeAddress(value, c.memory.byteOrder) : new Uint8Array(0);
    c.memory.write(to, bytes.subarray(0, room));
    c.memory.setU32(lengthAt, bytes.length);
  };

  const unspecified = (socket: Socket): SocketAddress =>
    socket.family === 'unix'
      ? { family: 'unix', path: '' }
      : { family: socket.family, host: hostBytes('any', socket.family), port: 0 };

  const bind = (c: SyscallContext, socket: Socket, address: SocketAddress): number => {
    if (socket.local !== undefined) throw new Errno('EINVAL');
    const { space } = socket;
    if (address.family !== 'unix') {
      socket.local = space.bindPort(socket, address);
      return 0;
    }
    if (address.path === '' || address.path.startsWith('\0')) {
      const path = address.path === '' ? space.freeAbstractName() : address.path;
      space.bindAbstract(path, socket);
      socket.local = { family: 'unix', path };
      return 0;
    }
    const resolution = filesOf(c).resolve(address.path, callerOf(c), { follow: false });
    if (resolution.place || resolution.name === undefined) throw new Errno('EADDRINUSE');
    const { directory, name } = resolution;
    mayChange(directory, callerOf(c));
    const mode = 0o777 & ~c.process.umask;
    const inode = directory.inode.createNode(name, FileType.SOCKET, creationFor(directory, mode, callerOf(c)));
    space.bindInode(inode, socket);
    socket.local = address;
    return 0;
  };

  /** The socket behind an address. @throws Errno ECONNREFUSED and those of path resolution */
  const find = (c: SyscallContext, socket: Socket, address: SocketAddress): Socket | undefined => {
    const { space } = socket;
    if (address.family !== 'unix') return space.atPort(socket, address);
    if (address.path === '') throw new Errno('EINVAL');
    if (address.path.startsWith('\0')) return space.abstract(address.path);
    const { place } = filesOf(c).resolve(address.path, callerOf(c), { follow: true });
    if (!place) throw new Errno('ENOENT');
    if (!place.inode.permits(c.process.credentials, Access.WRITE)) throw new Errno('EACCES');
    if (place.inode.type !== FileType.SOCKET) throw new Errno('ECONNREFUSED');
    return space.atInode(place.inode);
  };

  const bindIfUnbound = (socket: Socket, target: SocketAddress): void => {
    if (socket.local !== undefined || target.family === 'unix' || socket.family === 'unix') return;
    const source = socket.space.sourceFor(socket, target);
    socket.local = socket.space.bindPort(socket, source);
  };

  const connect = (c: SyscallContext, socket: Socket, address: SocketAddress): SyscallResult => {
    if (socket.kind === 'datagram') {
      const peer = find(c, socket, address);
      if (address.family === 'unix') {
        if (!peer) throw new Errno('ECONNREFUSED');
        if (peer.kind !== 'datagram') throw new Errno('EPROTOTYPE');
      }
      bindIfUnbound(socket, address);
      socket.setDatagramPeer(peer, address);
      return 0;
    }
    if (socket.connected) throw new Errno('EISCONN');
    if (socket.listening) throw new Errno(address.family === 'unix' ? 'EINVAL' : 'EISCONN');
    let listener: Socket | undefined;
    const { sendTimeoutNs } = socket.options;
    const deadlineNs = deadlineAfter(c, sendTimeoutNs);
    return waitUntil(
      () => (listener ? [listener.changed, socket.changed] : [socket.changed]),
      () => {
        listener = find(c, socket, address);
        if (!listener?.listening) throw new Errno('ECONNREFUSED');
        if (listener.kind !== socket.kind) throw new Errno('EPROTOTYPE');
        if (!listener.hasRoomForArrival) return undefined;
        bindIfUnbound(socket, address);
        const server = make(c, listener.family, listener.kind, listener.protocol, false);
        // The address that the client called, where the server is bound to all.
        server.local = listener.local?.family === 'unix' ? listener.local : serverAddress(listener, address);
        server.remote = remoteSeenBy(listener, socket.local);
        socket.remote = address;
        server.peerCredentials = credentialsOf(c);
        socket.peerCredentials = listener.peerCredentials;
        Socket.join(socket, server);
        listener.arrive(server);
        return 0;
      },
      {
        nonblocking: socket.flags.nonblocking,
        interrupted: 'restart',
        ...(deadlineNs === undefined ? {} : { deadlineNs, timeout: timedOut }),
      },
    );
  };

  const accept = (c: SyscallContext, fd: number, to: number, lengthAt: number, flags: number): SyscallResult => {
    if ((flags & ~(O_NONBLOCK | O_CLOEXEC)) !== 0) throw new Errno('EINVAL');
    const socket = socketAt(c, fd);
    if (!socket.isConnectionBased) throw new Errno('EOPNOTSUPP');
    if (!socket.listening) throw new Errno('EINVAL');
    const deadlineNs = deadlineAfter(c, socket.options.receiveTimeoutNs);
    return waitUntil(
      () => [socket.changed],
      () => {
        if (socket.released) throw new Errno('EBADF');
        const server = socket.takeArrival();
        if (!server) return undefined;
        try {
          server.flags.nonblocking = (flags & O_NONBLOCK) !== 0;
          storeAddress(c, server.remote ?? unspecified(server), to, lengthAt);
          return filesOf(c).descriptorTable.add(server, {
            limit: c.process.maxFiles,
            closeOnExec: (flags & O_CLOEXEC) !== 0,
          });
        } finally {
          server.drop();
        }
      },
      {
        nonblocking: socket.flags.nonblocking,
        interrupted: 'restart',
        ...(deadlineNs === undefined ? {} : { deadlineNs, timeout: timedOut }),
      },
    );
  };

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
          return bytes.length; // udp(7): nobody told the sender yet
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

  const booleans = new Map<number, (socket: Socket, value?: boolean) => boolean>([
    [numbers.SO_REUSEADDR, ({ options }, value = options.reuseAddress) => (options.reuseAddress = value)],
    [numbers.SO_REUSEPORT, ({ options }, value = options.reusePort) => (options.reusePort = value)],
    [numbers.SO_PASSCRED, ({ options }, value = options.passCredentials) => (options.passCredentials = value)],
    [numbers.SO_BROADCAST, ({ options }, value = options.broadcast) => (options.broadcast = value)],
    [numbers.SO_KEEPALIVE, ({ options }, value = options.keepAlive) => (options.keepAlive = value)],
  ]);

  const setsockopt: SyscallHandler = (c, fd = 0, level = 0, name = 0, address = 0, length = 0) => {
    const socket = socketAt(c, fd);
    const { memory } = c;
    if (int(length) < 0) throw new Errno('EINVAL');
    if (level !== SOL_SOCKET) {
      if (socket.family === 'unix' || !isProtocolLevel(level, socket)) throw new Errno('ENOPROTOOPT');
      const value = length >= 4 ? memory.i32(address) : length > 0 ? memory.u8(address) : 0;
      if (level === IPPROTO.IPV6 && name === IPV6_V6ONLY) {
        if (socket.local) throw new Errno('EINVAL');
        socket.options.v6Only = value !== 0;
      }
      socket.integers.set(`${level}:${name}`, value);
      return 0;
    }
    const time = (layout: typeof TIMEVAL64 | typeof abi.structs.timeval): number | undefined => {
      if (length < layout.size) throw new Errno('EINVAL');
      const { tv_sec, tv_usec } = readStruct(memory, address, layout as typeof abi.structs.timeval);
      const [sec, usec] = [Number(tv_sec), Number(tv_usec)];
      if (usec < 0 || usec >= 1_000_000) throw new Errno('EDOM');
      const ns = sec * 1e9 + usec * 1000;
      return ns <= 0 ? undefined : ns;
    };
    switch (name) {
      case numbers.SO_RCVTIMEO_OLD:
        socket.options.receiveTimeoutNs = time(abi.structs.timeval);
        return 0;
      case numbers.SO_SNDTIMEO_OLD:
        socket.options.sendTimeoutNs = time(abi.structs.timeval);
        return 0;
      case numbers.SO_RCVTIMEO_NEW:
        socket.options.receiveTimeoutNs = time(TIMEVAL64);
        return 0;
      case numbers.SO_SNDTIMEO_NEW:
        socket.options.sendTimeoutNs = time(TIMEVAL64);
        return 0;
      case numbers.SO_LINGER:
        if (length < LINGER.size) throw new Errno('EINVAL');
        socket.options.linger = readStruct(memory, address, LINGER);
        return 0;
    }
    if (length < 4) throw new Errno('EINVAL');
    const value = memory.i32(address);
    const boolean = booleans.get(name);
    if (boolean) {
      boolean(socket, value !== 0);
      return 0;
    }
    switch (name) {
      // socket(7): the kernel doubles the value; at least 2048 and 256 bytes, at most net.core.rmem_max twice.
      case numbers.SO_RCVBUF:
      case numbers.SO_RCVBUFFORCE:
        socket.options.receiveBuffer = Math.max(2304, Math.min(value, 212_992) * 2);
        return 0;
      case numbers.SO_SNDBUF:
      case numbers.SO_SNDBUFFORCE:
        socket.options.sendBuffer = Math.max(4608, Math.min(value, 212_992) * 2);
        return 0;
      case numbers.SO_DEBUG:
      case numbers.SO_DONTROUTE:
      case numbers.SO_OOBINLINE:
      case numbers.SO_PRIORITY:
      case numbers.SO_RCVLOWAT:
      case numbers.SO_TIMESTAMP_OLD:
      case numbers.SO_TIMESTAMP_NEW:
        socket.integers.set(`${level}:${name}`, value);
        return 0;
      default:
        throw new Errno('ENOPROTOOPT');
    }
  };

  const typeNumber = ({ kind }: Socket): number =>
    kind === 'stream' ? types.SOCK_STREAM : kind === 'datagram' ? types.SOCK_DGRAM : types.SOCK_SEQPACKET;

  /** An option's value as bytes. */
  const optionBytes = (c: SyscallContext, socket: Socket, level: number, name: number): Uint8Array => {
    const order = c.memory.byteOrder;
    const integer = (value: number): Uint8Array => {
      const bytes = new Uint8Array(4);
      new DataView(bytes.buffer).setInt32(0, value, order === 'little');
      return bytes;
    };
    if (level !== SOL_SOCKET) {
      if (socket.family === 'unix' || !isProtocolLevel(level, socket)) throw new Errno('ENOPROTOOPT');
      return integer(socket.integers.get(`${level}:${name}`) ?? 0);
    }
    const boolean = booleans.get(name);
    if (boolean) return integer(Number(boolean(socket)));
    const time = (ns = 0): { tv_sec: number; tv_usec: number } => ({
      tv_sec: Math.floor(ns / 1e9),
      tv_usec: Math.floor((ns % 1e9) / 1000),
    });
    const { options } = socket;
    switch (name) {
      case numbers.SO_TYPE:
        return integer(typeNumber(socket));
      case numbers.SO_DOMAIN:
        return integer(familyNumber(socket.family));
      case numbers.SO_PROTOCOL:
        return integer(socket.protocol);
      case numbers.SO_ACCEPTCONN:
        return integer(Number(socket.listening));
      case numbers.SO_ERROR: {
        const error = socket.takeError();
        return integer(error === undefined ? 0 : (abi.errno.get(error) ?? 0));
      }
      case numbers.SO_RCVBUF:
        return integer(options.receiveBuffer);
      case numbers.SO_SNDBUF:
        return integer(options.sendBuffer);
      case numbers.SO_RCVLOWAT:
      case numbers.SO_SNDLOWAT:
        return integer(socket.integers.get(`${level}:${name}`) ?? 1);
      case numbers.SO_LINGER:
        return encodeStruct(LINGER, options.linger, order);
      case numbers.SO_PEERCRED:
        return encodeStruct(UCRED, socket.peerCredentials ?? { pid: 0, uid: -1, gid: -1 }, order);
      case numbers.SO_RCVTIMEO_OLD:
        return encodeStruct(abi.structs.timeval, time(options.receiveTimeoutNs), order);
      case numbers.SO_SNDTIMEO_OLD:
        return encodeStruct(abi.structs.timeval, time(options.sendTimeoutNs), order);
      case numbers.SO_RCVTIMEO_NEW:
        return encodeStruct(TIMEVAL64, time(options.receiveTimeoutNs), order);
      case numbers.SO_SNDTIMEO_NEW:
        return encodeStruct(TIMEVAL64, time(options.sendTimeoutNs), order);
      case numbers.SO_DEBUG:
      case numbers.SO_DONTROUTE:
      case numbers.SO_OOBINLINE:
      case numbers.SO_PRIORITY:
      case numbers.SO_TIMESTAMP_OLD:
      case numbers.SO_TIMESTAMP_NEW:
        return integer(socket.integers.get(`${level}:${name}`) ?? 0);
      default:
        throw new Errno('ENOPROTOOPT');
    }
  };

  const calls = {
    socket: (c, domain = 0, type = 0, protocol = 0) =>
      filesOf(c).descriptorTable.add(create(c, domain, type, protocol), {
        limit: c.process.maxFiles,
        closeOnExec: (type & O_CLOEXEC) !== 0,
      }),
    socketpair: (c, domain = 0, type = 0, protocol = 0, address = 0) => {
      if (domain !== Family.UNIX)
        throw new Errno(domain === Family.INET || domain === Family.INET6 ? 'EOPNOTSUPP' : 'EAFNOSUPPORT');
      const [a, b] = [create(c, domain, type, protocol), create(c, domain, type, protocol)];
      for (const end of [a, b]) {
        end.peerCredentials = credentialsOf(c);
        end.remote = { family: 'unix', path: '' };
      }
      Socket.join(a, b);
      const [first, second] = addPair(c, a, b, (type & O_CLOEXEC) !== 0);
      return storePair(c, address, first, second);
    },
    bind: (c, fd = 0, address = 0, length = 0) => {
      const socket = socketAt(c, fd);
      return bind(c, socket, addressAt(c, address, length, socket.family));
    },
    listen: (c, fd = 0, backlog = 0) => {
      const socket = socketAt(c, fd);
      if (!socket.isConnectionBased) throw new Errno('EOPNOTSUPP');
      if (socket.connected) throw new Errno('EINVAL');
      if (!socket.local) {
        if (socket.family === 'unix') throw new Errno('EINVAL');
        const any: InetAddress = { family: socket.family, host: hostBytes('any', socket.family), port: 0 };
        socket.local = socket.space.bindPort(socket, any);
      }
      socket.peerCredentials = credentialsOf(c);
      socket.listen(int(backlog));
      return 0;
    },
    connect: (c, fd = 0, address = 0, length = 0) => {
      const socket = socketAt(c, fd);
      if (int(length) >= 2 && length <= MAX_ADDRESS_BYTES) {
        const bytes = c.memory.read(address, length);
        const family = new DataView(bytes.buffer, bytes.byteOffset).getUint16(0, c.memory.byteOrder === 'little');
        if (family === Family.UNSPEC && socket.kind === 'datagram') {
          socket.setDatagramPeer(undefined, undefined); // connect(2): dissolves the association
          return 0;
        }
      }
      return connect(c, socket, addressAt(c, address, length, socket.family));
    },
    accept: (c, fd = 0, to = 0, lengthAt = 0) => accept(c, fd, to, lengthAt, 0),
    accept4: (c, fd = 0, to = 0, lengthAt = 0, flags = 0) => accept(c, fd, to, lengthAt, flags),
    getsockname: (c, fd = 0, to = 0, lengthAt = 0) => {
      const socket = socketAt(c, fd);
      storeAddress(c, socket.local ?? unspecified(socket), to, lengthAt);
      return 0;
    },
    getpeername: (c, fd = 0, to = 0, lengthAt = 0) => {
      const socket = socketAt(c, fd);
      if (!socket.connected) throw new Errno('ENOTCONN');
      storeAddress(c, socket.remote ?? unspecified(socket), to, lengthAt);
      return 0;
    },
    shutdown: (c, fd = 0, how = 0) => {
      const socket = socketAt(c, fd);
      if (how > 2) throw new Errno('EINVAL');
      if (!socket.connected) throw new Errno('ENOTCONN');
      socket.shutdown(how !== 1, how !== 0);
      return 0;
    },
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
    setsockopt,
    getsockopt: (c, fd = 0, level = 0, name = 0, address = 0, lengthAt = 0) => {
      const socket = socketAt(c, fd);
      const room = c.memory.i32(lengthAt);
      if (room < 0) throw new Errno('EINVAL');
      const bytes = optionBytes(c, socket, level, name).subarray(0, room);
      c.memory.write(address, bytes);
      c.memory.setU32(lengthAt, bytes.length);
      return 0;
    },
  } satisfies SyscallTable;

  /** socketcall(2): the calls by number (linux/net.h), their arguments as longs in memory. */
  const byNumber: readonly { readonly name: keyof typeof calls; readonly count: number }[] = [
    { name: 'socket', count: 3 },
    { name: 'bind', count: 3 },
    { name: 'connect', count: 3 },
    { name: 'listen', count: 2 },
    { name: 'accept', count: 3 },
    { name: 'getsockname', count: 3 },
    { name: 'getpeername', count: 3 },
    { name: 'socketpair', count: 4 },
    { name: 'send', count: 4 },
    { name: 'recv', count: 4 },
    { name: 'sendto', count: 6 },
    { name: 'recvfrom', count: 6 },
    { name: 'shutdown', count: 2 },
    { name: 'setsockopt', count: 5 },
    { name: 'getsockopt', count: 5 },
    { name: 'sendmsg', count: 3 },
    { name: 'recvmsg', count: 3 },
    { name: 'accept4', count: 4 },
    { name: 'recvmmsg', count: 5 },
    { name: 'sendmmsg', count: 4 },
  ];
  const socketcall: SyscallHandler = (c, number = 0, address = 0) => {
    const call = byNumber[number - 1];
    if (!call) throw new Errno('EINVAL');
    const words = Array.from({ length: call.count }, (_, i) =>
      word === 8 ? Number(c.memory.u64(address + i * 8)) : c.memory.u32(address + i * 4),
    );
    const handler: SyscallHandler = calls[call.name];
    return handler(c, ...words);
  };
  return { ...calls, socketcall };
}

const timedOut = (): never => {
  throw new Errno('EAGAIN');
};

const isProtocolLevel = (level: number, socket: Socket): boolean =>
  level === IPPROTO.IP ||
  (level === IPPROTO.IPV6 && socket.family === 'inet6') ||
  (level === IPPROTO.TCP && socket.kind === 'stream') ||
  (level === IPPROTO.UDP && socket.kind === 'datagram');

/** A connection's own address on the server's side. */
function serverAddress(listener: Socket, called: SocketAddress): SocketAddress | undefined {
  if (called.family === 'unix' || listener.family === 'unix') return listener.local;
  const source = listener.space.sourceFor(listener, called);
  return { ...source, port: called.port };
}

/** A sender's address in the receiver's family: IPv4 appears to IPv6 sockets as mapped. */
function remoteSeenBy(receiver: Socket, address: SocketAddress | undefined): SocketAddress | undefined {
  if (!address || address.family === 'unix' || receiver.family === 'unix' || address.family === receiver.family) {
    return address;
  }
  const name = receiver.space.nameOf(address);
  return { family: receiver.family, host: hostBytes(name, receiver.family), port: address.port };
}
