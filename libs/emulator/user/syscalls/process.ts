/** How processes begin and end: execve(2), exit(2), wait4(2), getrusage(2). */
import type { SyscallResult } from '../kernel/contracts.js';
import { Errno } from '../kernel/contracts.js';
import type { ExitStatus, Process } from '../kernel/process.js';
import { statusWord } from '../kernel/process.js';
import type { KernelResult, KernelSyscall } from '../kernel/run-loop.js';
import { NO_RESULT } from '../kernel/run-loop.js';
import { SignalCode } from '../kernel/signals.js';
import type { Thread } from '../kernel/thread.js';
import { ProgramError } from '../loader/index.js';
import { exitTraced, noteEnd, traceeExecuted } from '../kernel/tracing.js';
import { processAt } from './pidfd.js';
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
  const { tid } = thread;
  try {
    thread.kernel.execute(thread, request);
    traceeExecuted(thread, tid);
  } catch (error) {
    if (!(error instanceof ProgramError)) throw error;
    const name = Buffer.from(request.path).toString();
    thread.kernel.parts.warn(`${name} ${error.message}. ${error.mend}.`);
    throw new Errno(error.fault === 'missing interpreter' ? 'ENOENT' : 'ENOEXEC');
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
const P_PIDFD = 3;

/** Something that a process waits for: a child, or a thread that it traces. */
interface Awaited {
  readonly tid: number;
  readonly process: Process;
}

/** What one of them has to tell. */
interface ChildEvent extends Awaited {
  readonly code: number;
  /** Exit code or signal, as siginfo's si_status. */
  readonly value: number;
  /** As wait4's status word. */
  readonly word: number;
  /** Takes the event away. */
  readonly take: () => void;
}

function childEnd(thread: Thread, child: Process, status: ExitStatus): ChildEvent {
  const common = {
    tid: child.pid,
    process: child,
    take: () => {
      thread.owner.childrenNs += child.userNs + child.childrenNs;
      thread.kernel.reap(child);
    },
  };
  const word = statusWord(status);
  if (status.kind === 'exited') return { ...common, code: SignalCode.ChildExited, value: status.code, word };
  return {
    ...common,
    code: status.dumped ? SignalCode.ChildDumped : SignalCode.ChildKilled,
    value: status.signal,
    word,
  };
}

/** The first event of a thread that the caller traces. */
function traceeEvent({ owner }: Thread, matches: (one: Awaited) => boolean, options: number): ChildEvent | undefined {
  const index = options & WEXITED ? owner.tracedEnds.findIndex(matches) : -1;
  const end = owner.tracedEnds[index];
  if (end) {
    const { tid, process, word } = end;
    const killed = (word & 0x7f) !== 0;
    return {
      ...{ tid, process, word, code: killed ? SignalCode.ChildKilled : SignalCode.ChildExited },
      value: killed ? word & 0x7f : word >>> 8,
      take: () => {
        owner.tracedEnds.splice(index, 1);
        noteEnd(end);
      },
    };
  }
  for (const { tid, owner: process, trace } of owner.tracees) {
    const stop = trace?.stop;
    if (!stop || stop.reported || !matches({ tid, process })) continue;
    const { status } = stop;
    return {
      ...{ tid, process, code: SignalCode.ChildTrapped, value: status, word: (status << 8) | 0x7f },
      take: () => (stop.reported = true),
    };
  }
  return undefined;
}

/** The first event of a child that is asked for. */
function childEvent(thread: Thread, matches: (one: Awaited) => boolean, options: number): ChildEvent | undefined {
  const { signals } = thread.kernel;
  for (const child of thread.owner.children) {
    if (!matches({ tid: child.pid, process: child }) || child.awaitsTracer) continue;
    if (child.status && options & WEXITED) return childEnd(thread, child, child.status);
    const common = { tid: child.pid, process: child, take: () => (child.unreported = undefined) };
    if (child.unreported === 'stopped' && options & WUNTRACED) {
      const signal = child.stoppedBy ?? 0;
      return { ...common, code: SignalCode.ChildStopped, value: signal, word: (signal << 8) | 0x7f };
    }
    if (child.unreported === 'continued' && options & WCONTINUED)
      return { ...common, code: SignalCode.ChildContinued, value: signals.number('SIGCONT'), word: 0xffff };
  }
  return undefined;
}

function waitFor(
  thread: Thread,
  matches: (one: Awaited) => boolean,
  options: number,
  report: (event: ChildEvent | undefined) => number,
): SyscallResult {
  const { owner } = thread;
  const anybody = (): boolean =>
    [...owner.children].some((child) => matches({ tid: child.pid, process: child })) ||
    [...owner.tracees].some(({ tid, owner: process }) => matches({ tid, process })) ||
    owner.tracedEnds.some(matches);
  const wait = (): SyscallResult => {
    if (!anybody()) throw new Errno('ECHILD');
    const event = traceeEvent(thread, matches, options) ?? childEvent(thread, matches, options);
    if (event) {
      const result = report(event);
      if (!(options & WNOWAIT)) event.take();
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
  const matches = ({ tid, process }: Awaited): boolean =>
    which === -1 || (which > 0 ? tid === which : process.group === group);
  return waitFor(thread, matches, (options & ~WALL) | WEXITED, (event) => {
    if (!event) return 0;
    if (status !== 0) thread.memory.setU32(status, event.word);
    const { tid, process } = event;
    if (usage !== 0)
      writeUsage(
        thread,
        usage,
        process.userNs + process.childrenNs,
        process.space.pageFaults,
        process.peakResidentBytes,
      );
    return tid;
  });
}

function waitid(thread: Thread, type: number, id: number, info: number, options: number, usage: number): SyscallResult {
  if (!(options & (WEXITED | WUNTRACED | WCONTINUED))) throw new Errno('EINVAL');
  if (type > P_PIDFD) throw new Errno('EINVAL');
  const held = type === P_PIDFD ? processAt(thread, id) : undefined;
  const group = id === 0 ? thread.owner.group : id;
  const matches = ({ tid, process }: Awaited): boolean =>
    held ? process === held.process : type === P_ALL || (type === P_PID ? tid === id : process.group === group);
  const mayWait = held?.nonblocking ? WNOHANG : 0;
  return waitFor(thread, matches, options | mayWait, (event) => {
    if (!event && held?.nonblocking && !(options & WNOHANG)) throw new Errno('EAGAIN');
    const { abi, signals } = thread.kernel;
    const bytes = event
      ? abi.encodeSignalInfo({
          signal: signals.number('SIGCHLD'),
          code: event.code,
          detail: {
            kind: 'child',
            pid: event.tid,
            uid: event.process.credentials.uid,
            status: event.value,
            userTicks: 0,
            systemTicks: 0,
          },
        })
      : new Uint8Array(128);
    // Only the fields of SIGCHLD are stored, not the whole union.
    if (info !== 0) thread.memory.write(info, bytes.subarray(0, 12 + 3 * 4 + (abi.pointerBytes === 8 ? 4 : 0)));
    if (usage !== 0 && event)
      writeUsage(thread, usage, event.process.userNs, event.process.space.pageFaults, event.process.peakResidentBytes);
    return 0;
  });
}

export const processSyscalls: Readonly<Record<string, KernelSyscall>> = {
  execve: (thread, path, argv, environment) => execute(thread, path, argv, environment),
  execveat: (thread, directory, path, argv, environment, flags) =>
    execute(thread, path, argv, environment, {
      ...((directory | 0) === AT_FDCWD ? {} : { directory: directory | 0 }),
      emptyPath: (flags & AT_EMPTY_PATH) !== 0,
      noFollow: (flags & AT_SYMLINK_NOFOLLOW) !== 0,
    }),
  exit: (thread, code) => {
    exitTraced(thread, (code & 0xff) << 8, () => thread.kernel.exitThread(thread, code & 0xff));
    return NO_RESULT;
  },
  exit_group: (thread, code) => {
    const end = (): void => thread.kernel.exitProcess(thread.owner, { kind: 'exited', code: code & 0xff });
    exitTraced(thread, (code & 0xff) << 8, end);
    return NO_RESULT;
  },
  wait4,
  waitpid: (thread, pid, status, options) => wait4(thread, pid, status, options, 0),
  waitid,

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
};
