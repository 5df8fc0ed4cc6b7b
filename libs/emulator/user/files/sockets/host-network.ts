/**
 * The host's network behind a guest's sockets (`--net host`). A connection that leaves the guest ends in a socket that no
 * process holds, the far end; what lies there goes through Node to the world, and what comes from the world is put there.
 */
import { createSocket } from 'node:dgram';
import type { RemoteInfo, Socket as HostDatagramSocket } from 'node:dgram';
import { connect, createServer } from 'node:net';
import type { Server, Socket as Connection } from 'node:net';
import { Errno } from '../../kernel/contracts.js';
import type { InetAddress, SocketAddress } from './address.js';
import { addressText, inetAddress } from './host-address.js';
import type { Message, Socket } from './socket.js';

/** Bytes taken from a guest's socket at a time. */
const CHUNK = 65536;
/** How long a guest that has ended may take to get what it sent off. */
const DRAIN_MS = 2000;

/** Something that the host does for a guest's socket, which is woken when it is done. */
export interface HostRequest<T> {
  /** Undefined until it is known. */
  outcome: { readonly value: T } | { readonly error: string } | undefined;
}

const NOBODY = { pid: 0, uid: 0, gid: 0 };

type InetFamily = InetAddress['family'];
const familyOf = (socket: Socket): InetFamily => (socket.family === 'inet6' ? 'inet6' : 'inet');

/** Node's error codes are Linux's names. */
function codeOf(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException;
  return code !== undefined && /^E[A-Z0-9]+$/.test(code) ? code : 'EIO';
}

export class HostNetwork {
  readonly #servers = new Map<Socket, Listener>();
  readonly #datagrams = new Map<Socket, HostDatagramSocket>();
  readonly #links = new Set<Link>();

  /** A TCP connection to the world. @param far the end that is to stand for the world; joined when it is there */
  connect(guest: Socket, far: Socket, to: InetAddress, join: () => void): HostRequest<InetAddress> {
    const request: HostRequest<InetAddress> = { outcome: undefined };
    const port = this.#giveUpReservation(guest);
    const connection = connect({
      host: addressText(to),
      port: to.port,
      allowHalfOpen: true,
      ...(port === undefined ? {} : { localPort: port }),
    });
    connection.once('connect', () => {
      const { localAddress = '0.0.0.0', localPort = 0 } = connection;
      request.outcome = { value: inetAddress(localAddress, localPort, familyOf(guest)) };
      if (guest.released) connection.destroy();
      else {
        join();
        this.#link(connection, guest, far);
        guest.changed.wake();
      }
    });
    connection.once('error', (error) => {
      if (request.outcome) return; // the link tells
      request.outcome = { error: codeOf(error) };
      if (!guest.released) guest.refuse(codeOf(error));
    });
    guest.onRelease(() => {
      if (!request.outcome) connection.destroy();
    });
    return request;
  }

