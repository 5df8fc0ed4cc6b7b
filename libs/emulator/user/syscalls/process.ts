/** Processes: execve(2), exit(2), wait4(2), identity, groups and sessions, limits, prctl(2). */
import type { SyscallResult } from '../kernel/contracts.js';
import { Errno } from '../kernel/contracts.js';
import type { ExitStatus, Process, ResourceLimit } from '../kernel/process.js';
import type { KernelResult, KernelSyscall } from '../kernel/run-loop.js';
import { NO_RESULT } from '../kernel/run-loop.js';
import { SignalCode } from '../kernel/signals.js';
import type { Thread } from '../kernel/thread.js';
import { ProgramError } from '../loader/index.js';
import { timevalBytes, writeTimeval } from './time-values.js';

// ---- execve ------------------------------------------------------------------------------------------------------------

const AT_FDCWD = -100;
const AT_SYMLINK_NOFOLLOW = 0x100;
const AT_EMPTY_PATH = 0x1000;
/** More arguments than any stack holds (MAX_ARG_STRINGS would allow them all). */
const MAX_ARGUMENTS = 1 << 20;
const MAX_ARGUMENT_BYTES = 32 * 4096;

function readVector(thread: Thread, address: number): Uint8Array[] {
  const strings: Uint8Array[] = [];
  if (address === 0) return strings;
  for (let at = address; ; at += thread.memory.pointerBytes) {
    const pointer = thread.memory.u32(at);
    if (pointer === 0) return strings;
    if (strings.length === MAX_ARGUMENTS) throw new Errno('E2BIG');
    try {
      strings.push(thread.memory.cString(pointer, MAX_ARGUMENT_BYTES));
    } catch (error) {
      throw error instanceof Errno && error.code === 'ENAMETOOLONG' ? new Errno('E2BIG') : error;
    }
  }
}

function execute(
  thread: Thread,
  path: number,
  argv: number,
  environment: number,
  at: { directory?: number; emptyPath?: boolean; noFollow?: boolean } = {},
): KernelResult {
  const request = {
    ...at,
    path: thread.memory.cString(path),
    argv: readVector(thread, argv),
    environment: readVector(thread, environment),
  };
  // A program without arguments gets an empty name, as Linux since 5.18 does.
  if (request.argv.length === 0) request.argv.push(new Uint8Array());
  try {
    thread.kernel.execute(thread, request);
  } catch (error) {
    if (!(error instanceof ProgramError)) throw error;
    const name = Buffer.from(request.path).toString();
    thread.kernel.parts.warn(`${name} ${error.message}. ${error.mend}.`);
    throw new Errno(error.missingFile ? 'ENOENT' : 'ENOEXEC');
  }
  return NO_RESULT;
}

// ---- wait ----------------------------------------------------------------------------------------------------------------

const WNOHANG = 1;
const WUNTRACED = 2;
const WEXITED = 4;
const WCONTINUED = 8;
const WNOWAIT = 0x01000000;
const WALL = 0x40000000;
const P_ALL = 0;
const P_PID = 1;
const P_PGID = 2;

/** What a child has to tell. */
interface ChildEvent {
  readonly child: Process;
  readonly code: number;
  /** Exit code or signal, as siginfo's si_status. */
  readonly value: number;
  /** As wait4's status word. */
  readonly word: number;
}

function endOf(child: Process, status: ExitStatus): ChildEvent {
  return status.kind === 'exited'
    ? { child, code: SignalCode.ChildExited, value: status.code, word: (status.code & 0xff) << 8 }
    : { child, code: SignalCode.ChildKilled, value: status.signal, word: status.signal & 0x7f };
}

/** The first event of a child that is asked for. */
function childEvent(thread: Thread, matches: (child: Process) => boolean, options: number): ChildEvent | undefined {
  const { signals } = thread.kernel;
  for (const child of thread.owner.children) {
    if (!matches(child)) continue;
    if (child.status && options & WEXITED) return endOf(child, child.status);
    if (child.unreported === 'stopped' && options & WUNTRACED) {
      const signal = child.stoppedBy ?? 0;
      return { child, code: SignalCode.ChildStopped, value: signal, word: (signal << 8) | 0x7f };
    }
    if (child.unreported === 'continued' && options & WCONTINUED)
      return { child, code: SignalCode.ChildContinued, value: signals.number('SIGCONT'), word: 0xffff };
  }
  return undefined;
}

