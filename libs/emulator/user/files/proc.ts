/** /proc, proc(5), as far as programs of user land read it. */
import { Errno } from '../kernel/contracts.js';
import { directoryOf, GeneratedTree } from '../vfs/generated-tree.js';
import type { GeneratedDirectory, GeneratedEntry } from '../vfs/generated-tree.js';
import type { MountTable, PathCaller, Place } from '../vfs/mounts.js';
import { identityOf } from '../vfs/inode.js';
import type { FileProcess, ProcessStatus, SystemIdentity } from './api.js';
import type { LockTable } from './locks.js';
import { RegularFile, Seek } from './open-file.js';
import type { OpenFile } from './open-file.js';
import type { SeededRandom } from './random.js';

const PROC_SUPER_MAGIC = 0x9fa0;
/** Clock ticks of /proc per second, on all architectures (USER_HZ). */
const TICK_NS = 10_000_000;

/** A process's descriptors and directories as /proc sees them. */
export interface VisibleFiles {
  descriptors(): number[];
  /** @throws Errno EBADF */
  file(descriptor: number): OpenFile;
  pathOf(file: OpenFile): string;
  readonly workingDirectory: Place;
}

export interface VisibleProcess {
  readonly process: FileProcess;
  readonly status: () => ProcessStatus;
  readonly files: VisibleFiles | undefined;
}

export interface ProcSources {
  readonly device: bigint;
  readonly system: SystemIdentity;
  readonly processes: ReadonlyMap<number, VisibleProcess>;
  readonly mounts: () => MountTable;
  readonly locks: LockTable;
  readonly random: SeededRandom;
  readonly monotonicNs: () => number;
  readonly realtimeNs: () => bigint;
}

const file = (content: () => string | Uint8Array, mode?: number): GeneratedEntry =>
  mode === undefined ? { kind: 'file', content } : { kind: 'file', content, mode };
const text = (content: string): GeneratedEntry => file(() => content);

export function createProcTree(sources: ProcSources): GeneratedTree {
  const { system, processes, random, monotonicNs, realtimeNs } = sources;
  const bootId = random.uuid();
  const fixed: Record<string, GeneratedEntry> = {
    cmdline: text('\n'),
    cpuinfo: text(system.cpuinfo),
    filesystems: text(['sysfs', 'tmpfs', 'proc', 'devtmpfs'].map((name) => `nodev\t${name}\n`).join('')),
    loadavg: file(() => `0.00 0.00 0.00 1/${processes.size} ${Math.max(0, ...processes.keys())}\n`),
    locks: file(() => locksText(sources.locks)),
    meminfo: text(memoryText(system.memoryBytes)),
    mounts: { kind: 'link', target: () => 'self/mounts' },
    stat: file(() => {
      const boot = (realtimeNs() - BigInt(Math.floor(monotonicNs()))) / 1_000_000_000n;
      const zeros = '0 0 0 0 0 0 0 0 0 0';
      return `cpu  ${zeros}\ncpu0 ${zeros}\nintr 0\nctxt 0\nbtime ${boot}\nprocesses ${processes.size}\nprocs_running 1\nprocs_blocked 0\n`;
    }),
    swaps: text('Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n'),
    sys: directoryOf({
      fs: directoryOf({
        'file-max': text('1048576\n'),
        nr_open: text('1048576\n'),
        'pipe-max-size': text('1048576\n'),
      }),
      kernel: directoryOf({
        cap_last_cap: text('40\n'),
        core_pattern: text('core\n'),
        core_uses_pid: text('0\n'),
        hostname: text(`${system.hostname}\n`),
        ngroups_max: text('65536\n'),
        osrelease: text(`${system.release}\n`),
        ostype: text('Linux\n'),
        pid_max: text('32768\n'),
        random: directoryOf({
          boot_id: text(`${bootId}\n`),
          entropy_avail: text('256\n'),
          poolsize: text('256\n'),
          uuid: file(() => `${random.uuid()}\n`),
        }),
        version: text(`${system.version}\n`),
      }),
      vm: directoryOf({
        max_map_count: text('65530\n'),
        mmap_min_addr: text('65536\n'),
        overcommit_memory: text('0\n'),
      }),
    }),
    uptime: file(() => {
      const seconds = (monotonicNs() / 1e9).toFixed(2);
      return `${seconds} ${seconds}\n`;
    }),
    version: text(`Linux version ${system.release} ${system.version}\n`),
  };
  const perCaller: Record<string, (caller: PathCaller) => string> = {
    self: ({ pid }) => `${pid}`,
    'thread-self': ({ pid }) => `${pid}/task/${pid}`,
  };

  const root: GeneratedDirectory = {
    kind: 'directory',
    names: () => [
      ...[...processes.keys()].sort((a, b) => a - b).map(String),
      ...Object.keys(fixed),
      ...Object.keys(perCaller),
    ],
    entry: (name, caller) => {
      if (Object.hasOwn(fixed, name)) return fixed[name];
      if (Object.hasOwn(perCaller, name)) {
        return { kind: 'link', target: () => (caller ? perCaller[name]!(caller) : '') };
      }
      const visible = /^[1-9][0-9]{0,9}$/.test(name) ? processes.get(Number(name)) : undefined;
      return visible && processDirectory(visible, sources, true);
    },
  };
  return new GeneratedTree(sources.device, 'proc', PROC_SUPER_MAGIC, root, realtimeNs);
}

