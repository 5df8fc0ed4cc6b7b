import { describe, expect, it } from '@jest/globals';
import { MIPS_O32_FILES } from '../../../targets/mips/linux-abi/files.js';
import { BUFFER, O, TestGuest } from '../guest.test-support.js';

const { SOL_SOCKET, types, options } = MIPS_O32_FILES.socket;
const [UNIX, INET, INET6, NETLINK] = [1, 2, 10, 16];
const { SOCK_STREAM, SOCK_DGRAM, SOCK_RAW } = types;

/** struct sockaddr_in. */
function inet(guest: TestGuest, port: number, host = '127.0.0.1'): Uint8Array {
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, INET, guest.memory.byteOrder === 'little');
  view.setUint16(2, port);
  bytes.set(host.split('.').map(Number), 4);
  return bytes;
}

function unix(guest: TestGuest, name: string): Uint8Array {
  const bytes = new Uint8Array(2 + name.length);
  new DataView(bytes.buffer).setUint16(0, UNIX, guest.memory.byteOrder === 'little');
  bytes.set(Buffer.from(name, 'latin1'), 2);
  return bytes;
}

const bind = (guest: TestGuest, fd: number, address: Uint8Array): number | string =>
  guest.call('bind', fd, address, address.length);
const connect = (guest: TestGuest, fd: number, address: Uint8Array): number | string =>
  guest.call('connect', fd, address, address.length);

function setOption(guest: TestGuest, fd: number, name: keyof typeof options, ...words: number[]): number | string {
  for (const [index, word] of words.entries()) guest.memory.setU32(BUFFER + index * 4, word);
  return guest.call('setsockopt', fd, SOL_SOCKET, options[name], BUFFER, words.length * 4);
}

function option(guest: TestGuest, fd: number, name: keyof typeof options): number {
  guest.memory.setU32(BUFFER + 16, 4);
  guest.ok('getsockopt', fd, SOL_SOCKET, options[name], BUFFER, BUFFER + 16);
  return guest.memory.u32(BUFFER);
}

function localPort(guest: TestGuest, fd: number): number {
  guest.memory.setU32(BUFFER + 32, 16);
  guest.ok('getsockname', fd, BUFFER, BUFFER + 32);
  return new DataView(guest.memory.bytes.buffer).getUint16(BUFFER + 2);
}

describe.each(['little', 'big'] as const)('loopback, %s-endian', (byteOrder) => {
  it('connects processes of one guest, and no two guests', () => {
    const guest = new TestGuest({ byteOrder });
    const listener = guest.ok('socket', INET, SOCK_STREAM, 0);
    expect(bind(guest, listener, inet(guest, 80))).toBe(0);
    guest.ok('listen', listener, 5);
    const child = guest.fork(101);
    const client = child.ok('socket', INET, SOCK_STREAM, 0);
    const accepting = guest.waits('accept', listener, 0, 0);
    expect(connect(child, client, inet(child, 80))).toBe(0);
    expect(accepting.done).toBe(true);
    child.write(client, 'request');
    expect(guest.read(accepting.result as number)).toBe('request');
    const stranger = new TestGuest({ byteOrder });
    const other = stranger.ok('socket', INET, SOCK_STREAM, 0);
    expect(connect(stranger, other, inet(stranger, 80))).toBe('ECONNREFUSED');
  });

  it('gives out the same ports in every run', () => {
    const ports = (): number[] => {
      const guest = new TestGuest({ byteOrder });
      return [1, 2, 3].map(() => {
        const fd = guest.ok('socket', INET, SOCK_DGRAM, 0);
        bind(guest, fd, inet(guest, 0));
        return localPort(guest, fd);
      });
    };
    expect(ports()).toEqual(ports());
    expect(new Set(ports()).size).toBe(3);
  });
});