/** Takes the event away, unless WNOWAIT leaves it for another wait. */
function consume(thread: Thread, { child }: ChildEvent, options: number): void {
  if (options & WNOWAIT) return;
  if (!child.status) {
    child.unreported = undefined;
    return;
  }
  thread.owner.childrenNs += child.userNs + child.childrenNs;
  thread.kernel.reap(child);
}

function waitFor(
  thread: Thread,
  matches: (child: Process) => boolean,
  options: number,
  report: (event: ChildEvent | undefined) => number,
): SyscallResult {
  const { owner } = thread;
  const wait = (): SyscallResult => {
    if (![...owner.children].some(matches)) throw new Errno('ECHILD');
    const event = childEvent(thread, matches, options);
    if (event) {
      const result = report(event);
      consume(thread, event, options);
      return result;
    }
    if (options & WNOHANG) return report(undefined);
    return { queues: [owner.childChange], retry: wait };
  };
  return wait();
}

/** struct rusage: two times and fourteen longs, of which page faults are the ones that are known. */
function writeUsage(thread: Thread, address: number, userNs: number, faults: number, residentBytes: number): void {
  const word = thread.memory.pointerBytes;
  const start = 2 * timevalBytes(thread);
  const longs = Array.from({ length: 14 }, () => 0);
  longs[0] = Math.ceil(residentBytes / 1024);
  longs[3] = faults;
  writeTimeval(thread, address, userNs);
  writeTimeval(thread, address + timevalBytes(thread), 0);
  longs.forEach((value, i) => {
    if (word === 8) thread.memory.setU64(address + start + 8 * i, BigInt(value));
    else thread.memory.setU32(address + start + 4 * i, value);
  });
}

function wait4(thread: Thread, pid: number, status: number, options: number, usage: number): SyscallResult {
  const which = pid | 0;
  if (options & ~(WNOHANG | WUNTRACED | WCONTINUED | 0xe0000000)) throw new Errno('EINVAL');
  const group = which === 0 ? thread.owner.group : -which;
  const matches = (child: Process): boolean =>
    which === -1 || (which > 0 ? child.pid === which : child.group === group);
  return waitFor(thread, matches, (options & ~WALL) | WEXITED, (event) => {
    if (!event) return 0;
    if (status !== 0) thread.memory.setU32(status, event.word);
    const { child } = event;
    if (usage !== 0)
      writeUsage(thread, usage, child.userNs + child.childrenNs, child.space.pageFaults, child.peakResidentBytes);
    return child.pid;
  });
}

function waitid(thread: Thread, type: number, id: number, info: number, options: number, usage: number): SyscallResult {
  if (!(options & (WEXITED | WUNTRACED | WCONTINUED))) throw new Errno('EINVAL');
  if (type !== P_ALL && type !== P_PID && type !== P_PGID) throw new Errno('EINVAL');
  const group = id === 0 ? thread.owner.group : id;
  const matches = (child: Process): boolean =>
    type === P_ALL || (type === P_PID ? child.pid === id : child.group === group);
  return waitFor(thread, matches, options, (event) => {
    const { abi, signals } = thread.kernel;
    const bytes = event
      ? abi.encodeSignalInfo({
          signal: signals.number('SIGCHLD'),
          code: event.code,
          detail: {
            kind: 'child',
            pid: event.child.pid,
            uid: event.child.credentials.uid,
            status: event.value,
            userTicks: 0,
            systemTicks: 0,
          },
        })
      : new Uint8Array(128);
    // Only the fields of SIGCHLD are stored, not the whole union.
    if (info !== 0) thread.memory.write(info, bytes.subarray(0, 12 + 3 * 4 + (abi.pointerBytes === 8 ? 4 : 0)));
    if (usage !== 0 && event)
      writeUsage(thread, usage, event.child.userNs, event.child.space.pageFaults, event.child.peakResidentBytes);
    return 0;
  });
}

// ---- identity --------------------------------------------------------------------------------------------------------------

function processOf(thread: Thread, pid: number): Process {
  const process = pid === 0 ? thread.owner : thread.kernel.processes.get(pid);
  if (!process) throw new Errno('ESRCH');
  return process;
}

const UNCHANGED = 0xffffffff;

