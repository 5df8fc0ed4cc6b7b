import type { Scheduler } from '../../core/index.js';
import type { KernelAbi, UserCpu } from '../../targets/index.js';
import type { FileSystem, ProcessStatus } from '../files/index.js';
import { closeAll, createProcessFiles, execFiles, forkFiles, lookupExecutable } from '../files/index.js';
import { IpcNamespace } from '../ipc/index.js';
import { loadProgram } from '../loader/index.js';
import type { PagePool, TranslationCache } from '../memory/index.js';
import { GuestMemory, PageCache, VirtualMemory } from '../memory/index.js';
import type { KernelClock } from './clock.js';
import { Errno } from './contracts.js';
import { CORE_LIMIT } from './core-file.js';
import type { Entropy } from './entropy.js';
import { FutexTable, releaseRobustList } from './futex.js';
import { PiFutexTable } from './pi-futex.js';
import type { ExitStatus, ProgramIdentity } from './process.js';
import { Process, statusWord } from './process.js';
import { resolveProgram } from './script.js';
import { SignalSender } from './signal-sender.js';
import { PendingSignals, SIG_IGN, SignalCode, SignalHandlers, SignalTable } from './signals.js';
import { SS_DISABLE, Thread } from './thread.js';
import { ProcessTimers } from './timers.js';
import { traceeEnded, tracerEnded } from './tracing.js';

/** The first process; number 1 stands for the world outside, which adopts orphans. */
const FIRST_PID = 2;
/** Threads of all processes together, and processes, those included that nobody has waited for. */
const MAX_THREADS = 8192;
const DEFAULT_STACK_BYTES = 8 << 20;
const DEFAULT_MAX_FILES = 1024;
const HARD_MAX_FILES = 4096;

export interface KernelParts {
  readonly abi: KernelAbi;
  readonly clock: KernelClock;
  /** Counts executed instructions as virtual time. */
  readonly cpuScheduler: Scheduler;
  readonly pool: PagePool;
  readonly translations: TranslationCache;
  readonly files: FileSystem;
  readonly entropy: Entropy;
  readonly cpu: UserCpu;
  /** A line for the person who runs the guest. */
  readonly warn: (line: string) => void;
  /** Lets a thread run when its turn comes. */
  readonly makeReady: (thread: Thread) => void;
  /** Ends the turn of the thread that runs. */
  readonly yieldTurn: () => void;
}

/** What clone and its relatives create. */
export interface CloneRequest {
  readonly thread: boolean;
  readonly shareMemory: boolean;
  readonly shareFiles: boolean;
  readonly shareDirectories: boolean;
  readonly shareHandlers: boolean;
  /** The child's parent is the caller's. */
  readonly siblings: boolean;
  /** The caller waits until the child has ended or executed a program. */
  readonly vfork: boolean;
  readonly exitSignal: number;
}

/** A system of processes: who exists, how they come and go. What they are told is the signal sender's part, running them the run loop's. */
export class LinuxKernel {
  readonly processes = new Map<number, Process>();
  readonly threads = new Map<number, Thread>();
  readonly signals: SignalTable;
  readonly sender = new SignalSender(this);
  readonly futexes = new FutexTable();
  readonly piFutexes = new PiFutexTable();
  readonly ipc = new IpcNamespace();
  readonly pageCache: PageCache;
  /** Of the first process, once it has ended: the guest is over. */
  result: ExitStatus | undefined;
  #nextPid = FIRST_PID;
  #first: Process | undefined;
  /** Some thread has, or had, a real-time priority: the order of running is not just the order of arrival. */
  usesPriorities = false;
  /** Page faults of address spaces that are gone. */
  #faultsOfOld = 0;

  constructor(readonly parts: KernelParts) {
    this.signals = new SignalTable(parts.abi);
    this.pageCache = new PageCache(parts.pool, (pages, fromPage) => {
      for (const space of this.spaces) space.forget(pages, fromPage);
    });
    parts.files.filePages = this.pageCache;
  }

  get abi(): KernelAbi {
    return this.parts.abi;
  }

  get clock(): KernelClock {
    return this.parts.clock;
  }

  get first(): Process | undefined {
    return this.#first;
  }

  /** Address spaces of the processes that live. */
  get spaces(): ReadonlySet<VirtualMemory> {
    return new Set([...this.processes.values()].filter(({ isAlive }) => isAlive).map(({ space }) => space));
  }

