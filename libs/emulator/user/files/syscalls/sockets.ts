/** Sockets and their connections: socket(2), bind(2), listen(2), accept(2), connect(2). */
import type { LinuxFileAbi } from '../../../targets/linux-abi/file-abi.js';
import { Errno } from '../../kernel/contracts.js';
import type { SyscallContext, SyscallHandler, SyscallResult, SyscallTable } from '../../kernel/contracts.js';
import { FileType } from '../../vfs/inode.js';
import { FileEvent } from '../change-notices.js';
import { callerOf, creationFor, mayChange } from '../file-system.js';
import { plainFlags, waitUntil } from '../open-file.js';
import { filesOf } from '../process-files.js';
import { Family, hostBytes } from '../sockets/address.js';
import type { InetAddress, SocketAddress } from '../sockets/address.js';
import type { HostNetwork } from '../sockets/host-network.js';
import { Socket } from '../sockets/socket.js';
import type { SocketKind } from '../sockets/socket.js';
import { deadlineAfter, int } from './arguments.js';
import { addPair, storePair } from './descriptors.js';
import { messageSyscalls } from './socket-messages.js';
import {
  addressAt,
  bindIfUnbound,
  credentialsOf,
  find,
  IPPROTO,
  MAX_ADDRESS_BYTES,
  remoteSeenBy,
  serverAddress,
  socketAt,
  storeAddress,
  timedOut,
  unspecified,
} from './socket-names.js';
import { optionSyscalls } from './socket-options.js';

const TYPE_MASK = 0xf;
/** The one netlink protocol that sockets can be made for; nobody answers requests. */
const NETLINK_ROUTE = 0;
/** Calls that make no sense on sockets that only the kernel sends to. */
const NOT_FOR_NETLINK =
  'bind connect listen accept accept4 getsockname getpeername shutdown send sendto sendmsg sendmmsg'.split(' ');
/** No socket of the guest is there: the host is asked. No result of connect(2). */
const OUTSIDE = 1;

/** Goes on where a call has succeeded, which may be later. */
function afterwards(result: SyscallResult, next: () => SyscallResult): SyscallResult {
  if (typeof result === 'number') return next();
  return { ...result, retry: () => afterwards(result.retry(), next) };
}

