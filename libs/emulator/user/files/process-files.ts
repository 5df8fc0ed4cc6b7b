/** What a process has of files: descriptors, and where it stands in the tree. */
import { Errno, NotRegularFile } from '../kernel/contracts.js';
import type { SyscallContext } from '../kernel/contracts.js';
import { Access, FileType } from '../vfs/inode.js';
import type { FileContent, Inode } from '../vfs/inode.js';
import type { PathCaller, Place, ResolveOptions, Resolution } from '../vfs/mounts.js';
import type { ExecutableFile, FileIdentity, FileProcess, MappedFile } from './api.js';
import type { DescriptorTable } from './descriptor-table.js';
import { ZeroFile } from './devices.js';
import type { FileSystem } from './file-system.js';
import { lockKey } from './proc.js';
import { OpenFile, plainFlags, RegularFile } from './open-file.js';

/** fs_struct of clone(2)'s CLONE_FS: shared, so an object of its own. */
interface Directories {
  working: Place;
}

export class ProcessFiles {
  constructor(
    readonly fileSystem: FileSystem,
    private table: DescriptorTable,
    private readonly directories: Directories,
  ) {}

  get descriptorTable(): DescriptorTable {
    return this.table;
  }

  get workingDirectory(): Place {
    return this.directories.working;
  }

  set workingDirectory(place: Place) {
    this.directories.working = place;
  }

  // ── as /proc sees it ──
  descriptors(): number[] {
    return this.table.numbers();
  }

  file(descriptor: number): OpenFile {
    return this.table.get(descriptor);
  }

  pathOf(file: OpenFile): string {
    return this.fileSystem.pathOf(file);
  }

  fork(share: { descriptors: boolean; directories: boolean }): ProcessFiles {
    return new ProcessFiles(
      this.fileSystem,
      share.descriptors ? this.table.share() : this.table.copy(),
      share.directories ? this.directories : { ...this.directories },
    );
  }

  /** Own descriptors, not shared with anyone: execve, unshare(CLONE_FILES). */
  unshare(): void {
    if (!this.table.shared) return;
    const own = this.table.copy();
    this.table.leave();
    this.table = own;
  }

  exec(): void {
    this.unshare();
    for (const number of this.table.numbers()) if (this.table.entry(number).closeOnExec) this.close(number);
  }

  close(number: number): void {
    const file = this.table.get(number);
    // fcntl(2): closing any descriptor of a file releases all record locks that the process has on it.
    const { locks } = this.fileSystem;
    if (file instanceof RegularFile && !locks.isEmpty) locks.release(lockKey(file), this.table);
    this.table.close(number);
  }

  exit(): void {
    const table = this.table;
    if (table.leave()) this.fileSystem.locks.releaseAll(table);
  }

  /**
   * Follows a path from a directory descriptor (`undefined` and AT_FDCWD: the working directory).
   * @throws Errno EBADF, ENOTDIR and those of path_resolution(7)
   */
  resolve(
    path: string,
    caller: PathCaller,
    options: ResolveOptions & { readonly directory?: number | undefined },
  ): Resolution {
    const { mounts } = this.fileSystem;
    const absolute = path.startsWith('/') && !options.restrict?.inRoot;
    const start = absolute && !options.restrict?.beneath ? mounts.root : this.startingAt(options.directory);
    return mounts.resolve(start, path, caller, options);
  }

  startingAt(descriptor: number | undefined): Place {
    if (descriptor === undefined || (descriptor | 0) === AT_FDCWD) return this.workingDirectory;
    const { inode, mount } = this.table.get(descriptor);
    if (!inode.isDirectory) throw new Errno('ENOTDIR');
    return { inode, mount };
  }

  lookupExecutable(
    process: FileProcess,
    path: Uint8Array | string,
    options: { directory?: number; emptyPath?: boolean; noFollow?: boolean },
  ): ExecutableFile {
    const name = typeof path === 'string' ? Buffer.from(path).toString('latin1') : byteString(path);
    if (name === '' && options.emptyPath && options.directory !== undefined) {
      const file = this.table.get(options.directory);
      return this.#executable(file.inode, file, process);
    }
    const resolution = this.resolve(name, process, { follow: !options.noFollow, directory: options.directory });
    const { place, directory } = resolution;
    if (!place) throw new Errno('ENOENT');
    if (place.inode.type === FileType.SYMLINK) throw new Errno('ELOOP');
    const foundAt = { directory, name: resolution.name };
    const file = new UnopenedFile(place.inode, place.mount, plainFlags({ read: true }), foundAt);
    // A link of /proc leads to an open file, whose own path counts.
    return this.#executable(place.inode, resolution.name === undefined ? undefined : file, process);
  }

