/** Sockets between guest processes: streams, datagrams and sequenced packets, for all address families alike. */
import { Errno, Poll, WaitQueue } from '../../kernel/contracts.js';
import type { Inode } from '../../vfs/inode.js';
import type { Mount } from '../../vfs/mounts.js';
import { OpenFile } from '../open-file.js';
import type { FileFlags } from '../open-file.js';
import type { InetAddress, SocketAddress } from './address.js';
import type { HostRequest } from './host-network.js';
import type { SocketSpace } from './socket-space.js';

export type SocketKind = 'stream' | 'datagram' | 'seqpacket';

/** net.core.rmem_default: bytes that wait for a receiver. */
const DEFAULT_BUFFER = 212_992;
/** net.unix.max_dgram_qlen. */
const MAX_UNIX_DATAGRAMS = 10;
/** udp(7): 65,535 bytes with the headers of IP and UDP. */
const MAX_UDP_BYTES = 65_507;
/** Messages without a byte also take room. */
const MESSAGE_OVERHEAD = 256;

export interface PeerCredentials {
  readonly pid: number;
  readonly uid: number;
  readonly gid: number;
}

export interface Message {
  bytes: Uint8Array;
  readonly from: SocketAddress | undefined;
  /** Open files in flight: SCM_RIGHTS. */
  rights: readonly OpenFile[];
  readonly credentials: PeerCredentials;
}

export interface SocketOptions {
  reuseAddress: boolean;
  reusePort: boolean;
  v6Only: boolean;
  passCredentials: boolean;
  broadcast: boolean;
  keepAlive: boolean;
  receiveBuffer: number;
  sendBuffer: number;
  receiveTimeoutNs: number | undefined;
  sendTimeoutNs: number | undefined;
  linger: { l_onoff: number; l_linger: number };
}

export interface Received {
  readonly bytes: Uint8Array;
  readonly from: SocketAddress | undefined;
  readonly rights: readonly OpenFile[];
  readonly credentials: PeerCredentials | undefined;
  /** The message's own length, which may be more than fitted. */
  readonly fullLength: number;
}

export class Socket extends OpenFile {
  local: SocketAddress | undefined;
  remote: SocketAddress | undefined;
  /** Who connected or created the pair: SO_PEERCRED. */
  peerCredentials: PeerCredentials | undefined;
  /** Options of protocols that only keep their value, by `level:name`. */
  readonly integers = new Map<string, number>();
  readonly options: SocketOptions = {
    reuseAddress: false,
    reusePort: false,
    v6Only: false,
    passCredentials: false,
    broadcast: false,
    keepAlive: false,
    receiveBuffer: DEFAULT_BUFFER,
    sendBuffer: DEFAULT_BUFFER,
    receiveTimeoutNs: undefined,
    sendTimeoutNs: undefined,
    linger: { l_onoff: 0, l_linger: 0 },
  };
  #peer: Socket | undefined;
  /** Connected once: what comes after the peer is gone differs from what comes before there was one. */
  #wasConnected = false;
  #queue: Message[] = [];
  #queuedBytes = 0;
  /** What the queue takes of the guest's memory. */
  #charged = 0;
  #backlog: number | undefined;
  #arrivals: Socket[] = [];
  #readShut = false;
  #writeShut = false;
  #error: string | undefined;

  constructor(
    inode: Inode,
    mount: Mount,
    flags: FileFlags,
    readonly family: SocketAddress['family'],
    readonly kind: SocketKind,
    readonly protocol: number,
    readonly space: SocketSpace,
  ) {
    super(inode, mount, flags, undefined, new WaitQueue(family !== 'unix' && space.host !== undefined));
  }

  /** A connection to the world that is being made, or could not be. */
  connecting: HostRequest<InetAddress> | undefined;
  /** AF_NETLINK: only the kernel talks to it, and only to say that a message queue has something (mq_notify(3)). */
  isNetlink = false;
  /** A datagram socket's other end where that is the world. */
  world: Socket | undefined;