export function socketSyscalls(abi: LinuxFileAbi): SyscallTable {
  const { types } = abi.socket;
  const { O_NONBLOCK, O_CLOEXEC } = abi.openFlags;

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
    if (domain === Family.NETLINK) {
      const { SOCK_RAW, SOCK_DGRAM } = types;
      if (![SOCK_RAW, SOCK_DGRAM].includes(typeWord & TYPE_MASK)) throw new Errno('ESOCKTNOSUPPORT');
      if (protocol !== NETLINK_ROUTE) throw new Errno('EPROTONOSUPPORT');
      const netlink = make(c, 'unix', 'datagram', protocol, (typeWord & O_NONBLOCK) !== 0);
      netlink.isNetlink = true;
      return netlink;
    }
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
    const { anonymousMount: mount, sockets: space } = fileSystem;
    const socket = new Socket(inode, mount, flags, family, kind, protocol, space);
    socket.writer = credentialsOf(c);
    if (space.host && family !== 'unix' && kind === 'datagram')
      socket.world = new Socket(inode, mount, plainFlags({}), family, kind, protocol, space);
    return socket;
  };

  /** The end of a connection that stands for the world. */
  const farEnd = (socket: Socket): Socket => {
    const { inode, mount, family, kind, protocol, space } = socket;
    return new Socket(inode, mount, plainFlags({}), family, kind, protocol, space);
  };

  /** Takes the address of the host, which is asked before the guest's own ports, because it knows what is free. */
  const bindOnHost = (host: HostNetwork, socket: Socket, address: InetAddress): SyscallResult => {
    const request = host.bind(socket, socket.world ?? farEnd(socket), address);
    return waitUntil(
      () => [socket.changed],
      () => {
        if (!request.outcome) return undefined;
        if ('error' in request.outcome) throw new Errno(request.outcome.error);
        socket.local = socket.space.bindPort(socket, request.outcome.value);
        return 0;
      },
      { uninterruptible: true },
    );
  };

  /** Connects to what is not in the guest. */
  const connectOnHost = (
    c: SyscallContext,
    host: HostNetwork,
    socket: Socket,
    address: InetAddress,
    deadlineNs: number | undefined,
  ): SyscallResult => {
    let started = false;
    if (!socket.connecting || (socket.connecting.outcome && 'error' in socket.connecting.outcome)) {
      const far = farEnd(socket);
      started = true;
      socket.remote = address;
      socket.takeError();
      socket.connecting = host.connect(socket, far, address, () => Socket.join(socket, far));
    }
    if (socket.flags.nonblocking && !socket.connecting.outcome) throw new Errno(started ? 'EINPROGRESS' : 'EALREADY');
    return waitUntil(
      () => [socket.changed],
      () => {
        const outcome = socket.connecting?.outcome;
        if (!outcome) return undefined;
        if ('value' in outcome) return 0;
        socket.takeError();
        throw new Errno(outcome.error);
      },
      {
        interrupted: 'restart',
        ...(deadlineNs === undefined
          ? {}
          : {
              deadlineNs,
              timeout: () => {
                throw new Errno('EINPROGRESS'); // socket(7), SO_SNDTIMEO
              },
            }),
      },
    );
  };

  const bind = (c: SyscallContext, socket: Socket, address: SocketAddress): SyscallResult => {
    if (socket.local !== undefined) throw new Errno('EINVAL');
    const { space } = socket;
    if (address.family !== 'unix') {
      if (space.host) return bindOnHost(space.host, socket, address);
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
    filesOf(c).fileSystem.notices.entry(directory, name, FileEvent.CREATE);
    space.bindInode(inode, socket);
    socket.local = address;
    return 0;
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
    if (socket.connecting && address.family !== 'unix' && socket.space.host)
      return connectOnHost(c, socket.space.host, socket, address, undefined);
    if (socket.listening) throw new Errno(address.family === 'unix' ? 'EINVAL' : 'EISCONN');
    let listener: Socket | undefined;
    const { sendTimeoutNs } = socket.options;
    const deadlineNs = deadlineAfter(c, sendTimeoutNs);
    const result = waitUntil(
      () => (listener ? [listener.changed, socket.changed] : [socket.changed]),
      () => {
        listener = find(c, socket, address);
        if (!listener && socket.space.host && address.family !== 'unix') return OUTSIDE;
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
    if (result !== OUTSIDE || !socket.space.host || address.family === 'unix') return result;
    return connectOnHost(c, socket.space.host, socket, address, deadlineNs);
  };

  const listen = (c: SyscallContext, socket: Socket, backlog: number): SyscallResult => {
    if (!socket.isConnectionBased) throw new Errno('EOPNOTSUPP');
    if (socket.connected) throw new Errno('EINVAL');
    const { space } = socket;
    const start = (): number => {
      socket.peerCredentials = credentialsOf(c);
      socket.listen(int(backlog));
      space.host?.listen(socket, (local, remote) => {
        if (!socket.hasRoomForArrival) return undefined;
        const server = make(c, socket.family, socket.kind, socket.protocol, false);
        const far = farEnd(server);
        server.local = local;
        server.remote = remote;
        Socket.join(server, far);
        socket.arrive(server);
        return { server, far };
      });
      return 0;
    };
    if (socket.local) return start();
    if (socket.family === 'unix') throw new Errno('EINVAL');
    const any: InetAddress = { family: socket.family, host: hostBytes('any', socket.family), port: 0 };
    return afterwards(bind(c, socket, any), start);
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

  const all = {
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
    listen: (c, fd = 0, backlog = 0) => listen(c, socketAt(c, fd), backlog),
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
      const outcome = socket.connecting?.outcome;
      const found = outcome && 'value' in outcome ? outcome.value : undefined;
      storeAddress(c, found ?? socket.local ?? unspecified(socket), to, lengthAt);
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
    ...messageSyscalls(abi),
    ...optionSyscalls(abi),
  } satisfies SyscallTable;
  const forNetlink = (handler: SyscallHandler): SyscallHandler => {
    return (c, fd = 0, ...rest) => {
      if (socketAt(c, fd).isNetlink) throw new Errno('EOPNOTSUPP');
      return handler(c, fd, ...rest);
    };
  };
  const calls: Record<keyof typeof all, SyscallHandler> = {
    ...all,
    ...Object.fromEntries(
      Object.entries<SyscallHandler>(all)
        .filter(([name]) => NOT_FOR_NETLINK.includes(name))
        .map(([name, handler]) => [name, forNetlink(handler)]),
    ),
  };

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
  const word = abi.dataModel.longBytes;
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