/** May the process take this id: root any, others one of those it has. */
function requireId(thread: Thread, id: number, own: readonly number[]): void {
  if (id === UNCHANGED || thread.owner.credentials.euid === 0 || own.includes(id)) return;
  throw new Errno('EPERM');
}

function setUserIds(thread: Thread, real: number, effective: number, saved: number): number {
  const { credentials } = thread.owner;
  const own = [credentials.uid, credentials.euid, credentials.savedUid];
  for (const id of [real, effective, saved]) requireId(thread, id, own);
  if (real !== UNCHANGED) credentials.uid = real;
  if (effective !== UNCHANGED) credentials.euid = effective;
  if (saved !== UNCHANGED) credentials.savedUid = saved;
  return 0;
}

function setGroupIds(thread: Thread, real: number, effective: number, saved: number): number {
  const { credentials } = thread.owner;
  const own = [credentials.gid, credentials.egid, credentials.savedGid];
  for (const id of [real, effective, saved]) requireId(thread, id, own);
  if (real !== UNCHANGED) credentials.gid = real;
  if (effective !== UNCHANGED) credentials.egid = effective;
  if (saved !== UNCHANGED) credentials.savedGid = saved;
  return 0;
}

function setProcessGroup(thread: Thread, pid: number, group: number): number {
  const process = processOf(thread, pid);
  if ((group | 0) < 0) throw new Errno('EINVAL');
  if (process !== thread.owner && process.parent !== thread.owner) throw new Errno('ESRCH');
  if (process.pid === process.session || process.session !== thread.owner.session) throw new Errno('EPERM');
  const wanted = group === 0 ? process.pid : group;
  const exists = [...thread.kernel.processes.values()].some(
    (other) => other.group === wanted && other.session === process.session,
  );
  if (wanted !== process.pid && !exists) throw new Errno('EPERM');
  process.group = wanted;
  return 0;
}

// ---- limits ----------------------------------------------------------------------------------------------------------------

const RESOURCES = 16;
const INFINITE_64 = 2n ** 64n - 1n;
const RLIMIT_NOFILE_MAXIMUM = 1 << 20;

function limitOf(process: Process, resource: number): ResourceLimit {
  if (resource >= RESOURCES) throw new Errno('EINVAL');
  return process.limit(resource);
}

function setLimit(thread: Thread, process: Process, resource: number, wanted: ResourceLimit): void {
  const old = limitOf(process, resource);
  if (wanted.soft > wanted.hard) throw new Errno('EINVAL');
  const { resources } = thread.kernel.abi;
  const raised = wanted.hard > old.hard && thread.owner.credentials.euid !== 0;
  if (raised || (resource === resources.files && wanted.hard > RLIMIT_NOFILE_MAXIMUM)) throw new Errno('EPERM');
  process.limits.set(resource, wanted);
  if (resource === resources.stack) process.space.stackLimit = wanted.soft;
}

function readLimit(thread: Thread, address: number): ResourceLimit {
  const { abi } = thread.kernel;
  const value = (at: number): number => {
    if (abi.pointerBytes === 8) return from64(thread.memory.u64(at));
    const word = thread.memory.u32(at);
    return word >= abi.infiniteLimit ? Infinity : word;
  };
  return { soft: value(address), hard: value(address + abi.pointerBytes) };
}

function writeLimit(thread: Thread, address: number, { soft, hard }: ResourceLimit): void {
  const { abi } = thread.kernel;
  [soft, hard].forEach((value, i) => {
    if (abi.pointerBytes === 8) thread.memory.setU64(address + 8 * i, to64(value));
    else thread.memory.setU32(address + 4 * i, Math.min(value, abi.infiniteLimit));
  });
}

const from64 = (value: bigint): number => (value === INFINITE_64 ? Infinity : Number(value));
const to64 = (value: number): bigint => (value === Infinity ? INFINITE_64 : BigInt(value));

function prlimit(thread: Thread, pid: number, resource: number, next: number, old: number): number {
  const process = processOf(thread, pid);
  const before = limitOf(process, resource);
  const { memory } = thread;
  if (next !== 0)
    setLimit(thread, process, resource, { soft: from64(memory.u64(next)), hard: from64(memory.u64(next + 8)) });
  if (old !== 0) {
    memory.setU64(old, to64(before.soft));
    memory.setU64(old + 8, to64(before.hard));
  }
  return 0;
}

