/** One guest process without a CPU: system calls with JavaScript values, for tests. */
import { MIPS_O32_FILES } from '../../targets/mips/linux-abi/files.js';
import type { IntegerStruct } from '../../targets/linux-abi/file-abi.js';
import { decodeStruct } from '../abi/struct.js';
import type { ByteOrder } from '../../core/index.js';
import { Errno, WaitQueue } from '../kernel/contracts.js';
import type {
  Blocked,
  GuestClock,
  SyscallContext,
  SyscallResult,
  SyscallTable,
  UserMemory,
} from '../kernel/contracts.js';
import type { FileProcess, FileSystem, FileSystemOptions, ProcessFiles } from './index.js';
import { createFileSystem, createProcessFiles, fileSyscalls, forkFiles } from './index.js';

export class TestMemory implements UserMemory {
  readonly pointerBytes = 4;
  readonly bytes = new Uint8Array(4 * 1024 * 1024);
  readonly #view = new DataView(this.bytes.buffer);

  constructor(readonly byteOrder: ByteOrder) {}

  get #little(): boolean {
    return this.byteOrder === 'little';
  }
  #check(address: number, length: number): number {
    // The first page is not mapped, as in real processes.
    if (address < 4096 || address + length > this.bytes.length) throw new Errno('EFAULT');
    return address;
  }
  read(address: number, length: number): Uint8Array {
    return length === 0 ? new Uint8Array(0) : this.bytes.subarray(this.#check(address, length), address + length);
  }
  write(address: number, bytes: Uint8Array): void {
    if (bytes.length > 0) this.bytes.set(bytes, this.#check(address, bytes.length));
  }
  /** Pages of two at a time lie together. */
  fill(address: number, length: number, write: (bytes: Uint8Array) => number): number | undefined {
    const apart = Math.floor(address / 8192) !== Math.floor((address + length - 1) / 8192);
    if (address < 4096 || address + length > this.bytes.length || length === 0 || apart) return undefined;
    return write(this.bytes.subarray(address, address + length));
  }
  u8(address: number): number {
    return this.#view.getUint8(this.#check(address, 1));
  }
  u32(address: number): number {
    return this.#view.getUint32(this.#check(address, 4), this.#little);
  }
  i32(address: number): number {
    return this.u32(address) | 0;
  }
  u64(address: number): bigint {
    return this.#view.getBigUint64(this.#check(address, 8), this.#little);
  }
  setU8(address: number, value: number): void {
    this.#view.setUint8(this.#check(address, 1), value);
  }
  setU32(address: number, value: number): void {
    this.#view.setUint32(this.#check(address, 4), value, this.#little);
  }
  setU64(address: number, value: bigint): void {
    this.#view.setBigUint64(this.#check(address, 8), BigInt.asUintN(64, value), this.#little);
  }
  cString(address: number, limit = 4096): Uint8Array {
    const end = this.bytes.indexOf(0, this.#check(address, 1));
    if (end - address >= limit) throw new Errno('ENAMETOOLONG');
    return this.bytes.slice(address, end);
  }
}

export class TestClock implements GuestClock {
  now = 0;
  readonly #timers = new Set<{ at: number; callback: () => void }>();

  monotonicNs(): number {
    return this.now;
  }
  realtimeNs(): bigint {
    return 1_700_000_000_000_000_000n + BigInt(this.now);
  }
  at(deadlineNs: number, callback: () => void): () => void {
    const timer = { at: deadlineNs, callback };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }
  advance(ns: number): void {
    const end = this.now + ns;
    for (;;) {
      const due = [...this.#timers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
      if (!due) break;
      this.#timers.delete(due);
      this.now = Math.max(this.now, due.at);
      due.callback();
    }
    this.now = end;
  }
}

type Argument = number | string | Uint8Array;

/** A call that waits; `result` says what came of it once the guest's files changed. */
export class Waiting {
  #outcome: { value?: number; error?: string } | undefined;
  #removers: (() => void)[] = [];

  constructor(
    private blocked: Blocked,
    private readonly clock: TestClock,
  ) {
    this.#sleep();
  }

  get done(): boolean {
    return this.#outcome !== undefined;
  }

  get result(): number | string {
    if (!this.#outcome) throw new Error('the call still waits');
    return this.#outcome.error ?? this.#outcome.value!;
  }

  get deadlineNs(): number | undefined {
    return this.blocked.deadlineNs;
  }

  /** A signal handler ran. */
  interrupt(): number | string {
    this.#wake();
    const partial = this.blocked.partial?.();
    this.blocked.cancel?.();
    return partial ?? (this.blocked.interrupted === 'restart' ? 'ERESTART' : 'EINTR');
  }

  #sleep(): void {
    for (const queue of this.blocked.queues) this.#removers.push(queue.add(() => this.#again(this.blocked.retry)));
    const { deadlineNs, timeout } = this.blocked;
    if (deadlineNs !== undefined && timeout) {
      this.#removers.push(this.clock.at(deadlineNs, () => this.#again(timeout)));
    }
  }

  #wake(): void {
    for (const remove of this.#removers) remove();
    this.#removers = [];
  }

  #again(attempt: () => SyscallResult): void {
    this.#wake();
    try {
      const result = attempt();
      if (typeof result === 'number') this.#outcome = { value: result };
      else {
        this.blocked = result;
        this.#sleep();
      }
    } catch (error) {
      if (!(error instanceof Errno)) throw error;
      this.#outcome = { error: error.code };
    }
  }
}

/** Where arguments that are no numbers are put. */
const SCRATCH = 0x10000;

export class TestGuest {
  readonly memory: TestMemory;
  readonly syscalls: SyscallTable = Object.assign({}, ...fileSyscalls(MIPS_O32_FILES).map((table) => table()));
  readonly fileSystem: FileSystem;
  readonly signals: string[] = [];
  readonly pending: { signal: number; code: number; pid: number }[] = [];
  readonly signalArrival: WaitQueue;
  readonly context: SyscallContext;
  secondResult: number | undefined;
  readonly #clock: TestClock;
  #umask = 0o022;

  constructor(
    readonly options: Partial<FileSystemOptions> & { byteOrder?: ByteOrder; clock?: TestClock } = {},
    parent?: { guest: TestGuest; files: ProcessFiles; pid: number },
  ) {
    this.memory = new TestMemory(options.byteOrder ?? 'little');
    this.#clock = parent?.guest.clock ?? options.clock ?? new TestClock();
    this.fileSystem = parent?.guest.fileSystem ?? createFileSystem({ seed: 1, ...options, clock: this.#clock });
    this.signalArrival = new WaitQueue();
    const files = parent?.files ?? createProcessFiles(this.fileSystem);
    const umask = (): number => this.#umask;
    const process: FileProcess = {
      pid: parent?.pid ?? 100,
      parentPid: parent?.guest.context.process.pid ?? 1,
      credentials: { uid: 0, gid: 0, euid: 0, egid: 0 },
      executable: '/bin/test',
      argv: [Buffer.from('test')],
      environment: [Buffer.from('A=1')],
      maps: () => '00400000-00401000 r-xp 00000000 00:00 0 /bin/test\n',
      maxFiles: 1024,
      get umask() {
        return umask();
      },
      setUmask: (mask) => void (this.#umask = mask),
      files,
    };
    this.fileSystem.processes.add(process);
    this.context = {
      memory: this.memory,
      clock: this.#clock,
      process,
      tid: process.pid,
      raiseSignal: (name) => void this.signals.push(name),
      takePendingSignal: (mask) => {
        const index = this.pending.findIndex(({ signal }) => ((mask >> BigInt(signal - 1)) & 1n) === 1n);
        return index < 0 ? undefined : this.pending.splice(index, 1)[0];
      },
      hasPendingSignal: (mask) => this.pending.some(({ signal }) => ((mask >> BigInt(signal - 1)) & 1n) === 1n),
      setSecondResult: (value) => void (this.secondResult = value),
      signalArrival: this.signalArrival,
      withSignalMask: (_mask, call) => call(),
    };
  }

  get clock(): TestClock {
    return this.#clock;
  }

  get files(): ProcessFiles {
    return this.context.process.files as ProcessFiles; // made by createProcessFiles above
  }

  fork(pid: number, share = { descriptors: false, directories: false }): TestGuest {
    return new TestGuest(this.options, { guest: this, files: forkFiles(this.files, share), pid });
  }

  /** The result, the name of the error, or a call that waits. Strings and bytes are put into memory. */
  start(name: string, ...args: Argument[]): number | string | Waiting {
    const handler = this.syscalls[name];
    if (!handler) throw new Error(`no system call ${name}`);
    let next = SCRATCH;
    const words = args.map((argument) => {
      if (typeof argument === 'number') return argument < 0 ? argument >>> 0 : argument;
      const bytes = typeof argument === 'string' ? Buffer.from(`${argument}\0`) : argument;
      const address = next;
      this.memory.write(address, bytes);
      next += Math.ceil(bytes.length / 16) * 16 + 16;
      return address;
    });
    try {
      const result = handler(this.context, ...words);
      return typeof result === 'number' ? result : new Waiting(result, this.#clock);
    } catch (error) {
      if (error instanceof Errno) return error.code;
      throw error;
    }
  }

  call(name: string, ...args: Argument[]): number | string {
    const result = this.start(name, ...args);
    if (result instanceof Waiting) throw new Error(`${name} waits`);
    return result;
  }

  /** A call that succeeds. */
  ok(name: string, ...args: Argument[]): number {
    const result = this.call(name, ...args);
    if (typeof result === 'string') throw new Error(`${name}: ${result}`);
    return result;
  }

  waits(name: string, ...args: Argument[]): Waiting {
    const result = this.start(name, ...args);
    if (!(result instanceof Waiting)) throw new Error(`${name} does not wait: ${result}`);
    return result;
  }

  open(path: string, flags: (keyof typeof O)[] = [], mode = 0o644): number | string {
    return this.call('open', path, openFlags(flags), mode);
  }

  opened(path: string, flags: (keyof typeof O)[] = [], mode = 0o644): number {
    return this.ok('open', path, openFlags(flags), mode);
  }

  /** Reads at most 64 KiB as text. */
  read(fd: number, limit = 65536): string {
    const count = this.ok('read', fd, BUFFER, limit);
    return Buffer.from(this.memory.read(BUFFER, count)).toString('latin1');
  }

  write(fd: number, text: string | Uint8Array): number | string {
    const bytes = Buffer.from(text);
    return this.call('write', fd, new Uint8Array(bytes), bytes.length);
  }

  readFile(path: string): string {
    const fd = this.opened(path);
    const text = this.read(fd);
    this.ok('close', fd);
    return text;
  }

  writeFile(path: string, text: string): void {
    const fd = this.opened(path, ['O_WRONLY', 'O_CREAT', 'O_TRUNC']);
    this.write(fd, text);
    this.ok('close', fd);
  }

  stat(path: string, call: 'stat64' | 'lstat64' = 'stat64'): Record<string, number> {
    this.ok(call, path, BUFFER);
    return this.struct(BUFFER, MIPS_O32_FILES.structs.stat64!);
  }

  readlink(path: string): string {
    const count = this.ok('readlink', path, BUFFER, 4096);
    return Buffer.from(this.memory.read(BUFFER, count)).toString('latin1');
  }

  list(path: string): string[] {
    const fd = this.opened(path, ['O_DIRECTORY']);
    const names: string[] = [];
    for (;;) {
      const size = this.ok('getdents64', fd, BUFFER, 4096);
      if (size === 0) break;
      const view = new DataView(this.memory.bytes.buffer, BUFFER, size);
      for (let at = 0; at < size; at += view.getUint16(at + 16, this.memory.byteOrder === 'little')) {
        names.push(Buffer.from(this.memory.cString(BUFFER + at + 19)).toString('latin1'));
      }
    }
    this.ok('close', fd);
    return names.filter((name) => name !== '.' && name !== '..');
  }

  struct<Name extends string>(address: number, layout: IntegerStruct<Name>): Record<Name, number> {
    const value = decodeStruct(layout, this.memory.read(address, layout.size), this.memory.byteOrder);
    return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, Number(field)])) as Record<
      Name,
      number
    >;
  }

  pipe(flags = 0): [reader: number, writer: number] {
    this.ok('pipe2', BUFFER, flags);
    return [this.memory.u32(BUFFER), this.memory.u32(BUFFER + 4)];
  }
}

export const BUFFER = 0x100000;

export const O = { O_RDONLY: 0, O_WRONLY: 1, O_RDWR: 2, ...MIPS_O32_FILES.openFlags };
export const openFlags = (flags: readonly (keyof typeof O)[]): number =>
  flags.reduce((word, name) => word | O[name], 0);
