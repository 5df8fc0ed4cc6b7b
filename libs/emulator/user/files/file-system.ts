/** The guest's file system as a whole: its mounts, what it shares between processes, and opening of files in it. */
import * as fs from 'node:fs';
import { ConfigError, getOrInsertComputed } from '../../core/index.js';
import { Errno } from '../kernel/contracts.js';
import type { GuestClock, SyscallContext, SyscallResult } from '../kernel/contracts.js';
import type { LinuxFileAbi } from '../../targets/linux-abi/file-abi.js';
import { directoryOf, GeneratedTree } from '../vfs/generated-tree.js';
import { hostErrorCode, HostTree } from '../vfs/host-tree.js';
import { Access, AnonymousDevices, FileType, identityOf } from '../vfs/inode.js';
import type { ContentAccess, Creation, FileContent, Inode, Tree } from '../vfs/inode.js';
import { MemoryDirectory, MemoryFile, MemoryNode, MemoryTree } from '../vfs/memory-tree.js';
import { MountTable } from '../vfs/mounts.js';
import type { Mount, PathCaller, Place, Resolution } from '../vfs/mounts.js';
import { MemoryBudget } from '../vfs/sparse-bytes.js';
import type {
  BindMount,
  FilePages,
  FileProcess,
  FileSystemOptions,
  ProcessDirectory,
  ProcessStatus,
  SystemIdentity,
} from './api.js';
import { ChangeNotices, FileEvent } from './change-notices.js';
import { DEVICES, HostStreamFile, NullFile, PTS0, RandomFile, TerminalState, ZeroFile } from './devices.js';
import { LockTable } from './locks.js';
import { DirectoryFile, PathFile, plainFlags, RegularFile, waitUntil } from './open-file.js';
import type { FileFlags, FoundAt, OpenFile } from './open-file.js';
import { Pipe, PipeEnd } from './pipe.js';
import { HostInput } from './host-stream.js';
import type { HostOutput } from './host-stream.js';
import { createProcTree } from './proc.js';
import type { VisibleFiles, VisibleProcess } from './proc.js';
import { SeededRandom } from './random.js';
import { populate } from './tree-content.js';
import { WatchedContent } from './watched-content.js';
import { SocketSpace } from './sockets/socket-space.js';

const SYSFS_MAGIC = 0x62656572;
const DEFAULT_MEMORY_LIMIT = 2 ** 30;
const ROOT_CALLER: PathCaller = { pid: 1, credentials: { uid: 0, gid: 0, euid: 0, egid: 0 } };

const DEFAULT_SYSTEM: SystemIdentity = {
  hostname: 'bootlab',
  release: '6.1.0',
  version: '#1',
  cpuinfo: '',
  memoryBytes: 512 * 1024 * 1024,
};

/** A flat list of what `open` was asked for. */
export interface OpenRequest {
  readonly flags: FileFlags;
  readonly create: boolean;
  readonly exclusive: boolean;
  readonly truncate: boolean;
  /** O_TMPFILE. */
  readonly temporary: boolean;
  /** Permissions of a new file, the umask applied. */
  readonly mode: number;
}

