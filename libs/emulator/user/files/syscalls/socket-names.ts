/** Sockets by descriptor and by address: what the system calls on sockets have in common. */
import { Errno } from '../../kernel/contracts.js';
import type { SyscallContext } from '../../kernel/contracts.js';
import { Access, FileType } from '../../vfs/inode.js';
import { callerOf } from '../file-system.js';
import { filesOf } from '../process-files.js';
import { decodeAddress, encodeAddress, hostBytes } from '../sockets/address.js';
import type { SocketAddress } from '../sockets/address.js';
import { Socket } from '../sockets/socket.js';
import type { PeerCredentials } from '../sockets/socket.js';
import { int } from './arguments.js';

export const MAX_ADDRESS_BYTES = 128;

/** linux/in.h. */
export const IPPROTO = { IP: 0, ICMP: 1, TCP: 6, UDP: 17, IPV6: 41 } as const;

export const socketAt = (c: SyscallContext, fd: number): Socket => {
  const file = filesOf(c).file(fd);
  if (!(file instanceof Socket)) throw new Errno('ENOTSOCK');
  return file;
};

export const credentialsOf = ({ process }: SyscallContext): PeerCredentials => ({
  pid: process.pid,
  uid: process.credentials.euid,
  gid: process.credentials.egid,
});

export const addressAt = (c: SyscallContext, address: number, length: number, family: SocketAddress['family']) => {
  if (int(length) < 0 || length > MAX_ADDRESS_BYTES) throw new Errno('EINVAL');
  return decodeAddress(c.memory.read(address, length), c.memory.byteOrder, family);
};

/** Stores an address and its length as accept(2) and getsockname(2) do: cut to the room, the length as it is. */
export const storeAddress = (
  c: SyscallContext,
  value: SocketAddress | undefined,
  to: number,
  lengthAt: number,
): void => {
  if (to === 0) return;
  const room = c.memory.u32(lengthAt);
  if (int(room) < 0) throw new Errno('EINVAL');
  const bytes = value ? encodeAddress(value, c.memory.byteOrder) : new Uint8Array(0);
  c.memory.write(to, bytes.subarray(0, room));
  c.memory.setU32(lengthAt, bytes.length);
};

export const unspecified = (socket: Socket): SocketAddress =>
  socket.family === 'unix'
    ? { family: 'unix', path: '' }
    : { family: socket.family, host: hostBytes('any', socket.family), port: 0 };

/** The socket behind an address. @throws Errno ECONNREFUSED and those of path resolution */
export const find = (c: SyscallContext, socket: Socket, address: SocketAddress): Socket | undefined => {
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

export const bindIfUnbound = (socket: Socket, target: SocketAddress): void => {
  if (socket.local !== undefined || target.family === 'unix' || socket.family === 'unix') return;
  const source = socket.space.sourceFor(socket, target);
  socket.local = socket.space.bindPort(socket, source);
};

/** A wait on a socket ended by SO_RCVTIMEO or SO_SNDTIMEO. */
export const timedOut = (): never => {
  throw new Errno('EAGAIN');
};

/** A connection's own address on the server's side. */
export function serverAddress(listener: Socket, called: SocketAddress): SocketAddress | undefined {
  if (called.family === 'unix' || listener.family === 'unix') return listener.local;
  const source = listener.space.sourceFor(listener, called);
  return { ...source, port: called.port };
}

/** A sender's address in the receiver's family: IPv4 appears to IPv6 sockets as mapped. */
export function remoteSeenBy(receiver: Socket, address: SocketAddress | undefined): SocketAddress | undefined {
  if (!address || address.family === 'unix' || receiver.family === 'unix' || address.family === receiver.family) {
    return address;
  }
  const name = receiver.space.nameOf(address);
  return { family: receiver.family, host: hostBytes(name, receiver.family), port: address.port };
}