  get listening(): boolean {
    return this.#backlog !== undefined;
  }

  get peer(): Socket | undefined {
    return this.#peer;
  }

  get connected(): boolean {
    return this.#wasConnected;
  }

  get isConnectionBased(): boolean {
    return this.kind !== 'datagram';
  }

  override get anonymousName(): string {
    return `socket:[${this.inode.attributes().inode}]`;
  }

  /** SO_ERROR: tells it once. */
  takeError(): string | undefined {
    const error = this.#error;
    this.#error = undefined;
    return error;
  }

  listen(backlog: number): void {
    this.#backlog = Math.max(1, Math.min(backlog, 4096));
  }

  get hasRoomForArrival(): boolean {
    return this.#backlog !== undefined && this.#arrivals.length <= this.#backlog;
  }

  /** A connection that waits for accept(2). */
  arrive(server: Socket): void {
    this.#arrivals.push(server.retain());
    this.changed.wake();
  }

  /** The caller holds the reference that the queue had. */
  takeArrival(): Socket | undefined {
    const server = this.#arrivals.shift();
    if (server) this.changed.wake();
    return server;
  }

  /** Joins two ends of a connection. */
  static join(a: Socket, b: Socket): void {
    a.#peer = b;
    b.#peer = a;
    a.#wasConnected = b.#wasConnected = true;
    a.changed.wake();
    b.changed.wake();
  }

  /** connect(2) of a datagram socket: where sends go by default, and the only one to receive from. */
  setDatagramPeer(peer: Socket | undefined, remote: SocketAddress | undefined): void {
    this.#peer = peer;
    this.remote = remote;
    this.#wasConnected = remote !== undefined;
    this.changed.wake();
  }

  /** A UDP port said that nobody is there. */
  refuse(error: string): void {
    this.#error = error;
    this.changed.wake();
  }