  get pageFaults(): number {
    return [...this.spaces].reduce((sum, space) => sum + space.pageFaults, this.#faultsOfOld);
  }

  // ---- processes come ------------------------------------------------------------------------------------------------

  /**
   * Starts the first process.
   * @throws ProgramError for a file that cannot run here, Errno when it cannot be opened
   */
  start(program: {
    readonly path: Uint8Array;
    readonly argv: readonly Uint8Array[];
    readonly environment: readonly Uint8Array[];
    readonly cwd: string | undefined;
  }): void {
    const { abi, files } = this.parts;
    const space = this.#newSpace();
    const { stack, files: maxFiles } = abi.resources;
    const process = new Process(
      this,
      this.#takePid(),
      {
        parent: undefined,
        group: FIRST_PID,
        session: FIRST_PID,
        credentials: { uid: 0, gid: 0, euid: 0, egid: 0, savedUid: 0, savedGid: 0, groups: [0] },
        exitSignal: 0,
      },
      space,
      this.#memoryOf(space),
      createProcessFiles(files, program.cwd === undefined ? {} : { cwd: program.cwd }),
      new SignalHandlers(this.signals),
      new PendingSignals(this.signals),
      this.#timersOf(FIRST_PID),
      abi.resources.files,
    );
    process.limits = new Map([
      [stack, { soft: DEFAULT_STACK_BYTES, hard: Infinity }],
      [maxFiles, { soft: DEFAULT_MAX_FILES, hard: HARD_MAX_FILES }],
      [CORE_LIMIT, { soft: 0, hard: Infinity }],
    ]);
    this.#first = process;
    this.#register(process);
    const thread = new Thread(this, process, process.pid);
    process.threads.add(thread);
    this.threads.set(thread.tid, thread);
    try {
      this.execute(thread, program);
    } catch (error) {
      this.#forget(thread); // another name may be tried
      throw error;
    }
    thread.registers = this.parts.cpu.saveState();
    this.parts.makeReady(thread);
  }

  /** Undoes the creation of a first process whose program could not be loaded. */
  #forget(thread: Thread): void {
    const { owner } = thread;
    this.#endThread(thread, 0);
    closeAll(owner.files, owner.pid);
    this.reap(owner);
    this.#first = undefined;
    this.#nextPid = FIRST_PID;
  }

