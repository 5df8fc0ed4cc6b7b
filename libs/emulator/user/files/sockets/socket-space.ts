/**
 * Where sockets find each other: names in the file system and the abstract name space, and the ports of one loopback
 * interface that exists inside the guest only. Nothing reaches the host's network.
 */
import { Errno } from '../../kernel/contracts.js';
import type { Inode } from '../../vfs/inode.js';
import type { MemoryBudget } from '../../vfs/sparse-bytes.js';
import { hostBytes, loopbackName } from './address.js';
import type { InetAddress } from './address.js';
import type { Socket } from './socket.js';

/** net.ipv4.ip_local_port_range. */
const FIRST_EPHEMERAL_PORT = 32768;
const LAST_EPHEMERAL_PORT = 60999;

interface Binding {
  readonly socket: Socket;
  /** As {@link loopbackName}; `any` of an IPv6 socket covers IPv4 too, unless IPV6_V6ONLY. */
  readonly host: string;
  readonly port: number;
}

export class SocketSpace {
  readonly #byInode = new WeakMap<Inode, Socket>();
  readonly #abstract = new Map<string, Socket>();
  readonly #ports = { stream: new Map<number, Binding[]>(), datagram: new Map<number, Binding[]>() };
  #nextAbstract = 0;
  #nextPort = FIRST_EPHEMERAL_PORT;
  /** Descriptors inside messages that nobody has received: unix(7), ETOOMANYREFS. */
  inFlight = 0;

  constructor(readonly memory: MemoryBudget) {}

  // ── AF_UNIX ──
  bindInode(inode: Inode, socket: Socket): void {
    this.#byInode.set(inode, socket);
  }

  atInode(inode: Inode): Socket | undefined {
    const socket = this.#byInode.get(inode);
    return socket?.released ? undefined : socket;
  }

  bindAbstract(name: string, socket: Socket): void {
    if (this.#abstract.has(name)) throw new Errno('EADDRINUSE');
    this.#abstract.set(name, socket);
  }

  abstract(name: string): Socket | undefined {
    return this.#abstract.get(name);
  }

  releaseAbstract(name: string): void {
    this.#abstract.delete(name);
  }

  /** unix(7), autobind: five hexadecimal digits. */
  freeAbstractName(): string {
    for (;;) {
      const name = `\0${(this.#nextAbstract++ & 0xfffff).toString(16).padStart(5, '0')}`;
      if (!this.#abstract.has(name)) return name;
    }
  }

  // ── AF_INET and AF_INET6 ──
  /** @returns the address with its port. @throws Errno EADDRNOTAVAIL, EADDRINUSE */
  bindPort(socket: Socket, address: InetAddress): InetAddress {
    const host = loopbackName(address);
    if (host === undefined) throw new Errno('EADDRNOTAVAIL');
    const ports = this.#portsOf(socket);
    const port = address.port || this.#freePort(socket, host);
    const existing = ports.get(port) ?? [];
    if (existing.some((other) => this.#conflict(other, socket, host))) throw new Errno('EADDRINUSE');
    ports.set(port, [...existing, { socket, host, port }]);
    return { ...address, port };
  }

  releasePort(socket: Socket): void {
    const address = socket.local;
    if (!address || address.family === 'unix') return;
    const ports = this.#portsOf(socket);
    const rest = (ports.get(address.port) ?? []).filter((binding) => binding.socket !== socket);
    if (rest.length > 0) ports.set(address.port, rest);
    else ports.delete(address.port);
  }

  /** The socket that receives what is sent to an address. @throws Errno ENETUNREACH beyond this machine */
  atPort(sender: Socket, address: InetAddress): Socket | undefined {
    const name = loopbackName(address);
    if (name === undefined) throw new Errno('ENETUNREACH');
    // Connecting to the wildcard address is connecting to this machine.
    const host = name === 'any' ? (address.host.length === 4 ? '127.0.0.1' : '::1') : name;
    const bindings = this.#portsOf(sender).get(address.port) ?? [];
    const receiving = bindings.filter(({ socket }) => sender.kind === 'datagram' || socket.listening);
    const exact = receiving.find((binding) => binding.host === host);
    return (exact ?? receiving.find((binding) => binding.host === 'any' && reaches(binding.socket, host)))?.socket;
  }

  /** The loopback address that a socket without one sends from. */
  sourceFor(socket: Socket, target: InetAddress): InetAddress {
    const family = socket.family === 'inet6' ? 'inet6' : 'inet';
    const name = loopbackName(target);
    const host = name === '::1' || (name === 'any' && target.host.length === 16) ? '::1' : '127.0.0.1';
    return { family, host: hostBytes(host, family), port: 0 };
  }

  nameOf(address: InetAddress): string {
    return loopbackName(address) ?? 'any';
  }

  #portsOf(socket: Socket): Map<number, Binding[]> {
    return socket.kind === 'datagram' ? this.#ports.datagram : this.#ports.stream;
  }

  #conflict(other: Binding, socket: Socket, host: string): boolean {
    const overlaps =
      other.host === host ||
      (other.host === 'any' && (host === 'any' ? shareWildcard(other.socket, socket) : reaches(other.socket, host))) ||
      (host === 'any' && other.host !== 'any' && reaches(socket, other.host));
    if (!overlaps) return false;
    if (socket.options.reusePort && other.socket.options.reusePort) return false;
    // socket(7), SO_REUSEADDR: allowed unless someone listens there.
    const reuse = socket.options.reuseAddress && other.socket.options.reuseAddress;
    return !reuse || (socket.kind === 'stream' && other.socket.listening);
  }

  #freePort(socket: Socket, host: string): number {
    const ports = this.#portsOf(socket);
    for (let tries = LAST_EPHEMERAL_PORT - FIRST_EPHEMERAL_PORT; tries >= 0; tries--) {
      const port = this.#nextPort;
      this.#nextPort = port === LAST_EPHEMERAL_PORT ? FIRST_EPHEMERAL_PORT : port + 1;
      if (!ports.get(port)?.some((other) => this.#conflict(other, socket, host))) return port;
    }
    throw new Errno('EADDRINUSE');
  }
}

/** Whether a socket that is bound to its family's wildcard address gets what is sent to a host. */
function reaches(socket: Socket, host: string): boolean {
  if (socket.family === 'inet') return host !== '::1';
  return host === '::1' || !socket.options.v6Only;
}

function shareWildcard(a: Socket, b: Socket): boolean {
  if (a.family === b.family) return true;
  const v6 = a.family === 'inet6' ? a : b;
  return !v6.options.v6Only;
}