// ---- prctl -----------------------------------------------------------------------------------------------------------------

const Prctl = {
  SetParentDeathSignal: 1,
  GetParentDeathSignal: 2,
  GetDumpable: 3,
  SetDumpable: 4,
  SetKeepCapabilities: 8,
  SetName: 15,
  GetName: 16,
  ReadBoundingCapability: 23,
  SetTimerSlack: 29,
  GetTimerSlack: 30,
  SetChildSubreaper: 36,
  SetNoNewPrivileges: 38,
  GetNoNewPrivileges: 39,
  SetFpMode: 45,
  GetFpMode: 46,
} as const;
const COMM_BYTES = 16;
const DEFAULT_TIMER_SLACK_NS = 50_000;

function prctl(thread: Thread, option: number, value: number): number {
  const { owner, memory, kernel } = thread;
  switch (option) {
    case Prctl.SetParentDeathSignal:
      if (value > kernel.signals.last) throw new Errno('EINVAL');
      owner.parentDeathSignal = value;
      return 0;
    case Prctl.GetParentDeathSignal:
      memory.setU32(value, owner.parentDeathSignal);
      return 0;
    case Prctl.GetDumpable:
      return owner.dumpable;
    case Prctl.SetDumpable:
      if (value > 1) throw new Errno('EINVAL');
      owner.dumpable = value;
      return 0;
    case Prctl.SetName: {
      const name = memory.read(value, COMM_BYTES - 1);
      const end = name.indexOf(0);
      owner.name = Buffer.from(end < 0 ? name : name.subarray(0, end)).toString('latin1');
      return 0;
    }
    case Prctl.GetName: {
      const name = new Uint8Array(COMM_BYTES);
      name.set(Buffer.from(owner.name, 'latin1').subarray(0, COMM_BYTES - 1));
      memory.write(value, name);
      return 0;
    }
    case Prctl.ReadBoundingCapability:
      return 1;
    case Prctl.GetTimerSlack:
      return DEFAULT_TIMER_SLACK_NS;
    case Prctl.GetFpMode:
      return kernel.parts.cpu.fpMode;
    case Prctl.GetNoNewPrivileges:
    case Prctl.SetKeepCapabilities:
    case Prctl.SetTimerSlack:
    case Prctl.SetChildSubreaper:
    case Prctl.SetNoNewPrivileges:
      return 0;
    default:
      throw new Errno('EINVAL');
  }
}

const PRIO_PROCESS = 0;
/** getpriority's result is biased so that it is never negative. */
const PRIORITY_BIAS = 20;