function processDirectory(visible: VisibleProcess, sources: ProcSources, withTasks: boolean): GeneratedDirectory {
  const { process, files } = visible;
  const { uid, gid } = process.credentials;
  const mounts = sources.mounts();
  const path = (place: Place): string => mounts.pathOf(place) ?? '(deleted)';
  const here = (): VisibleFiles => {
    if (!files) throw new Errno('ENOENT');
    return files;
  };
  const fixed: Record<string, GeneratedEntry> = {
    auxv: file(() => visible.status().auxv ?? new Uint8Array(0), 0o400),
    cmdline: file(() => zeroTerminated(process.argv)),
    comm: file(() => `${nameOf(visible)}\n`),
    cwd: { kind: 'link', target: () => path(here().workingDirectory), follow: () => here().workingDirectory },
    environ: file(() => zeroTerminated(process.environment), 0o400),
    exe: {
      kind: 'link',
      target: () => process.executable,
      follow: (caller) => {
        const { place, directory, name } = mounts.resolve(mounts.root, process.executable, caller, { follow: true });
        if (!place) throw new Errno('ENOENT');
        return { ...place, foundAt: { directory, name } };
      },
    },
    fd: descriptorDirectory(here),
    fdinfo: {
      kind: 'directory',
      mode: 0o500,
      names: () => here().descriptors().map(String),
      entry: (name) => {
        const open = descriptorNamed(here(), name);
        if (!open) return undefined;
        const position = open instanceof RegularFile ? open.seek(0, Seek.CUR) : 0;
        return text(`pos:\t${position}\nflags:\t0${open.flags.write ? (open.flags.read ? 2 : 1) : 0}\nmnt_id:\t1\n`);
      },
    },
    limits: file(
      () =>
        `Limit                     Soft Limit           Hard Limit           Units     \nMax open files            ${String(process.maxFiles).padEnd(21)}${String(process.maxFiles).padEnd(21)}files     \n`,
    ),
    maps: file(() => process.maps()),
    mem: {
      kind: 'bytes',
      mode: 0o600,
      read: (address, target) => {
        const bytes = visible.status().memory?.peek(address, target.length) ?? new Uint8Array();
        if (bytes.length === 0 && target.length > 0) throw new Errno('EIO');
        target.set(bytes);
        return bytes.length;
      },
      write: (address, source) => {
        const written = visible.status().memory?.poke(address, source) ?? 0;
        if (written === 0 && source.length > 0) throw new Errno('EIO');
        return written;
      },
    },
    mountinfo: file(() => mountInfoText(mounts)),
    mounts: file(() => mountsText(mounts)),
    oom_score_adj: { kind: 'file', content: () => '0\n', store: () => undefined },
    root: { kind: 'link', target: () => '/', follow: () => mounts.root },
    stat: file(() => statText(visible)),
    statm: file(() => {
      const { virtualBytes = 0, residentBytes = 0 } = visible.status();
      return `${Math.ceil(virtualBytes / 4096)} ${Math.ceil(residentBytes / 4096)} 0 0 0 0 0\n`;
    }),
    status: file(() => statusText(visible)),
  };
  if (withTasks) {
    const tids = (): readonly number[] => visible.status().tids ?? [process.pid];
    fixed['task'] = {
      kind: 'directory',
      names: () => tids().map(String),
      entry: (name) => (tids().map(String).includes(name) ? processDirectory(visible, sources, false) : undefined),
    };
  }
  return { ...directoryOf(fixed), owner: { uid, gid } };
}

function descriptorDirectory(files: () => VisibleFiles): GeneratedDirectory {
  return {
    kind: 'directory',
    mode: 0o500,
    names: () => files().descriptors().map(String),
    entry: (name) => {
      const open = descriptorNamed(files(), name);
      if (!open) return undefined;
      return {
        kind: 'link',
        target: () => files().pathOf(open),
        follow: () => ({ mount: open.mount, inode: open.inode, foundAt: open.foundAt }),
      };
    },
  };
}

function descriptorNamed(files: VisibleFiles, name: string): OpenFile | undefined {
  const descriptor = /^(0|[1-9][0-9]{0,8})$/.test(name) ? Number(name) : -1;
  return files.descriptors().includes(descriptor) ? files.file(descriptor) : undefined;
}

function zeroTerminated(parts: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(parts.flatMap((part) => [part, Uint8Array.of(0)]));
}

function nameOf({ process, status }: VisibleProcess): string {
  return status().name ?? process.executable.slice(process.executable.lastIndexOf('/') + 1).slice(0, 15);
}

const STATE_NAMES = { R: 'running', S: 'sleeping', T: 'stopped', t: 'tracing stop', Z: 'zombie' } as const;

