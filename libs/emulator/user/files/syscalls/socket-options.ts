/** Options of sockets: setsockopt(2), socket(7), tcp(7), ipv6(7). */
import type { LinuxFileAbi } from '../../../targets/linux-abi/file-abi.js';
import { LINGER, TIMEVAL64, UCRED } from '../../../targets/linux-abi/common.js';
import { encodeStruct, readStruct } from '../../abi/struct.js';
import { Errno } from '../../kernel/contracts.js';
import type { SyscallContext, SyscallHandler } from '../../kernel/contracts.js';
import { familyNumber } from '../sockets/address.js';
import type { Socket } from '../sockets/socket.js';
import { int } from './arguments.js';
import { IPPROTO, socketAt } from './socket-names.js';

const IPV6_V6ONLY = 26;
/** Options of the protocols are numbered below; each is kept, so there must be an end. */
const MAX_OPTION = 255;

export function optionSyscalls(abi: LinuxFileAbi): Record<'setsockopt' | 'getsockopt', SyscallHandler> {
  const { types, options: numbers, SOL_SOCKET } = abi.socket;

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
      if (name > MAX_OPTION) throw new Errno('ENOPROTOOPT');
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
        return integer(error === undefined ? 0 : (abi.errno(error) ?? 0));
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

  return {
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
  };
}

const isProtocolLevel = (level: number, socket: Socket): boolean =>
  level === IPPROTO.IP ||
  (level === IPPROTO.IPV6 && socket.family === 'inet6') ||
  (level === IPPROTO.TCP && socket.kind === 'stream') ||
  (level === IPPROTO.UDP && socket.kind === 'datagram');
