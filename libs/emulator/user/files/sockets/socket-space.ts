/**
 * Where sockets find each other: names in the file system and the abstract name space, and the ports of one loopback
 * interface that exists inside the guest only. Only with a host network anything leads outside.
 */
import { Errno } from '../../kernel/contracts.js';
import type { Inode } from '../../vfs/inode.js';
import type { MemoryBudget } from '../../vfs/sparse-bytes.js';
import { hostBytes, loopbackName } from './address.js';
import type { InetAddress } from './address.js';
import type { HostNetwork } from './host-network.js';
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

  /** The world, where sockets may reach it. */
  readonly host: HostNetwork | undefined;
  /** There is a loopback interface. */
  readonly #loopback: boolean;

  /** @param network what internet sockets reach: nothing, each other, or the world, too */
  constructor(
    readonly memory: MemoryBudget,
    network: 'none' | 'loopback' | HostNetwork = 'loopback',
  ) {
    this.host = typeof network === 'string' ? undefined : network;
    this.#loopback = network !== 'none';
  }

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
    const host = this.#nameHere(address);
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

  /** An address as the key under which sockets are found; undefined where no interface has it. */
  #nameHere(address: InetAddress): string | undefined {
    const name = loopbackName(address);
    if (!this.#loopback) return name === 'any' ? name : undefined;
    // Whether an address is the host's own, the host finds out.
    return name ?? (this.host ? [...address.host].join('.') : undefined);
  }

  /**
   * The socket of this guest that receives what is sent to an address.
   * @returns undefined where there is none; the world may have one. @throws Errno ENETUNREACH where no interface leads
   */
  atPort(sender: Socket, address: InetAddress): Socket | undefined {
    const name = this.#nameHere(address);
    if (name === undefined || !this.#loopback) throw new Errno('ENETUNREACH');
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
    if (name === undefined) return { family, host: hostBytes('any', family), port: 0 };
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
