/** Internet addresses between the guest's bytes and the texts that Node's network modules take and give. */
import { isIP } from 'node:net';
import type { InetAddress } from './address.js';

/** `192.0.2.1`, or all eight groups of an IPv6 address. */
export function addressText({ host }: InetAddress): string {
  if (host.length === 4) return host.join('.');
  const view = new DataView(host.buffer, host.byteOffset, host.byteLength);
  return Array.from({ length: 8 }, (_, i) => view.getUint16(2 * i).toString(16)).join(':');
}

/** An address that the host names, in a socket's family: IPv4 appears to IPv6 sockets as mapped (RFC 4291, 2.5.5.2). */
export function inetAddress(text: string, port: number, family: InetAddress['family']): InetAddress {
  const [address = ''] = text.split('%'); // without the zone
  const bytes = isIP(address) === 4 ? v4Bytes(address) : v6Bytes(address);
  if (family === 'inet6' && bytes.length === 4) return { family, port, host: mapped(bytes) };
  if (family === 'inet' && bytes.length === 16) return { family, port, host: bytes.slice(12) };
  return { family, port, host: bytes };
}

const v4Bytes = (text: string): Uint8Array => Uint8Array.from(text.split('.').map(Number));

function mapped(v4: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(16);
  bytes.set([0xff, 0xff], 10);
  bytes.set(v4, 12);
  return bytes;
}

/** RFC 4291, section 2.2: groups, `::` for a run of zeros, and IPv4 at the end. */
function v6Bytes(text: string): Uint8Array {
  const bytesOf = (part: string): number[] =>
    part
      .split(':')
      .filter(Boolean)
      .flatMap((group) => {
        if (group.includes('.')) return [...v4Bytes(group)];
        const value = parseInt(group, 16);
        return [value >> 8, value & 0xff];
      });
  const [head = '', tail] = text.split('::');
  const [first, last] = [bytesOf(head), bytesOf(tail ?? '')];
  return Uint8Array.from([...first, ...new Array<number>(16 - first.length - last.length).fill(0), ...last]);
}