describe('the network', () => {
  it('ends at the loopback interface', () => {
    const guest = new TestGuest();
    const fd = guest.ok('socket', INET, SOCK_STREAM, 0);
    expect(connect(guest, fd, inet(guest, 80, '10.0.0.1'))).toBe('ENETUNREACH');
    expect(bind(guest, fd, inet(guest, 80, '10.0.0.1'))).toBe('EADDRNOTAVAIL');
    const datagram = guest.ok('socket', INET, SOCK_DGRAM, 0);
    const to = inet(guest, 53, '8.8.8.8');
    expect(guest.call('sendto', datagram, BUFFER, 1, 0, to, to.length)).toBe('ENETUNREACH');
    // The kernel may send to such sockets (mq_notify), nobody hears what they send.
    const netlink = guest.ok('socket', NETLINK, SOCK_RAW, 0);
    expect(guest.call('sendto', netlink, BUFFER, 1, 0, to, to.length)).toBe('EOPNOTSUPP');
    expect(guest.call('socket', NETLINK, SOCK_RAW, 9)).toBe('EPROTONOSUPPORT');
    expect(guest.call('socket', INET, SOCK_RAW, 1)).toBe('EPERM');
  });

  it('refuses a port that is taken, unless both sides allow it', () => {
    const guest = new TestGuest();
    const [a, b, c] = [1, 2, 3].map(() => guest.ok('socket', INET, SOCK_STREAM, 0)) as [number, number, number];
    expect(setOption(guest, a, 'SO_REUSEADDR', 1)).toBe(0);
    expect(bind(guest, a, inet(guest, 80, '0.0.0.0'))).toBe(0);
    expect(bind(guest, b, inet(guest, 80))).toBe('EADDRINUSE');
    setOption(guest, c, 'SO_REUSEADDR', 1);
    expect(bind(guest, c, inet(guest, 80))).toBe(0);
    guest.ok('close', a);
    guest.ok('close', c);
    expect(bind(guest, b, inet(guest, 80))).toBe(0);
    expect(bind(guest, b, inet(guest, 81))).toBe('EINVAL');
    const six = guest.ok('socket', INET6, SOCK_STREAM, 0);
    const any = new Uint8Array(28);
    any[0] = INET6;
    any[3] = 80;
    expect(bind(guest, six, any)).toBe('EADDRINUSE');
  });

  it('a full backlog holds a connection back until one is accepted', () => {
    const guest = new TestGuest();
    const listener = guest.ok('socket', INET, SOCK_STREAM, 0);
    bind(guest, listener, inet(guest, 80));
    guest.ok('listen', listener, 1);
    const clients = [1, 2, 3].map(() => guest.ok('socket', INET, SOCK_STREAM, 0));
    expect(connect(guest, clients[0]!, inet(guest, 80))).toBe(0);
    expect(connect(guest, clients[1]!, inet(guest, 80))).toBe(0);
    const waiting = guest.waits('connect', clients[2]!, inet(guest, 80), 16);
    guest.ok('accept', listener, 0, 0);
    expect(waiting.result).toBe(0);
  });

  it('closing a listener resets those whom nobody accepted', () => {
    const guest = new TestGuest();
    const listener = guest.ok('socket', UNIX, SOCK_STREAM, 0);
    bind(guest, listener, unix(guest, '\0name'));
    guest.ok('listen', listener, 1);
    const client = guest.ok('socket', UNIX, SOCK_STREAM, 0);
    expect(connect(guest, client, unix(guest, '\0name'))).toBe(0);
    const reading = guest.waits('read', client, BUFFER, 10);
    guest.ok('close', listener);
    expect(reading.result).toBe('ECONNRESET');
    expect(connect(guest, guest.ok('socket', UNIX, SOCK_STREAM, 0), unix(guest, '\0name'))).toBe('ECONNREFUSED');
  });
});

describe('options', () => {
  it('have the numbers of MIPS', () => {
    const guest = new TestGuest({ byteOrder: 'big' });
    const fd = guest.ok('socket', UNIX, SOCK_STREAM | O.O_NONBLOCK | O.O_CLOEXEC, 0);
    expect(option(guest, fd, 'SO_TYPE')).toBe(2);
    expect(guest.ok('fcntl', fd, 3, 0) & O.O_NONBLOCK).toBe(O.O_NONBLOCK);
    expect(guest.ok('fcntl', fd, 1, 0)).toBe(1);
    expect(guest.call('getsockopt', fd, 1, 3, BUFFER, BUFFER + 16)).toBe('ENOPROTOOPT');
    expect(guest.call('getsockopt', 1, SOL_SOCKET, options.SO_TYPE, BUFFER, BUFFER + 16)).toBe('ENOTSOCK');
  });

  it('SO_RCVTIMEO ends a read in guest time', () => {
    const guest = new TestGuest();
    guest.ok('socketpair', UNIX, SOCK_STREAM, 0, BUFFER);
    const fd = guest.memory.u32(BUFFER);
    expect(setOption(guest, fd, 'SO_RCVTIMEO_OLD', 0, 2000)).toBe(0);
    const waiting = guest.waits('recvfrom', fd, BUFFER, 10, 0, 0, 0);
    guest.clock.advance(2_000_000);
    expect(waiting.result).toBe('EAGAIN');
    expect(setOption(guest, fd, 'SO_RCVTIMEO_OLD', 0, 2_000_000)).toBe('EDOM');
  });

  it('SO_ERROR tells of a refused datagram once, by the number of MIPS', () => {
    const guest = new TestGuest();
    const fd = guest.ok('socket', INET, SOCK_DGRAM, 0);
    expect(connect(guest, fd, inet(guest, 9))).toBe(0);
    expect(guest.ok('sendto', fd, BUFFER, 1, 0, 0, 0)).toBe(1);
    expect(option(guest, fd, 'SO_ERROR')).toBe(146);
    expect(option(guest, fd, 'SO_ERROR')).toBe(0);
  });
});

describe('streams', () => {
  it('MSG_WAITALL collects, and an interruption gives what came', () => {
    const guest = new TestGuest();
    guest.ok('socketpair', UNIX, SOCK_STREAM, 0, BUFFER);
    const [a, b] = [guest.memory.u32(BUFFER), guest.memory.u32(BUFFER + 4)];
    const waiting = guest.waits('recvfrom', b, BUFFER + 64, 10, 0x100, 0, 0);
    guest.write(a, 'four');
    expect(waiting.done).toBe(false);
    guest.write(a, 'sixsix');
    expect(waiting.result).toBe(10);
    const again = guest.waits('recvfrom', b, BUFFER + 64, 10, 0x100, 0, 0);
    guest.write(a, 'part');
    expect(again.interrupt()).toBe(4);
  });

  it('a sender waits for the receiver', () => {
    const guest = new TestGuest();
    guest.ok('socketpair', UNIX, SOCK_STREAM, 0, BUFFER);
    const [a, b] = [guest.memory.u32(BUFFER), guest.memory.u32(BUFFER + 4)];
    const waiting = guest.waits('write', a, BUFFER, 300_000);
    let total = 0;
    while (!waiting.done) total += guest.read(b).length;
    while (total < 300_000) total += guest.read(b).length;
    expect(waiting.result).toBe(300_000);
    expect(guest.call('recvfrom', b, BUFFER, 1, 0x40, 0, 0)).toBe('EAGAIN');
  });
});