  #newSpace(): VirtualMemory {
    const { lowest, limit } = this.abi.addresses;
    return new VirtualMemory(this.parts.pool, this.parts.translations, lowest, limit);
  }

  #memoryOf(space: VirtualMemory): GuestMemory {
    return new GuestMemory(space, this.abi.byteOrder, this.abi.pointerBytes);
  }

  #takePid(): number {
    return this.#nextPid++;
  }

  #timersOf(pid: number): ProcessTimers {
    return new ProcessTimers(this.clock, () => {
      const process = this.processes.get(pid);
      if (process) this.sender.toProcess(process, this.signals.ofKernel('SIGALRM'));
    });
  }

  #register(process: Process): void {
    process.startNs = this.clock.monotonicNs();
    this.processes.set(process.pid, process);
    this.parts.files.processes.add(process.view, () => this.#statusOf(process));
  }

  #statusOf(process: Process): ProcessStatus {
    const leader = this.threads.get(process.pid);
    const tracedStop = leader?.trace?.stop !== undefined;
    const asleep = [...process.threads].every(({ sleep }) => sleep !== undefined);
    return {
      name: process.name,
      state: !process.isAlive ? 'Z' : tracedStop ? 't' : process.stoppedBy !== undefined ? 'T' : asleep ? 'S' : 'R',
      ...(leader?.trace && { tracerPid: leader.trace.tracer.pid }),
      tids: [...process.threads].map(({ tid }) => tid),
      processGroup: process.group,
      session: process.session,
      userNs: process.userNs,
      systemNs: 0,
      startNs: process.startNs,
      virtualBytes: process.space.map.sizeBytes,
      residentBytes: process.space.residentBytes,
      auxv: process.program.auxiliaryVector,
      ...(process.isAlive && { memory: process.memory }),
    };
  }

  /**
   * A new process or thread that is a copy of the calling one; its registers are those of `registers`.
   * @throws Errno EAGAIN when there are too many
   */
  clone(caller: Thread, request: CloneRequest, registers: Uint8Array): Thread {
    const { owner } = caller;
    if (this.threads.size >= MAX_THREADS || this.processes.size >= MAX_THREADS) throw new Errno('EAGAIN');
    const pid = this.#takePid();
    const process = request.thread ? owner : this.#cloneProcess(owner, pid, request);
    const thread = new Thread(this, process, pid);
    thread.registers = registers;
    thread.mask = caller.mask;
    thread.ioPriority = caller.ioPriority;
    if (!caller.resetOnFork) {
      thread.policy = caller.policy;
      thread.priority = caller.priority;
    }
    if (!request.shareMemory || request.vfork) thread.alternateStack = caller.alternateStack;
    process.threads.add(thread);
    this.threads.set(pid, thread);
    this.parts.makeReady(thread);
    return thread;
  }

  #cloneProcess(owner: Process, pid: number, request: CloneRequest): Process {
    const space = request.shareMemory ? owner.space.share() : owner.space.fork();
    const child = new Process(
      this,
      pid,
      {
        parent: request.siblings ? owner.parent : owner,
        group: owner.group,
        session: owner.session,
        credentials: { ...owner.credentials },
        exitSignal: request.exitSignal,
      },
      space,
      request.shareMemory ? owner.memory : this.#memoryOf(space),
      forkFiles(owner.files, { descriptors: request.shareFiles, directories: request.shareDirectories }),
      request.shareHandlers ? owner.handlers : owner.handlers.clone(),
      new PendingSignals(this.signals),
      this.#timersOf(pid),
      this.abi.resources.files,
    );
    child.vforked = request.vfork;
    child.umask = owner.umask;
    child.name = owner.name;
    child.program = owner.program;
    child.limits = new Map([...owner.limits].map(([resource, limit]) => [resource, { ...limit }]));
    child.niceness = owner.niceness;
    child.personality = owner.personality;
    this.#register(child);
    return child;
  }

  /**
   * execve: replaces the process's program. The caller's registers are loaded in the CPU and are the new program's
   * afterwards.
   * @throws ProgramError, Errno; the old program then goes on
   */
  execute(
    thread: Thread,
    request: {
      readonly path: Uint8Array;
      readonly argv: readonly Uint8Array[];
      readonly environment: readonly Uint8Array[];
      readonly directory?: number;
      readonly emptyPath?: boolean;
      readonly noFollow?: boolean;
    },
  ): void {
    const { abi, cpu, entropy } = this.parts;
    const { owner } = thread;
    const open = (path: Uint8Array | string, options?: Parameters<typeof lookupExecutable>[3]) =>
      lookupExecutable(owner.files, owner.view, path, options);
    const resolved = resolveProgram(request, open);
    const space = this.#newSpace();
    const memory = this.#memoryOf(space);
    const identity = { executable: resolved.file.path, argv: resolved.argv, environment: request.environment };
    let loaded: ReturnType<typeof loadProgram>;
    try {
      loaded = loadProgram(
        {
          abi,
          program: resolved.file,
          calledAs: request.path,
          argv: resolved.argv,
          environment: request.environment,
          credentials: owner.credentials,
          random: entropy.bytes(16),
          stackLimit: owner.limit(abi.resources.stack).soft,
          openInterpreter: (path) => open(path),
        },
        space,
        memory,
        this.pageCache,
      );
    } catch (error) {
      space.release();
      throw error;
    } finally {
      resolved.file.close();
    }
    // From here on there is no way back.
    for (const other of [...owner.threads]) if (other !== thread) this.#endThread(other, 0);
    if (thread.tid !== owner.pid) {
      this.threads.delete(thread.tid);
      thread.tid = owner.pid;
      this.threads.set(thread.tid, thread);
    }
    this.#leaveSpace(thread);
    owner.space = space;
    owner.memory = memory;
    owner.program = {
      ...identity,
      auxiliaryVector: loaded.auxiliaryVector,
      elfFlags: loaded.elfFlags,
    } satisfies ProgramIdentity;
    owner.name = baseName(request.path);
    owner.handlers = owner.handlers.exec();
    owner.timers.exec();
    owner.dumpable = 1;
    thread.alternateStack = { address: 0, size: 0, flags: SS_DISABLE };
    execFiles(owner.files, owner.pid);
    this.#endVfork(owner);
    cpu.startProgram(loaded.entry, loaded.stackPointer, loaded.wideFpRegisters);
  }

  #endVfork(process: Process): void {
    if (!process.vforked) return;
    process.vforked = false;
    process.vforkDone.wake();
  }

  /** A thread stops using its address space: who waits for that learns of it. */
  #leaveSpace(thread: Thread): void {
    const { owner } = thread;
    const wake = (address: number): void => {
      const key = this.futexKey(thread, address, false);
      if (key !== undefined) this.futexes.wake(key, 1);
    };
    try {
      if (thread.robustList !== 0) releaseRobustList(owner.memory, thread.robustList, thread.tid, wake);
      this.piFutexes.ownerEnded(thread);
      if (thread.clearChildTid !== 0 && (owner.space.shared || owner.threads.size > 1)) {
        owner.memory.setU32(thread.clearChildTid, 0);
        wake(thread.clearChildTid);
      }
    } catch (error) {
      if (!(error instanceof Errno)) throw error; // the program's lists point nowhere: nobody can be told
    }
    thread.robustList = 0;
    thread.clearChildTid = 0;
    if (owner.threads.size > 1) return;
    owner.peakResidentBytes = Math.max(owner.peakResidentBytes, owner.space.residentBytes);
    if (!owner.space.shared) this.#faultsOfOld += owner.space.pageFaults;
    owner.space.release();
  }

  /** A number that is the same for all who see the word; undefined where nothing is mapped. */
  futexKey(thread: Thread, address: number, isPrivate: boolean): number | undefined {
    const { space } = thread.owner;
    const mapping = space.map.find(address);
    if (!mapping) return undefined;
    if (isPrivate || !mapping.shared) return space.identifier * 2 ** 32 + address;
    const found = space.resolve(address, 0);
    return 'physical' in found ? -1 - found.physical : undefined;
  }

  // ---- processes go --------------------------------------------------------------------------------------------------

  /** One thread ends; with the last one its process. */
  exitThread(thread: Thread, code: number): void {
    const { owner } = thread;
    if (owner.threads.size === 1) this.exitProcess(owner, { kind: 'exited', code });
    else this.#endThread(thread, (code & 0xff) << 8);
  }

  exitProcess(process: Process, status: ExitStatus): void {
    if (!process.isAlive) return;
    tracerEnded(process);
    const word = statusWord(status);
    // The thread with the process's number stands for the process, and ends last.
    const threads = [...process.threads].toSorted(
      (a, b) => Number(a.tid === process.pid) - Number(b.tid === process.pid),
    );
    const leader = threads.at(-1);
    for (const thread of threads) if (thread !== leader) this.#endThread(thread, word);
    const told = leader && this.#endThread(leader, word, true);
    process.status = status;
    process.ended.wake();
    process.stoppedBy = undefined;
    process.timers.end();
    for (const set of this.ipc.semaphores.all) set.processEnded(process);
    closeAll(process.files, process.pid);
    this.#endVfork(process);
    for (const child of process.children) this.#orphan(child);
    process.children.clear();
    if (process === this.#first) this.result = status;
    if (!told) this.reportEnd(process, status);
  }

  /**
   * @param word status that a tracer is told. @param last the process ends with it
   * @returns whether the tracer has to be told of the process's end before its parent
   */
  #endThread(thread: Thread, word: number, last = false): boolean {
    const { owner } = thread;
    const told = traceeEnded(thread, word, last);
    if (thread.sleep) {
      thread.sleep.detach();
      thread.sleep.blocked.cancel?.();
      thread.sleep = undefined;
    }
    this.#leaveSpace(thread);
    thread.alive = false;
    owner.threads.delete(thread);
    this.threads.delete(thread.tid);
    return told;
  }

  #orphan(child: Process): void {
    child.parent = undefined;
    if (!child.isAlive) this.reap(child);
    else if (child.parentDeathSignal !== 0)
      this.sender.toProcess(child, { signal: child.parentDeathSignal, code: 0, detail: { kind: 'none' } });
  }

  /** Tells the parent of a process's end; after a tracer has taken note of it, if there was one. */
  reportEnd(process: Process, status: ExitStatus): void {
    const { parent } = process;
    if (!parent) return this.reap(process);
    const child = this.signals.number('SIGCHLD');
    const action = parent.handlers.get(child);
    const unwanted = action.handler === SIG_IGN || (action.flags & this.abi.actionFlags.noChildWait) !== 0;
    if (process.exitSignal !== 0) {
      const [code, value] =
        status.kind === 'exited'
          ? [SignalCode.ChildExited, status.code]
          : [status.dumped ? SignalCode.ChildDumped : SignalCode.ChildKilled, status.signal];
      this.sender.toParent(process, process.exitSignal, code, value);
    }
    if (unwanted && process.exitSignal === child) {
      parent.childrenNs += process.userNs + process.childrenNs;
      this.reap(process);
    }
    parent.childChange.wake();
  }

  /** The process was waited for: nothing of it remains. */
  reap(process: Process): void {
    process.parent?.children.delete(process);
    this.processes.delete(process.pid);
    this.parts.files.processes.remove(process.pid);
  }
}

/** A command's name as the kernel keeps it: the last component, 15 bytes. */
function baseName(path: Uint8Array): string {
  const text = Buffer.from(path).toString('latin1');
  return text.slice(text.lastIndexOf('/') + 1).slice(0, 15);
}