/** proc_pid_status(5). */
function statusText(visible: VisibleProcess): string {
  const { process } = visible;
  const { state = 'R', tids = [process.pid], virtualBytes = 0, residentBytes = 0, tracerPid = 0 } = visible.status();
  const { uid, gid, euid, egid } = process.credentials;
  const kilobytes = (bytes: number): string => `${String(Math.ceil(bytes / 1024)).padStart(8)} kB`;
  const lines = [
    ['Name', nameOf(visible)],
    ['Umask', process.umask.toString(8).padStart(4, '0')],
    ['State', `${state} (${STATE_NAMES[state]})`],
    ['Tgid', process.pid],
    ['Ngid', 0],
    ['Pid', process.pid],
    ['PPid', process.parentPid],
    ['TracerPid', tracerPid],
    ['Uid', [uid, euid, euid, euid].join('\t')],
    ['Gid', [gid, egid, egid, egid].join('\t')],
    ['FDSize', 256],
    ['Groups', `${gid} `],
    ['VmPeak', kilobytes(virtualBytes)],
    ['VmSize', kilobytes(virtualBytes)],
    ['VmRSS', kilobytes(residentBytes)],
    ['Threads', tids.length],
  ];
  return lines.map(([name, value]) => `${name}:\t${value}\n`).join('');
}

/** proc_pid_stat(5): 52 fields. */
function statText(visible: VisibleProcess): string {
  const { process } = visible;
  const status = visible.status();
  const { pid, parentPid } = process;
  const { state = 'R', processGroup = pid, session = pid, tids = [pid] } = status;
  const ticks = (ns = 0): number => Math.floor(ns / TICK_NS);
  const fields: (string | number)[] = new Array<number>(52).fill(0);
  const set = (field: number, value: string | number): void => void (fields[field - 1] = value);
  set(1, pid);
  set(2, `(${nameOf(visible)})`);
  set(3, state);
  set(4, parentPid);
  set(5, processGroup);
  set(6, session);
  set(8, -1);
  set(14, ticks(status.userNs));
  set(15, ticks(status.systemNs));
  set(18, 20);
  set(20, tids.length);
  set(22, ticks(status.startNs));
  set(23, status.virtualBytes ?? 0);
  set(24, Math.ceil((status.residentBytes ?? 0) / 4096));
  set(25, 0x7fffffff);
  set(38, 17);
  return `${fields.join(' ')}\n`;
}

function memoryText(bytes: number): string {
  const kilobytes = (value: number): string => `${String(Math.floor(value / 1024)).padStart(8)} kB`;
  const lines: [string, number][] = [
    ['MemTotal', bytes],
    ['MemFree', bytes / 2],
    ['MemAvailable', bytes / 2],
    ['Buffers', 0],
    ['Cached', 0],
    ['SwapCached', 0],
    ['Active', 0],
    ['Inactive', 0],
    ['SwapTotal', 0],
    ['SwapFree', 0],
    ['Shmem', 0],
  ];
  return lines.map(([name, value]) => `${`${name}:`.padEnd(16)}${kilobytes(value)}\n`).join('');
}

function* mountLines(mounts: MountTable): Iterable<{ source: string; on: string; type: string; options: string }> {
  for (const { source, tree, readOnly, on } of mounts.mounts) {
    const directory = on ? (mounts.pathOf(on.directory) ?? '/') : '/';
    yield {
      source: escapeMount(source),
      on: escapeMount(on ? `${directory === '/' ? '' : directory}/${on.name}` : '/'),
      type: tree.type,
      options: `${readOnly ? 'ro' : 'rw'},relatime`,
    };
  }
}

function mountsText(mounts: MountTable): string {
  return [...mountLines(mounts)]
    .map(({ source, on, type, options }) => `${source} ${on} ${type} ${options} 0 0\n`)
    .join('');
}

function mountInfoText(mounts: MountTable): string {
  return [...mountLines(mounts)]
    .map(
      ({ source, on, type, options }, index) =>
        `${index + 1} ${index === 0 ? 0 : 1} 0:${index + 1} / ${on} ${options} - ${type} ${source} ${options.slice(0, 2)}\n`,
    )
    .join('');
}

/** getmntent(3): space, tab, newline and backslash as octal. */
const escapeMount = (value: string): string =>
  value.replace(/[ \t\n\\]/g, (character) => `\\${character.charCodeAt(0).toString(8).padStart(3, '0')}`);

/** proc_locks(5); files by device and inode. */
function locksText(locks: LockTable): string {
  let index = 0;
  let result = '';
  for (const { file: identity, lock } of locks.list()) {
    const kind = lock.pid < 0 ? 'OFDLCK' : 'POSIX ';
    const end = lock.end === Infinity ? 'EOF' : lock.end - 1;
    result += `${++index}: ${kind} ADVISORY  ${lock.exclusive ? 'WRITE' : 'READ '} ${lock.pid} ${identity} ${lock.start} ${end}\n`;
  }
  return result;
}

export const lockKey = (open: OpenFile): string => identityOf(open.attributes());