  /**
   * Takes an address of the host for a guest's socket: for datagrams, which then arrive, or for connections.
   * @param from makes a datagram's sender; gets what arrives
   */
  bind(guest: Socket, far: Socket, address: InetAddress): HostRequest<InetAddress> {
    const request: HostRequest<InetAddress> = { outcome: undefined };
    const done = (outcome: NonNullable<typeof request.outcome>): void => {
      request.outcome ??= outcome;
      guest.changed.wake();
    };
    const family = familyOf(guest);
    if (guest.kind === 'datagram') {
      const socket = this.#openDatagrams(guest, far);
      socket.once('error', (error) => done({ error: codeOf(error) }));
      socket.bind({ address: addressText(address), port: address.port, exclusive: true }, () => {
        done({ value: { ...address, port: socket.address().port } });
      });
      return request;
    }
    const listener = new Listener();
    const { server } = listener;
    this.#servers.set(guest, listener);
    guest.onRelease(() => this.#giveUpReservation(guest));
    server.on('connection', (connection) => listener.arrived(connection));
    server.on('error', (error) => {
      this.#servers.delete(guest);
      done({ error: codeOf(error) });
    });
    server.listen({ host: addressText(address), port: address.port, ipv6Only: guest.options.v6Only }, () => {
      const bound = server.address();
      const port = typeof bound === 'object' && bound ? bound.port : address.port;
      done({ value: inetAddress(addressText(address), port, family) });
    });
    return request;
  }

  /**
   * listen(2) on an address that {@link bind} took.
   * @param arrive makes the guest's end of a connection that came, with its far end; undefined where there is no room
   */
  listen(
    guest: Socket,
    arrive: (local: InetAddress, remote: InetAddress) => { server: Socket; far: Socket } | undefined,
  ): void {
    const listener = this.#servers.get(guest);
    if (!listener) return;
    const family = familyOf(guest);
    listener.accept = (connection) => {
      const { localAddress = '', localPort = 0, remoteAddress = '', remotePort = 0 } = connection;
      if (remoteAddress === '' || guest.released) return void connection.destroy(); // it is over already
      const local = inetAddress(localAddress, localPort, family);
      const ends = arrive(local, inetAddress(remoteAddress, remotePort, family));
      if (ends) this.#link(connection, ends.server, ends.far);
      else connection.destroy();
    };
  }

  /** Sends a datagram to the world. What cannot be sent is lost, as it may be on the way. */
  send(guest: Socket, far: Socket, bytes: Uint8Array, to: InetAddress): void {
    const socket = this.#datagrams.get(guest) ?? this.#openDatagrams(guest, far);
    socket.send(bytes.slice(), to.port, addressText(to), (error) => {
      if (error && guest.remote) guest.refuse(codeOf(error));
    });
  }

  /** Lets what the guest sent reach the host's kernel, for a limited time. */
  async drain(): Promise<void> {
    if (this.#links.size === 0) return;
    let timer: NodeJS.Timeout | undefined;
    const limit = new Promise<void>((resolve) => (timer = setTimeout(resolve, DRAIN_MS)));
    await Promise.race([limit, Promise.all([...this.#links].map(({ flushed }) => flushed))]);
    clearTimeout(timer);
  }

  close(): void {
    for (const link of this.#links) link.destroy();
    for (const { server } of this.#servers.values()) server.close();
    for (const socket of this.#datagrams.values()) socket.close();
    this.#servers.clear();
    this.#datagrams.clear();
  }

  #link(connection: Connection, guest: Socket, far: Socket): void {
    const link = new Link(connection, guest, far, () => this.#links.delete(link));
    this.#links.add(link);
  }

  /** The address of a socket that turns out not to listen. @returns its port */
  #giveUpReservation(guest: Socket): number | undefined {
    const listener = this.#servers.get(guest);
    if (!listener) return undefined;
    this.#servers.delete(guest);
    const address = listener.server.address();
    listener.server.close();
    return typeof address === 'object' && address ? address.port : undefined;
  }

  #openDatagrams(guest: Socket, far: Socket): HostDatagramSocket {
    const socket = createSocket({ type: guest.family === 'inet6' ? 'udp6' : 'udp4', ipv6Only: guest.options.v6Only });
    this.#datagrams.set(guest, socket);
    socket.on('message', (bytes: Uint8Array, { address, port }: RemoteInfo) => {
      const from = inetAddress(address, port, familyOf(guest));
      if (guest.remote && !isSame(guest.remote, from)) return; // from another than it is connected to
      offer(far, guest, { bytes, from, rights: [], credentials: NOBODY });
    });
    socket.on('error', (error) => guest.refuse(codeOf(error)));
    guest.onRelease(() => {
      if (!this.#datagrams.delete(guest)) return;
      socket.close();
    });
    return socket;
  }
}

/** A host's server that stands for a bound socket; connections are refused until the guest listens. */
class Listener {
  readonly server: Server = createServer({ allowHalfOpen: true, pauseOnConnect: true });
  accept: ((connection: Connection) => void) | undefined;

  arrived(connection: Connection): void {
    if (this.accept) this.accept(connection);
    else connection.resetAndDestroy();
  }
}

/** Bytes of one connection, both ways, each side waiting for the other's room. */
class Link {
  /** Settled when everything that the guest sent is with the host, or never will be. */
  readonly flushed: Promise<void>;
  #arrived: Uint8Array[] = [];
  #ended = false;
  #outputBlocked = false;
  #outputEnded = false;
  #scheduled = false;

  constructor(
    private readonly connection: Connection,
    private readonly guest: Socket,
    private readonly far: Socket,
    onClosed: () => void,
  ) {
    far.retain();
    this.flushed = new Promise((resolve) => {
      connection.once('finish', resolve);
      connection.once('close', resolve);
    });
    connection.on('data', (bytes) => {
      this.#arrived.push(bytes);
      this.#pump();
    });
    connection.once('end', () => {
      this.#ended = true;
      this.#pump();
    });
    connection.on('drain', () => {
      this.#outputBlocked = false;
      this.#pump();
    });
    connection.once('error', (error) => {
      if (!guest.released) guest.refuse(codeOf(error));
    });
    connection.once('close', () => {
      far.drop();
      onClosed();
    });
    this.#watch();
    this.#pump();
    connection.resume();
  }

  destroy(): void {
    this.connection.destroy();
  }

  /** The guest's side changed: looks again, outside the system call that changed it. */
  #watch(): void {
    this.far.changed.add(() => {
      if (this.#scheduled) return;
      this.#scheduled = true;
      setImmediate(() => {
        this.#scheduled = false;
        if (this.far.released) return;
        this.#watch();
        this.#pump();
      });
    });
  }

  #pump(): void {
    if (this.far.released || this.connection.destroyed) return;
    try {
      this.#pumpIn();
      this.#pumpOut();
    } catch (error) {
      if (!(error instanceof Errno)) throw error;
      this.connection.resetAndDestroy(); // the guest closed its end with bytes unread, or does not want more
    }
  }

  /** From the world to the guest. */
  #pumpIn(): void {
    for (let first = this.#arrived[0]; first; first = this.#arrived[0]) {
      const count = this.far.send({ bytes: first, from: undefined, rights: [], credentials: NOBODY }, this.guest);
      if (count === undefined) {
        this.connection.pause();
        return;
      }
      if (count < first.length) this.#arrived[0] = first.subarray(count);
      else this.#arrived.shift();
    }
    if (this.#ended) this.far.shutdown(false, true);
    else this.connection.resume();
  }

  /** From the guest to the world. */
  #pumpOut(): void {
    while (!this.#outputBlocked && !this.#outputEnded) {
      const received = this.far.receive(CHUNK);
      if (!received) return;
      if (received.bytes.length === 0) {
        this.#outputEnded = true;
        this.connection.end();
        return;
      }
      this.#outputBlocked = !this.connection.write(received.bytes);
    }
  }
}

/** Puts a datagram into the guest's queue; where it does not fit, or the guest is closing, it is lost. */
function offer(far: Socket, guest: Socket, message: Message): void {
  try {
    far.send(message, guest);
  } catch (error) {
    if (!(error instanceof Errno)) throw error;
  }
}

function isSame(a: SocketAddress, b: InetAddress): boolean {
  return a.family !== 'unix' && a.port === b.port && addressText(a) === addressText(b);
}