export const processSyscalls: Readonly<Record<string, KernelSyscall>> = {
  execve: (thread, path, argv, environment) => execute(thread, path, argv, environment),
  execveat: (thread, directory, path, argv, environment, flags) =>
    execute(thread, path, argv, environment, {
      ...((directory | 0) === AT_FDCWD ? {} : { directory: directory | 0 }),
      emptyPath: (flags & AT_EMPTY_PATH) !== 0,
      noFollow: (flags & AT_SYMLINK_NOFOLLOW) !== 0,
    }),
  exit: (thread, code) => {
    thread.kernel.exitThread(thread, code & 0xff);
    return NO_RESULT;
  },
  exit_group: (thread, code) => {
    thread.kernel.exitProcess(thread.owner, { kind: 'exited', code: code & 0xff });
    return NO_RESULT;
  },
  wait4,
  waitpid: (thread, pid, status, options) => wait4(thread, pid, status, options, 0),
  waitid,

  getpid: ({ owner }) => owner.pid,
  getppid: ({ owner }) => owner.parentPid,
  getuid: ({ owner }) => owner.credentials.uid,
  geteuid: ({ owner }) => owner.credentials.euid,
  getgid: ({ owner }) => owner.credentials.gid,
  getegid: ({ owner }) => owner.credentials.egid,
  getresuid: (thread, real, effective, saved) => {
    const { uid, euid, savedUid } = thread.owner.credentials;
    thread.memory.setU32(real, uid);
    thread.memory.setU32(effective, euid);
    thread.memory.setU32(saved, savedUid);
    return 0;
  },
  getresgid: (thread, real, effective, saved) => {
    const { gid, egid, savedGid } = thread.owner.credentials;
    thread.memory.setU32(real, gid);
    thread.memory.setU32(effective, egid);
    thread.memory.setU32(saved, savedGid);
    return 0;
  },
  setresuid: setUserIds,
  setresgid: setGroupIds,
  setreuid: (thread, real, effective) => {
    const saved = real !== UNCHANGED || effective !== UNCHANGED ? effective : UNCHANGED;
    return setUserIds(thread, real, effective, saved);
  },
  setregid: (thread, real, effective) => {
    const saved = real !== UNCHANGED || effective !== UNCHANGED ? effective : UNCHANGED;
    return setGroupIds(thread, real, effective, saved);
  },
  setuid: (thread, id) => {
    const all = thread.owner.credentials.euid === 0;
    return setUserIds(thread, all ? id : UNCHANGED, id, all ? id : UNCHANGED);
  },
  setgid: (thread, id) => {
    const all = thread.owner.credentials.euid === 0;
    return setGroupIds(thread, all ? id : UNCHANGED, id, all ? id : UNCHANGED);
  },
  setfsuid: ({ owner }) => owner.credentials.euid,
  setfsgid: ({ owner }) => owner.credentials.egid,
  getgroups: (thread, size, list) => {
    const { groups } = thread.owner.credentials;
    if ((size | 0) < 0 || (size > 0 && size < groups.length)) throw new Errno('EINVAL');
    if (size > 0) groups.forEach((group, i) => thread.memory.setU32(list + 4 * i, group));
    return groups.length;
  },
  setgroups: (thread, size, list) => {
    if (thread.owner.credentials.euid !== 0) throw new Errno('EPERM');
    if (size > 65536) throw new Errno('EINVAL');
    thread.owner.credentials.groups = Array.from({ length: size }, (_, i) => thread.memory.u32(list + 4 * i));
    return 0;
  },
  getpgid: (thread, pid) => processOf(thread, pid).group,
  getpgrp: ({ owner }) => owner.group,
  setpgid: setProcessGroup,
  getsid: (thread, pid) => processOf(thread, pid).session,
  setsid: ({ owner, kernel }) => {
    if ([...kernel.processes.values()].some(({ group }) => group === owner.pid)) throw new Errno('EPERM');
    owner.session = owner.pid;
    owner.group = owner.pid;
    return owner.pid;
  },
  getpriority: (thread, which, who) => {
    if (which !== PRIO_PROCESS) return PRIORITY_BIAS;
    return PRIORITY_BIAS - processOf(thread, who).niceness;
  },
  setpriority: (thread, which, who, niceness) => {
    if (which === PRIO_PROCESS) processOf(thread, who).niceness = Math.max(-20, Math.min(19, niceness | 0));
    return 0;
  },
  nice: ({ owner }, increment) => {
    owner.niceness = Math.max(-20, Math.min(19, owner.niceness + (increment | 0)));
    return 0;
  },
  getrlimit: (thread, resource, address) => {
    writeLimit(thread, address, limitOf(thread.owner, resource));
    return 0;
  },
  setrlimit: (thread, resource, address) => {
    setLimit(thread, thread.owner, resource, readLimit(thread, address));
    return 0;
  },
  prlimit64: prlimit,
  getrusage: (thread, who, address) => {
    const { owner } = thread;
    switch (who | 0) {
      case 0: // RUSAGE_SELF
        writeUsage(thread, address, owner.userNs, owner.space.pageFaults, owner.space.residentBytes);
        return 0;
      case -1: // RUSAGE_CHILDREN
        writeUsage(thread, address, owner.childrenNs, 0, 0);
        return 0;
      case 1: // RUSAGE_THREAD
        writeUsage(thread, address, thread.cpuNs, owner.space.pageFaults, owner.space.residentBytes);
        return 0;
      default:
        throw new Errno('EINVAL');
    }
  },
  prctl,
  // Every execution domain but Linux's own is gone; flags that turn off address randomisation are granted.
  personality: () => 0,
  capget: (thread, header, data) => {
    if (header === 0) throw new Errno('EFAULT');
    if (data !== 0) thread.memory.write(data, new Uint8Array(24).fill(thread.owner.credentials.euid === 0 ? 0xff : 0));
    return 0;
  },
  capset: () => 0,
  unshare: (thread, flags) => {
    if (flags !== 0) throw new Errno('EPERM');
    return 0;
  },
};
