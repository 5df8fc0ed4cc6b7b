/** Character devices: mem(4), full(4), random(4), tty(4), and the host's streams. */
import type { LinuxFileAbi } from '../../targets/linux-abi/file-abi.js';
import { WINSIZE } from '../../targets/linux-abi/common.js';
import { decodeStruct, encodeStruct, readStruct, writeStruct } from '../abi/struct.js';
import { Errno, Poll } from '../kernel/contracts.js';
import type { SyscallContext, SyscallResult, WaitQueue } from '../kernel/contracts.js';
import { deviceNumber } from '../vfs/inode.js';
import type { Inode } from '../vfs/inode.js';
import type { Mount } from '../vfs/mounts.js';
import type { HostInput, HostOutput, HostTerminal } from './host-stream.js';
import { OpenFile } from './open-file.js';
import type { FileFlags, FoundAt, Ioctl } from './open-file.js';
import type { SeededRandom } from './random.js';

/** Nodes of /dev, by Linux's list of devices (admin-guide/devices.txt). */
export const DEVICES = {
  null: deviceNumber(1, 3),
  zero: deviceNumber(1, 5),
  full: deviceNumber(1, 7),
  random: deviceNumber(1, 8),
  urandom: deviceNumber(1, 9),
  tty: deviceNumber(5, 0),
  console: deviceNumber(5, 1),
} as const;
/** /dev/pts/0, which the standard streams are when the host's are a terminal. */
export const PTS0 = deviceNumber(136, 0);

/** A read from an endless device gives at most this much at once. */
const MAX_ENDLESS_READ = 1024 * 1024;

export class NullFile extends OpenFile {
  override get seekable(): boolean {
    return true;
  }
  override read(): Uint8Array {
    return new Uint8Array(0);
  }
  override write(bytes: Uint8Array): number {
    return bytes.length;
  }
  override seek(): number {
    return 0;
  }
}

/** /dev/zero and /dev/full. */
export class ZeroFile extends NullFile {
  constructor(
    inode: Inode,
    mount: Mount,
    flags: FileFlags,
    foundAt: FoundAt | undefined,
    private readonly full: boolean,
  ) {
    super(inode, mount, flags, foundAt);
  }

  /** Maps as anonymous memory. */
  get anonymous(): boolean {
    return !this.full;
  }

  override read(limit = 0): Uint8Array {
    return new Uint8Array(Math.min(limit, MAX_ENDLESS_READ));
  }

  override write(bytes: Uint8Array): number {
    if (this.full && bytes.length > 0) throw new Errno('ENOSPC');
    return bytes.length;
  }
}

export class RandomFile extends NullFile {
  constructor(
    inode: Inode,
    mount: Mount,
    flags: FileFlags,
    foundAt: FoundAt | undefined,
    private readonly random: SeededRandom,
  ) {
    super(inode, mount, flags, foundAt);
  }

  override read(limit = 0): Uint8Array {
    return this.random.bytes(Math.min(limit, MAX_ENDLESS_READ));
  }
}

/** The terminal's settings, one for all that have it open. */
export class TerminalState {
  readonly host: HostTerminal;
  readonly #abi: LinuxFileAbi;
  /** `struct termios` as the guest sees it. */
  #termios: Uint8Array | undefined;
  #size: { rows: number; columns: number } | undefined;
  foregroundGroup: number | undefined;

  constructor(host: HostTerminal, abi: LinuxFileAbi) {
    this.host = host;
    this.#abi = abi;
  }