export class FileSystem {
  readonly mounts: MountTable;
  readonly clock: GuestClock;
  readonly random: SeededRandom;
  readonly locks = new LockTable();
  readonly notices = new ChangeNotices();
  readonly sockets: SocketSpace;
  /** For trees in memory, and for what waits in pipes and sockets. */
  readonly #budget: MemoryBudget;
  readonly #devices = new AnonymousDevices();
  readonly processes: ProcessDirectory;
  /** Set by the kernel half, which keeps them. */
  filePages: FilePages | undefined;
  /** Where pipes, sockets and other files without a name live. */
  readonly anonymousMount: Mount;
  readonly #anonymous: MemoryTree;
  readonly #processes = new Map<number, VisibleProcess>();
  readonly #streams: {
    readonly stdin: HostInput | undefined;
    readonly stdout: HostOutput | undefined;
    readonly stderr: HostOutput | undefined;
  };
  readonly #terminalHost: FileSystemOptions['terminal'];
  #terminal: TerminalState | undefined;
  readonly #pipes = new WeakMap<Inode, Pipe>();
  /** FIFOs of the host, whose inodes are made at each lookup. */
  readonly #hostPipes = new Map<string, Pipe>();
  /** How to open files without a name again, through /proc/self/fd. */
  readonly #reopen = new WeakMap<Inode, (flags: FileFlags, foundAt: FoundAt | undefined) => OpenFile>();
  /** /dev: the only tree whose device nodes open devices. */
  readonly #deviceTree: MemoryTree;

  /** @throws Error naming the option and the mend */
  constructor(options: FileSystemOptions) {
    const { clock, seed, memoryLimitBytes = DEFAULT_MEMORY_LIMIT } = options;
    this.clock = clock;
    this.random = new SeededRandom(seed);
    const { stdin, stdout, stderr } = options;
    this.#streams = { stdin: stdin instanceof Uint8Array ? HostInput.of(stdin) : stdin, stdout, stderr };
    this.#terminalHost = options.terminal;
    const budget = new MemoryBudget(memoryLimitBytes);
    this.#budget = budget;
    this.sockets = new SocketSpace(budget, options.network);
    this.#anonymous = new MemoryTree({ device: this.#devices.allocate(), clock, budget });
    this.#deviceTree = new MemoryTree({ device: this.#devices.allocate(), type: 'devtmpfs', clock, budget });

    this.mounts = new MountTable(rootMount(options, budget, this.#devices));
    this.anonymousMount = { tree: this.#anonymous, readOnly: false, source: 'none', on: undefined };
    this.processes = {
      add: (process, status) => this.#addProcess(process, status),
      remove: (pid) => void this.#processes.delete(pid),
    };
    if (options.root === undefined && options.content) populate(this.mounts.root.inode, options.content, 'root');
    if (options.kernelTrees ?? true) this.#mountKernelTrees(options, budget);
    for (const bind of options.binds ?? []) this.#bind(bind);
  }

  /** Lets what was sent to the world get there. */
  async drain(): Promise<void> {
    await this.sockets.host?.drain();
  }

  close(): void {
    this.sockets.host?.close();
    for (const { tree } of this.mounts.mounts) tree.close();
  }

  /** A directory by absolute path, for the first process. */
  directoryAt(path: string): Place | undefined {
    try {
      const name = Buffer.from(path).toString('latin1');
      const { place } = this.mounts.resolve(this.mounts.root, name, ROOT_CALLER, { follow: true });
      return place?.inode.isDirectory ? place : undefined;
    } catch (error) {
      if (error instanceof Errno) return undefined;
      throw error;
    }
  }

  /** A file without a name. */
  anonymousInode(type: number, mode = 0o600): MemoryNode {
    const node = new MemoryNode(this.#anonymous, type, { mode, uid: 0, gid: 0 });
    this.#anonymous.freeInode(); // it goes with its descriptors, whose number is limited
    return node;
  }

  /** A regular file without a name, memfd_create(2). */
  anonymousFile(creation: Creation): MemoryFile {
    const file = new MemoryFile(this.#anonymous, creation);
    file.dropLink();
    return file;
  }

  /** The terminal, once the first system call says which ABI its settings have. */
  terminal(abi: LinuxFileAbi): TerminalState | undefined {
    if (this.#terminalHost) this.#terminal ??= new TerminalState(this.#terminalHost, abi);
    return this.#terminal;
  }

  /** Descriptors 0, 1 and 2 of the first process. */
  standardStreams(): OpenFile[] {
    const { stdin, stdout, stderr } = this.#streams;
    const streams = [
      { number: 0 as const, read: true, input: stdin, output: undefined },
      { number: 1 as const, read: false, input: undefined, output: stdout },
      { number: 2 as const, read: false, input: undefined, output: stderr },
    ];
    const shared = this.#terminalHost ? this.#openTerminal(plainFlags({ read: true, write: true })) : undefined;
    return streams.map(({ number, read, input, output }) => {
      if (shared && this.#terminalHost?.descriptors.includes(number)) return shared;
      const inode = this.anonymousInode(FileType.FIFO);
      const open = (flags: FileFlags, foundAt?: FoundAt): OpenFile =>
        new HostStreamFile(inode, this.anonymousMount, flags, foundAt, { input, output });
      this.#reopen.set(inode, open);
      return open(plainFlags({ read, write: !read }));
    });
  }

  createPipe(nonblocking: boolean, direct: boolean): { reader: PipeEnd; writer: PipeEnd } {
    const inode = this.anonymousInode(FileType.FIFO);
    const pipe = new Pipe(this.#budget);
    this.#pipes.set(inode, pipe);
    const reader = new PipeEnd(pipe, inode, this.anonymousMount, plainFlags({ read: true, nonblocking, direct }));
    const writer = new PipeEnd(pipe, inode, this.anonymousMount, plainFlags({ write: true, nonblocking, direct }));
    return { reader, writer };
  }

  /**
   * Opens what a path led to, or creates it. Waits where a FIFO's other side is not open yet.
   * @param takeFile gets the file
   */
  open(
    resolution: Resolution,
    request: OpenRequest,
    caller: PathCaller,
    takeFile: (file: OpenFile) => number,
  ): SyscallResult {
    const { flags } = request;
    const opened = (file: OpenFile): number => {
      const descriptor = takeFile(file);
      if (!flags.pathOnly) this.notices.opened(file, file instanceof RegularFile ? file.content.file : undefined);
      return descriptor;
    };
    if (request.temporary) return opened(this.#openTemporary(resolution, request, caller));
    if (!resolution.place) {
      if (!request.create) throw new Errno('ENOENT');
      if (resolution.slash || resolution.name === undefined) throw new Errno('EISDIR');
      return opened(this.#create(resolution.directory, resolution.name, request, caller));
    }
    const { place, name } = resolution;
    const { inode, mount } = place;
    if (request.create && request.exclusive) throw new Errno('EEXIST');
    const named = name === undefined ? undefined : { directory: resolution.directory, name };
    const foundAt = inode.isDirectory ? { directory: place, name: undefined } : (place.foundAt ?? named);
    if (flags.directory && !inode.isDirectory) throw new Errno('ENOTDIR');
    if (flags.pathOnly) return opened(new PathFile(inode, mount, flags, foundAt));
    if (inode.type === FileType.SYMLINK) throw new Errno('ELOOP');
    if (inode.isDirectory && (flags.write || request.create)) throw new Errno('EISDIR');
    const wanted = (flags.read ? Access.READ : 0) | (flags.write || request.truncate ? Access.WRITE : 0);
    if (!inode.permits(caller.credentials, wanted)) throw new Errno('EACCES');

    switch (inode.type) {
      case FileType.DIRECTORY:
        return opened(new DirectoryFile(place, flags, () => this.mounts.entries(place)));
      case FileType.REGULAR: {
        if (mount.readOnly && (flags.write || request.truncate)) throw new Errno('EROFS');
        const content = this.openContent(inode, { read: flags.read, write: flags.write || request.truncate });
        if (request.truncate) content.truncate(0);
        const file = this.#regularFile(inode, mount, flags, foundAt, content);
        const descriptor = opened(file);
        if (request.truncate) this.notices.file(file, foundAt, FileEvent.MODIFY);
        return descriptor;
      }
      case FileType.FIFO:
        return this.#openFifo(place, flags, foundAt, opened);
      case FileType.CHARACTER:
      case FileType.BLOCK:
        return opened(this.#openDevice(place, flags, foundAt));
      default:
        throw new Errno('ENXIO'); // sockets are connected to, not opened
    }
  }

  /** A regular file's bytes for system calls. */
  openContent(inode: Inode, access: ContentAccess): WatchedContent {
    return this.watch(inode.open(access));
  }

  watch(content: FileContent): WatchedContent {
    return new WatchedContent(content, () => this.filePages);
  }

  /** Absolute path of an open file as /proc/self/fd shows it. */
  pathOf(file: OpenFile): string {
    if (!file.foundAt) return file.anonymousName ?? '/memfd: (deleted)';
    const { directory, name } = file.foundAt;
    const path = this.mounts.pathOf(directory);
    if (path === undefined) return '(deleted)';
    if (name === undefined) return path;
    const full = `${path === '/' ? '' : path}/${name}`;
    const there = this.mounts.child(directory, name, ROOT_CALLER);
    const same = there && identityOf(there.inode.attributes()) === identityOf(file.attributes());
    return same ? full : `${full} (deleted)`;
  }

  pipeOf(inode: Inode): Pipe {
    const make = (): Pipe => new Pipe(this.#budget);
    if (inode instanceof MemoryNode) return getOrInsertComputed(this.#pipes, inode, make);
    return getOrInsertComputed(this.#hostPipes, identityOf(inode.attributes()), make);
  }

  #create(directory: Place, name: string, request: OpenRequest, caller: PathCaller): OpenFile {
    mayChange(directory, caller);
    const { flags } = request;
    if (flags.directory) throw new Errno('EINVAL');
    const { inode, content } = directory.inode.createFile(name, creationFor(directory, request.mode, caller), {
      read: flags.read,
      write: flags.write,
    });
    this.notices.entry(directory, name, FileEvent.CREATE);
    return this.#regularFile(inode, directory.mount, flags, { directory, name }, this.watch(content));
  }

  #regularFile(
    inode: Inode,
    mount: Mount,
    flags: FileFlags,
    foundAt: FoundAt | undefined,
    content: WatchedContent,
  ): RegularFile {
    return new RegularFile(inode, mount, flags, foundAt, content, (file, what) =>
      this.notices.file(file, file.foundAt, what === 'read' ? FileEvent.ACCESS : FileEvent.MODIFY),
    );
  }

  #openTemporary({ place }: Resolution, { flags, mode }: OpenRequest, caller: PathCaller): OpenFile {
    if (!place) throw new Errno('ENOENT');
    if (!place.inode.isDirectory) throw new Errno('ENOTDIR');
    if (!flags.write) throw new Errno('EINVAL');
    if (!(place.inode instanceof MemoryDirectory)) throw new Errno('EOPNOTSUPP');
    mayChange(place, caller);
    const file = new MemoryFile(place.inode.tree, creationFor(place, mode, caller));
    file.dropLink();
    const content = this.watch(file.open());
    return this.#regularFile(file, place.mount, flags, undefined, content);
  }

  /** fifo(7): opening one side waits for the other. */
  #openFifo(
    { inode, mount }: Place,
    flags: FileFlags,
    foundAt: FoundAt | undefined,
    opened: (file: OpenFile) => number,
  ): SyscallResult {
    const reopen = this.#reopen.get(inode);
    if (reopen) return opened(reopen(flags, foundAt));
    const pipe = this.pipeOf(inode);
    // A pipe that is opened again by way of /proc had both sides already.
    const named = inode.tree !== this.#anonymous;
    if (named && flags.write && !flags.read && flags.nonblocking && pipe.readers === 0) throw new Errno('ENXIO');
    const [readerOpens, writerOpens] = [pipe.readerOpens, pipe.writerOpens];
    const end = new PipeEnd(pipe, inode, mount, flags, foundAt).retain();
    const otherSide = (): boolean => {
      if (!named || flags.nonblocking || (flags.read && flags.write)) return true;
      return flags.read
        ? pipe.writers > 0 || pipe.writerOpens > writerOpens
        : pipe.readers > 0 || pipe.readerOpens > readerOpens;
    };
    const finish = (): number => {
      try {
        return opened(end);
      } finally {
        end.drop();
      }
    };
    return waitUntil(
      () => [pipe.changed],
      () => (otherSide() ? finish() : undefined),
      // An interrupted open gives its side back; a restart comes as a new call.
      { interrupted: 'restart', cancel: () => end.drop() },
    );
  }

  #openDevice({ inode, mount }: Place, flags: FileFlags, foundAt: FoundAt | undefined): OpenFile {
    const reopen = this.#reopen.get(inode);
    if (reopen) return reopen(flags, foundAt);
    // As a file system that is mounted nodev.
    if (inode.tree !== this.#deviceTree) throw new Errno('EACCES');
    switch (inode.attributes().specialDevice) {
      case DEVICES.null:
        return new NullFile(inode, mount, flags, foundAt);
      case DEVICES.zero:
        return new ZeroFile(inode, mount, flags, foundAt, false);
      case DEVICES.full:
        return new ZeroFile(inode, mount, flags, foundAt, true);
      case DEVICES.random:
      case DEVICES.urandom:
        return new RandomFile(inode, mount, flags, foundAt, this.random);
      case DEVICES.tty:
      case DEVICES.console:
      case PTS0:
        if (!this.#terminalHost) throw new Errno('ENXIO');
        return this.#openTerminal(flags);
      default:
        throw new Errno('ENXIO');
    }
  }

  #openTerminal(flags: FileFlags): OpenFile {
    const { stdin, stdout } = this.#streams;
    const { place, directory } = this.mounts.resolve(this.mounts.root, '/dev/pts/0', ROOT_CALLER, { follow: false });
    if (!place) throw new Errno('ENXIO');
    return new HostStreamFile(
      place.inode,
      place.mount,
      flags,
      { directory, name: '0' },
      {
        input: stdin,
        output: stdout,
        terminal: (abi) => this.terminal(abi),
      },
    );
  }

  #addProcess(process: FileProcess, status: () => ProcessStatus = () => ({})): void {
    this.#processes.set(process.pid, {
      process,
      status,
      get files() {
        return isVisible(process.files) ? process.files : undefined;
      },
    });
  }

  #mountKernelTrees({ system = DEFAULT_SYSTEM }: FileSystemOptions, budget: MemoryBudget): void {
    const { mounts, clock } = this;
    const add = (path: string, tree: Tree, source: string, readOnly = false): void => {
      const { directory, name } = mounts.resolve(mounts.root, path, ROOT_CALLER, { follow: false });
      if (name === undefined) throw new Error(`cannot mount ${source} on ${path}: no name`);
      mounts.mount(directory, name, { tree, readOnly, source });
    };
    const dev = this.#deviceTree.root;
    for (const [name, device] of Object.entries(DEVICES)) {
      const creation = { mode: name === 'console' ? 0o600 : 0o666, uid: 0, gid: 0 };
      dev.add(name, new MemoryNode(this.#deviceTree, FileType.CHARACTER, creation, device));
    }
    const owner = { mode: 0o755, uid: 0, gid: 0 };
    dev.createLink('fd', '/proc/self/fd', owner);
    for (const [number, name] of ['stdin', 'stdout', 'stderr'].entries()) {
      dev.createLink(name, `/proc/self/fd/${number}`, owner);
    }
    for (const name of ['pts', 'shm']) dev.createDirectory(name, owner);
    if (this.#terminalHost) {
      const pts = dev.lookup('pts') as MemoryDirectory; // made just now
      pts.add('0', new MemoryNode(this.#deviceTree, FileType.CHARACTER, { mode: 0o620, uid: 0, gid: 0 }, PTS0));
    }
    add('/dev', this.#deviceTree, 'udev');
    add('/dev/shm', new MemoryTree({ device: this.#devices.allocate(), clock, budget, mode: 0o1777 }), 'tmpfs');
    const proc = createProcTree({
      device: this.#devices.allocate(),
      system,
      processes: this.#processes,
      mounts: () => mounts,
      locks: this.locks,
      random: this.random,
      monotonicNs: () => clock.monotonicNs(),
      realtimeNs: () => clock.realtimeNs(),
    });
    add('/proc', proc, 'proc');
    const sys = directoryOf({
      devices: directoryOf({
        system: directoryOf({
          cpu: directoryOf({
            online: { kind: 'file', content: () => '0\n' },
            possible: { kind: 'file', content: () => '0\n' },
          }),
        }),
      }),
      kernel: directoryOf({}),
    });
    add(
      '/sys',
      new GeneratedTree(this.#devices.allocate(), 'sysfs', SYSFS_MAGIC, sys, () => clock.realtimeNs()),
      'sysfs',
      true,
    );
  }

  #bind({ host, guest, readOnly = false }: BindMount): void {
    const wrong = (problem: string, mend: string): ConfigError =>
      new ConfigError('bind', `${host}:${guest}: ${problem}`, mend);
    if (!guest.startsWith('/')) throw wrong('the guest path is not absolute', 'Write it from the root on, like /mnt');
    const path = realHostPath(host, wrong);
    const { mounts } = this;
    let start = mounts.root;
    const components = Buffer.from(guest)
      .toString('latin1')
      .split('/')
      .filter((part) => part !== '' && part !== '.');
    const name = components.pop();
    if (name === undefined || name === '..' || components.includes('..')) {
      throw wrong('the guest path is no place below the root', 'Name one, without `..`');
    }
    for (const component of components) {
      let { place } = mounts.resolve(start, component, ROOT_CALLER, { follow: true });
      if (!place && !start.mount.readOnly) {
        try {
          start.inode.createDirectory(component, { mode: 0o755, uid: 0, gid: 0 });
        } catch {
          // said below, with the way out
        }
        ({ place } = mounts.resolve(start, component, ROOT_CALLER, { follow: true }));
      }
      if (!place?.inode.isDirectory) {
        throw wrong(`the guest's root has no directory ${component}`, 'Create it, or let changes stay in an overlay');
      }
      start = place;
    }
    mounts.mount(start, name, {
      tree: new HostTree({ path, clock: this.clock, nodeDevice: this.#devices.allocate() }),
      readOnly,
      source: path,
    });
  }
}

function rootMount(
  { root, readOnly = false, overlay = false, clock }: FileSystemOptions,
  budget: MemoryBudget,
  devices: AnonymousDevices,
): { tree: Tree; readOnly: boolean; source: string } {
  if (root === undefined)
    return { tree: new MemoryTree({ device: devices.allocate(), clock, budget }), readOnly, source: 'tmpfs' };
  const wrong = (problem: string, mend: string): ConfigError => new ConfigError('root', `${root}: ${problem}`, mend);
  const path = realHostPath(root, wrong);
  if (!fs.statSync(path).isDirectory()) throw wrong('not a directory', 'Unpack the image or archive first');
  const tree = new HostTree({ path, clock, nodeDevice: devices.allocate() });
  return overlay
    ? {
        tree: new MemoryTree({ device: devices.allocate(), type: 'overlay', clock, budget, lower: tree }),
        readOnly,
        source: 'overlay',
      }
    : { tree, readOnly, source: path };
}

function realHostPath(path: string, wrong: (problem: string, mend: string) => ConfigError): string {
  try {
    return fs.realpathSync(path);
  } catch (error) {
    if (hostErrorCode(error) === 'ENOENT') throw wrong('no such file or directory', 'Name one that exists');
    throw wrong(String(error), 'Name one that you may read');
  }
}

/** Whether names may be made and removed in a directory. @throws Errno EROFS, EACCES */
export function mayChange(directory: Place, caller: PathCaller): void {
  if (directory.mount.readOnly) throw new Errno('EROFS');
  if (!directory.inode.permits(caller.credentials, Access.WRITE | Access.EXECUTE)) throw new Errno('EACCES');
}

/** Owner and permissions of a new file; below a set-group-ID directory the group is the directory's, inode(7). */
export function creationFor(directory: Place, mode: number, { credentials }: PathCaller): Creation {
  const parent = directory.inode.attributes();
  const gid = (parent.mode & 0o2000) !== 0 ? parent.gid : credentials.egid;
  return { mode: mode & 0o7777, uid: credentials.euid, gid };
}

const isVisible = (files: unknown): files is VisibleFiles =>
  typeof files === 'object' && files !== null && 'descriptors' in files && 'workingDirectory' in files;

export const callerOf = (context: Pick<SyscallContext, 'process'>): PathCaller => context.process;
