/** Socket addresses: unix(7), ip(7), ipv6(7). */
import { SOCKADDR_IN, SOCKADDR_IN6 } from '../../../targets/linux-abi/common.js';
import type { ByteOrder } from '../../../core/index.js';
import { decodeStruct, encodeStruct } from '../../abi/struct.js';
import { Errno } from '../../kernel/contracts.js';

/** linux/socket.h, the same on all architectures. */
export const Family = { UNSPEC: 0, UNIX: 1, INET: 2, INET6: 10, NETLINK: 16 } as const;

/** Bytes of `sun_path`. */
const UNIX_PATH_BYTES = 108;

export interface UnixAddress {
  readonly family: 'unix';
  /** A path, `\0name` in the abstract name space, or empty for a socket without a name. */
  readonly path: string;
}

export interface InetAddress {
  readonly family: 'inet' | 'inet6';
  /** 4 or 16 bytes. */
  readonly host: Uint8Array;
  readonly port: number;
}

export type SocketAddress = UnixAddress | InetAddress;

export const familyNumber = (family: SocketAddress['family']): number =>
  family === 'unix' ? Family.UNIX : family === 'inet' ? Family.INET : Family.INET6;

/** @throws Errno EINVAL for a length that is none, EAFNOSUPPORT for another family than the socket's */
export function decodeAddress(bytes: Uint8Array, byteOrder: ByteOrder, family: SocketAddress['family']): SocketAddress {
  if (bytes.length < 2) throw new Errno('EINVAL');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const number = view.getUint16(0, byteOrder === 'little');
  if (number !== familyNumber(family)) throw new Errno(family === 'unix' ? 'EINVAL' : 'EAFNOSUPPORT');
  const padded = new Uint8Array(Math.max(bytes.length, SOCKADDR_IN6.size));
  padded.set(bytes);
  switch (family) {
    case 'unix': {
      if (bytes.length > 2 + UNIX_PATH_BYTES) throw new Errno('EINVAL');
      const name = Buffer.from(bytes.subarray(2)).toString('latin1');
      if (name === '' || name.startsWith('\0')) return { family, path: name };
      const end = name.indexOf('\0');
      return { family, path: end < 0 ? name : name.slice(0, end) };
    }
    case 'inet': {
      if (bytes.length < SOCKADDR_IN.size) throw new Errno('EINVAL');
      const { sin_addr, sin_port } = decodeStruct(SOCKADDR_IN, padded, byteOrder);
      return { family, host: sin_addr, port: portOf(sin_port) };
    }
    case 'inet6': {
      // RFC 2133's structure has no scope id.
      if (bytes.length < SOCKADDR_IN6.size - 4) throw new Errno('EINVAL');
      const { sin6_addr, sin6_port } = decodeStruct(SOCKADDR_IN6, padded, byteOrder);
      return { family, host: sin6_addr, port: portOf(sin6_port) };
    }
  }
}

export function encodeAddress(address: SocketAddress, byteOrder: ByteOrder): Uint8Array {
  switch (address.family) {
    case 'unix': {
      const { path } = address;
      const terminated = path === '' || path.startsWith('\0') ? path : `${path}\0`;
      const bytes = new Uint8Array(2 + terminated.length);
      new DataView(bytes.buffer).setUint16(0, Family.UNIX, byteOrder === 'little');
      bytes.set(Buffer.from(terminated, 'latin1'), 2);
      return bytes;
    }
    case 'inet':
      return encodeStruct(
        SOCKADDR_IN,
        { sin_family: Family.INET, sin_port: portBytes(address.port), sin_addr: address.host },
        byteOrder,
      );
    case 'inet6':
      return encodeStruct(
        SOCKADDR_IN6,
        {
          sin6_family: Family.INET6,
          sin6_port: portBytes(address.port),
          sin6_flowinfo: new Uint8Array(4),
          sin6_addr: address.host,
          sin6_scope_id: 0,
        },
        byteOrder,
      );
  }
}

const portOf = (bytes: Uint8Array): number => (bytes[0]! << 8) | bytes[1]!;
const portBytes = (port: number): Uint8Array => Uint8Array.of(port >> 8, port & 0xff);

/**
 * A host address in one form for both families: `any`, `127.x.y.z` for IPv4 and IPv4-mapped addresses, `::1`.
 * @returns undefined for what is not this machine
 */
export function loopbackName({ host }: InetAddress): string | undefined {
  const isZero = host.every((byte) => byte === 0);
  if (isZero) return 'any';
  const v4 = host.length === 4 ? host : isMapped(host) ? host.subarray(12) : undefined;
  if (v4) return v4.every((byte) => byte === 0) ? 'any' : v4[0] === 127 ? [...v4].join('.') : undefined;
  return host.subarray(0, 15).every((byte) => byte === 0) && host[15] === 1 ? '::1' : undefined;
}

/** `::ffff:a.b.c.d`, RFC 4291, section 2.5.5.2. */
const isMapped = (host: Uint8Array): boolean =>
  host.subarray(0, 10).every((byte) => byte === 0) && host[10] === 0xff && host[11] === 0xff;

/** The bytes of {@link loopbackName}'s form in a family. */
export function hostBytes(name: string, family: 'inet' | 'inet6'): Uint8Array {
  const bytes = new Uint8Array(family === 'inet' ? 4 : 16);
  if (name === 'any') return bytes;
  if (name === '::1') {
    bytes[bytes.length - 1] = 1;
    return bytes;
  }
  const parts = name.split('.').map(Number);
  if (family === 'inet6') bytes.set([0xff, 0xff], 10);
  bytes.set(parts, bytes.length - 4);
  return bytes;
}