  ioctl({ command, argument, context }: Ioctl): SyscallResult | undefined {
    const { ioctl: numbers, structs } = this.#abi;
    const { memory } = context;
    switch (command) {
      case numbers.TCGETS:
        memory.write(argument, this.#settings(context));
        return 0;
      case numbers.TCSETS:
      case numbers.TCSETSW:
      case numbers.TCSETSF:
        this.#termios = memory.read(argument, structs.termios.size).slice();
        this.#tellHost(context);
        return 0;
      case numbers.TCSBRK:
      case numbers.TCXONC:
      case numbers.TCFLSH:
      case numbers.TIOCSCTTY:
        return 0;
      case numbers.TIOCGWINSZ: {
        const { rows, columns } = this.#size ?? this.host.size();
        writeStruct(memory, argument, WINSIZE, { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 });
        return 0;
      }
      case numbers.TIOCSWINSZ: {
        const { ws_row: rows, ws_col: columns } = readStruct(memory, argument, WINSIZE);
        this.#size = { rows, columns };
        return 0;
      }
      case numbers.TIOCGPGRP:
      case numbers.TIOCGSID:
        memory.setU32(argument, this.foregroundGroup ?? context.process.pid);
        return 0;
      case numbers.TIOCSPGRP:
        this.foregroundGroup = memory.u32(argument);
        this.host.setForegroundGroup?.(this.foregroundGroup);
        return 0;
      case numbers.TIOCOUTQ:
        memory.setU32(argument, 0);
        return 0;
      default:
        return undefined;
    }
  }

  #settings(context: SyscallContext): Uint8Array {
    if (!this.#termios) {
      const { c_cc, ...rest } = this.#abi.termios.defaults;
      const layout = this.#abi.structs.termios;
      const characters = new Uint8Array(layout.fields.c_cc.bytes);
      for (const [index, character] of Object.entries(c_cc)) characters[Number(index)] = character;
      this.#termios = encodeStruct(layout, { ...rest, c_line: 0, c_cc: characters }, context.memory.byteOrder);
    }
    return this.#termios;
  }

  #tellHost(context: SyscallContext): void {
    const { bits } = this.#abi.termios;
    const { c_lflag } = decodeStruct(this.#abi.structs.termios, this.#settings(context), context.memory.byteOrder);
    this.host.setMode?.({
      canonical: (c_lflag & bits.ICANON) !== 0,
      echo: (c_lflag & bits.ECHO) !== 0,
      signals: (c_lflag & bits.ISIG) !== 0,
    });
  }
}

/** Standard input, output, error, or the terminal they are. */
export class HostStreamFile extends OpenFile {
  constructor(
    inode: Inode,
    mount: Mount,
    flags: FileFlags,
    foundAt: FoundAt | undefined,
    private readonly streams: {
      readonly input?: HostInput | undefined;
      readonly output?: HostOutput | undefined;
      /** The terminal's settings, in the layout of the ABI that asks. */
      readonly terminal?: ((abi: LinuxFileAbi) => TerminalState | undefined) | undefined;
    },
  ) {
    super(inode, mount, flags, foundAt);
  }

  override queues(): WaitQueue[] {
    return this.streams.input ? [this.changed, this.streams.input.arrival] : [this.changed];
  }

  override read(limit: number): Uint8Array | undefined {
    const { input } = this.streams;
    if (!input || limit === 0) return new Uint8Array(0);
    if (input.length === 0) return input.ended ? new Uint8Array(0) : undefined;
    return input.take(limit);
  }

  override write(bytes: Uint8Array): number {
    this.streams.output?.(bytes.slice());
    return bytes.length;
  }

  override poll(): number {
    const { input } = this.streams;
    let events = 0;
    if (this.flags.read) {
      if (!input) events |= Poll.IN;
      else {
        if (input.length > 0 || (input.ended && this.streams.terminal)) events |= Poll.IN;
        if (input.ended) events |= Poll.HUP;
      }
    }
    if (this.flags.write) events |= Poll.OUT;
    return events;
  }

  override available(): number {
    return this.streams.input?.length ?? 0;
  }

  override ioctl(request: Ioctl): SyscallResult | undefined {
    return this.streams.terminal?.(request.abi)?.ioctl(request);
  }

  override get anonymousName(): string | undefined {
    return this.foundAt ? undefined : `pipe:[${this.inode.attributes().inode}]`;
  }
}