  /**
   * Puts a message, or for streams its beginning, into the receiver's queue.
   * @returns bytes taken; undefined where there is no room yet
   * @throws Errno ENOTCONN, EPIPE, EMSGSIZE, ECONNRESET
   */
  send(message: Message, target: Socket | undefined): number | undefined {
    if (this.#error !== undefined) throw new Errno(this.takeError()!);
    if (this.#writeShut) throw new Errno('EPIPE');
    if (this.isConnectionBased && !target) throw new Errno(this.#wasConnected ? 'EPIPE' : 'ENOTCONN');
    if (!target) throw new Errno('EDESTADDRREQ');
    if (target.released || target.#readShut) {
      if (this.isConnectionBased) throw new Errno('EPIPE');
      throw new Errno(target.#readShut ? 'EPIPE' : 'ECONNREFUSED');
    }
    const { bytes } = message;
    if (this.kind === 'stream') {
      if (bytes.length === 0) return 0;
      const room = target.options.receiveBuffer - target.#queuedBytes;
      if (room <= 0) return undefined;
      const part = bytes.subarray(0, room);
      target.#enqueue({ ...message, bytes: part.slice() });
      return part.length;
    }
    const limit = this.family === 'unix' ? this.options.sendBuffer - 32 : MAX_UDP_BYTES;
    if (bytes.length > limit) throw new Errno('EMSGSIZE');
    if (target.#peer && target.kind === 'datagram' && target.#peer !== this) {
      if (this.family === 'unix') throw new Errno('EPERM');
      return bytes.length; // not from whom it is connected to: dropped
    }
    const fits = target.#queuedBytes + bytes.length <= target.options.receiveBuffer;
    if (this.family === 'unix') {
      if (!fits || (this.kind === 'datagram' && target.#queue.length > MAX_UNIX_DATAGRAMS)) return undefined;
    } else if (!fits) {
      return bytes.length; // udp(7): what finds no room is lost
    }
    target.#enqueue({ ...message, bytes: bytes.slice() });
    return bytes.length;
  }

  /**
   * Takes what arrived. A stream's bytes come from several messages; descriptors in flight end the joining.
   * @returns undefined where nothing is there yet; no bytes at the end of a connection
   */
  receive(limit: number, { peek = false } = {}): Received | undefined {
    const first = this.#queue[0];
    if (!first) {
      if (this.#error !== undefined) throw new Errno(this.takeError()!);
      if (this.#atEnd)
        return { bytes: new Uint8Array(0), from: undefined, rights: [], credentials: undefined, fullLength: 0 };
      if (this.isConnectionBased && !this.#wasConnected)
        throw new Errno(this.family === 'unix' ? 'EINVAL' : 'ENOTCONN');
      return undefined;
    }
    const { from, credentials } = first;
    const rights = peek ? [] : first.rights; // who only looks gets no descriptors
    if (this.kind !== 'stream') {
      const { bytes } = first;
      if (!peek) this.#dequeue();
      return { bytes: bytes.subarray(0, limit), from, rights, credentials, fullLength: bytes.length };
    }
    const parts: Uint8Array[] = [];
    let length = 0;
    for (const [index, message] of this.#queue.entries()) {
      if (length >= limit || (index > 0 && (rights.length > 0 || message.rights.length > 0))) break;
      const part = message.bytes.subarray(0, limit - length);
      parts.push(part);
      length += part.length;
    }
    if (!peek) this.#consume(length);
    return { bytes: Buffer.concat(parts), from, rights, credentials, fullLength: length };
  }

  shutdown(read: boolean, write: boolean): void {
    if (read) this.#readShut = true;
    if (write) this.#writeShut = true;
    this.changed.wake();
    this.#peer?.changed.wake();
  }

  override read(limit: number): Uint8Array | undefined {
    const received = this.receive(limit);
    if (!received) return undefined;
    for (const file of received.rights) file.drop(); // unix(7): read(2) has no place for them
    return received.bytes;
  }

  override write(bytes: Uint8Array): number | undefined {
    if (this.kind === 'datagram' && this.remote === undefined)
      throw new Errno(this.family === 'unix' ? 'ENOTCONN' : 'EDESTADDRREQ');
    const credentials = this.writer ?? { pid: 0, uid: 0, gid: 0 };
    if (this.kind === 'datagram' && !this.#currentPeer && this.sendToWorld(bytes, this.remote)) return bytes.length;
    if (this.kind === 'datagram' && !this.#currentPeer) throw new Errno('ECONNREFUSED');
    return this.send({ bytes, from: this.local, rights: [], credentials }, this.#currentPeer);
  }

  /** Sends a datagram beyond the guest. @returns whether there is a way. @throws Errno */
  sendToWorld(bytes: Uint8Array, to: SocketAddress | undefined): boolean {
    const { host } = this.space;
    if (!host || !this.world || !to || to.family === 'unix') return false;
    if (this.#error !== undefined) throw new Errno(this.takeError()!);
    if (bytes.length > MAX_UDP_BYTES) throw new Errno('EMSGSIZE');
    host.send(this, this.world, bytes, to);
    return true;
  }

  /** Who created the socket; stands for the sender in plain writes. */
  writer: PeerCredentials | undefined;

  get #currentPeer(): Socket | undefined {
    return this.#peer && !this.#peer.released ? this.#peer : undefined;
  }

  override poll(): number {
    if (this.listening) return this.#arrivals.length > 0 ? Poll.IN : 0;
    let events = this.#error === undefined ? 0 : Poll.ERR | Poll.IN;
    if (this.#queue.length > 0 || this.#atEnd) events |= Poll.IN;
    if (this.connecting && !this.connecting.outcome) return events;
    if (!this.isConnectionBased) return events | (this.#hasRoom ? Poll.OUT : 0);
    if (!this.#wasConnected) return events | Poll.HUP | (this.kind === 'stream' ? Poll.OUT : 0);
    const peer = this.#currentPeer;
    if (!peer || peer.#writeShut || this.#readShut) events |= Poll.RDHUP | Poll.IN;
    if (!peer || ((peer.#writeShut || this.#readShut) && this.#writeShut)) events |= Poll.HUP;
    return events | (this.#hasRoom ? Poll.OUT : 0);
  }

  override available(): number {
    if (this.listening) throw new Errno('EINVAL');
    return this.kind === 'stream'
      ? this.#queue.reduce((sum, { bytes }) => sum + bytes.length, 0)
      : (this.#queue[0]?.bytes.length ?? 0);
  }

  protected override release(): void {
    const { local } = this;
    if (local?.family === 'unix' && local.path.startsWith('\0') && this.space.abstract(local.path) === this) {
      this.space.releaseAbstract(local.path);
    } else {
      this.space.releasePort(this);
    }
    for (const server of this.#arrivals) {
      const client = server.#peer;
      if (client) client.#error = 'ECONNRESET';
      server.drop();
    }
    this.#arrivals = [];
    const peer = this.#peer;
    if (peer && this.isConnectionBased) {
      // What was never read tells the other side that it was lost.
      if (this.#queue.length > 0 && this.kind === 'stream') peer.#error ??= 'ECONNRESET';
      peer.changed.wake();
    }
    for (const { rights } of this.#queue) {
      for (const file of rights) file.drop();
      this.space.inFlight -= rights.length;
    }
    this.#queue = [];
    this.#giveBack(this.#charged);
  }

  get #atEnd(): boolean {
    if (this.#readShut) return true;
    if (!this.isConnectionBased) return false;
    return this.#wasConnected && (!this.#currentPeer || this.#currentPeer.#writeShut);
  }

  get #hasRoom(): boolean {
    const peer = this.#currentPeer;
    if (!peer) return true; // an error or a default that is immediate
    if (this.kind === 'datagram' && this.family === 'unix') return peer.#queue.length <= MAX_UNIX_DATAGRAMS;
    return peer.#queuedBytes < peer.options.receiveBuffer;
  }

  /** @throws Errno ENOBUFS */
  /** A message of the kernel. Without room for it, it is lost. */
  take(bytes: Uint8Array): void {
    if (!this.#hasRoom) return;
    this.#enqueue({ bytes, from: undefined, rights: [], credentials: { pid: 0, uid: 0, gid: 0 } });
  }

  #enqueue(message: Message): void {
    const cost = message.bytes.length + MESSAGE_OVERHEAD;
    if (!this.space.memory.tryTake(cost)) throw new Errno('ENOBUFS');
    this.#charged += cost;
    for (const file of message.rights) file.retain();
    this.space.inFlight += message.rights.length;
    this.#queue.push(message);
    this.#queuedBytes += sizeOf(message, this.kind);
    this.changed.wake();
  }

  #dequeue(): void {
    const message = this.#queue.shift()!;
    this.#queuedBytes -= sizeOf(message, this.kind);
    this.#giveBack(message.bytes.length + MESSAGE_OVERHEAD);
    this.space.inFlight -= message.rights.length;
    this.#madeRoom();
  }

  /** Takes bytes of a stream off the queue. */
  #consume(count: number): void {
    let whole = 0;
    this.#queuedBytes -= count;
    this.#giveBack(count);
    while (count > 0) {
      const message = this.#queue[whole]!;
      if (whole === 0) {
        this.space.inFlight -= message.rights.length;
      }
      if (message.bytes.length > count) {
        message.bytes = message.bytes.subarray(count);
        message.rights = []; // they went with the first byte
        break;
      }
      count -= message.bytes.length;
      whole++;
    }
    this.#queue.splice(0, whole);
    this.#giveBack(whole * MESSAGE_OVERHEAD);
    this.#madeRoom();
  }

  #giveBack(bytes: number): void {
    this.space.memory.give(bytes);
    this.#charged -= bytes;
  }

  #madeRoom(): void {
    this.changed.wake(); // senders of datagrams wait here
    this.#peer?.changed.wake();
  }
}

const sizeOf = ({ bytes }: Message, kind: SocketKind): number =>
  kind === 'stream' ? bytes.length : bytes.length + MESSAGE_OVERHEAD;