  #executable(inode: Inode, file: OpenFile | undefined, process: FileProcess): ExecutableFile {
    if (inode.type !== FileType.REGULAR) throw new NotRegularFile(inode.isDirectory);
    if (!inode.permits(process.credentials, Access.EXECUTE)) throw new Errno('EACCES');
    const content = inode.open({ read: true, write: false });
    const { mode, uid, gid } = content.attributes();
    const path = file ? this.pathOf(file) : process.executable;
    const mapping = new ContentMapping(path, { content, holders: 1 });
    return {
      path,
      mode,
      uid,
      gid,
      size: content.size(),
      identity: mapping.identity,
      read: (offset, length) => {
        const bytes = new Uint8Array(length);
        return bytes.subarray(0, mapping.read(offset, bytes));
      },
      mapping: () => mapping.duplicate(),
      close: () => mapping.close(),
    };
  }

  mapped(descriptor: number, { sharedWrite }: { sharedWrite: boolean }): MappedFile {
    const file = this.table.get(descriptor);
    if (file.flags.pathOnly) throw new Errno('EBADF');
    if (!file.flags.read || (sharedWrite && !file.flags.write)) throw new Errno('EACCES');
    if (file instanceof ZeroFile && file.anonymous) return anonymousMapping(this.pathOf(file));
    if (!(file instanceof RegularFile)) throw new Errno('ENODEV');
    return new OpenFileMapping(this.pathOf(file), file.retain());
  }
}

export const AT_FDCWD = -100;

/** Bytes as the file half's strings: one character per byte. */
export const byteString = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');
export const bytesOf = (text: string): Uint8Array => Buffer.from(text, 'latin1');

/** Only tells a path. */
class UnopenedFile extends OpenFile {}

export function filesOf(context: Pick<SyscallContext, 'process'>): ProcessFiles {
  const { files } = context.process;
  if (!(files instanceof ProcessFiles)) throw new TypeError('process.files was not made by createProcessFiles()');
  return files;
}

/** A program's file, open as long as anyone holds it, whatever becomes of its name. */
class ContentMapping implements MappedFile {
  readonly anonymous = false;

  constructor(
    readonly path: string,
    private readonly shared: { readonly content: FileContent; holders: number },
  ) {}

  get identity(): FileIdentity {
    return identityFor(this.shared.content.attributes());
  }

  size(): number {
    return this.shared.content.size();
  }

  read(offset: number, target: Uint8Array): number {
    return this.shared.content.read(offset, target);
  }

  writeBack(): never {
    throw new Errno('EACCES'); // opened for execution
  }

  duplicate(): MappedFile {
    this.shared.holders++;
    return new ContentMapping(this.path, this.shared);
  }

  close(): void {
    if (--this.shared.holders === 0) this.shared.content.close();
  }
}

class OpenFileMapping implements MappedFile {
  readonly anonymous = false;

  constructor(
    readonly path: string,
    private readonly file: RegularFile,
  ) {}

  get identity(): FileIdentity {
    return identityFor(this.file.content.attributes());
  }

  size(): number {
    return this.file.content.size();
  }

  read(offset: number, target: Uint8Array): number {
    return this.file.content.raw.read(offset, target);
  }

  writeBack(offset: number, bytes: Uint8Array): void {
    const room = this.size() - offset;
    if (room > 0) this.file.content.raw.write(offset, bytes.subarray(0, room));
  }

  duplicate(): MappedFile {
    return new OpenFileMapping(this.path, this.file.retain());
  }

  close(): void {
    this.file.drop();
  }
}

function anonymousMapping(path: string): MappedFile {
  return {
    path,
    identity: { device: 0n, inode: 0n, modifiedNs: 0n },
    anonymous: true,
    size: () => Infinity,
    read: (_offset, target) => target.fill(0).length,
    writeBack: () => undefined,
    duplicate: () => anonymousMapping(path),
    close: () => undefined,
  };
}

const identityFor = (attributes: { device: bigint; inode: bigint; modifiedNs: bigint }): FileIdentity => ({
  device: attributes.device,
  inode: attributes.inode,
  modifiedNs: attributes.modifiedNs,
});
