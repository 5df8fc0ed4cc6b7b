import type { Credentials, SyscallContext } from './contracts.js';
import { WaitQueue } from './contracts.js';
import type { GuestMemory, VirtualMemory } from '../memory/index.js';
import type { ProcessFiles } from '../files/index.js';
import type { LinuxKernel } from './linux-kernel.js';
import type { PendingSignals, SignalHandlers } from './signals.js';
import type { Thread } from './thread.js';
import type { ProcessTimers } from './timers.js';
import type { TracedEnd } from './tracing.js';

/** How a process ended, or what a stopped one does: what wait reports. */
export type ExitStatus =
  | { readonly kind: 'exited'; readonly code: number }
  /** `dumped`: it left a core file. */
  | { readonly kind: 'killed'; readonly signal: number; readonly dumped?: boolean };

/** As wait4 shows it. */
export const statusWord = (status: ExitStatus): number =>
  status.kind === 'exited' ? (status.code & 0xff) << 8 : (status.signal & 0x7f) | (status.dumped ? 0x80 : 0);

export interface ResourceLimit {
  /** Infinity: none. */
  soft: number;
  hard: number;
}

export interface ProgramIdentity {
  /** Absolute guest path: /proc/self/exe. */
  readonly executable: string;
  readonly argv: readonly Uint8Array[];
  readonly environment: readonly Uint8Array[];
  readonly auxiliaryVector: Uint8Array;
  /** e_flags of its file. */
  readonly elfFlags: number;
}

/** A process: what its threads have in common. */
export class Process {
  readonly threads = new Set<Thread>();
  readonly children = new Set<Process>();
  /** Threads of other processes that it traces, and their ends, of which nobody has heard yet. */
  readonly tracees = new Set<Thread>();
  readonly tracedEnds: TracedEnd[] = [];
  /** Woken when a child changes its state. */
  readonly childChange = new WaitQueue();
  /** Woken when a signal becomes pending for any thread. */
  readonly signalArrival = new WaitQueue();
  /** Woken when it has ended. */
  readonly ended = new WaitQueue();
  /** Woken when execve succeeded or the process ended: what vfork waits for. */
  readonly vforkDone = new WaitQueue();
  /** The address space still belongs to the parent, which waits. */
  vforked = false;

  parent: Process | undefined;
  group: number;
  session: number;
  credentials: Credentials & { savedUid: number; savedGid: number; groups: readonly number[] };
  umask = 0o022;
  /** PR_SET_NAME, 15 bytes at most. */
  name = '';
  program: ProgramIdentity = {
    executable: '',
    argv: [],
    environment: [],
    auxiliaryVector: new Uint8Array(),
    elfFlags: 0,
  };
  limits: Map<number, ResourceLimit> = new Map();
  parentDeathSignal = 0;
  /** personality(2): flags that nothing here depends on; addresses are the same in every run anyway. */
  personality = 0;
  dumpable = 1;
  niceness = 0;

  /** Signal that tells the parent of this process's end. */
  exitSignal: number;
  status: ExitStatus | undefined;
  /** Its end is known to its tracer only, which comes before its parent. */
  awaitsTracer = false;
  /** Signal that stopped it. */
  stoppedBy: number | undefined;
  /** A stop or continuation that wait has not reported yet. */
  unreported: 'stopped' | 'continued' | undefined;

  /** Processor time of threads, in virtual ns. */
  userNs = 0;
  /** Of children that were waited for, and theirs. */
  childrenNs = 0;
  peakResidentBytes = 0;
  startNs = 0;

  constructor(
    readonly kernel: LinuxKernel,
    readonly pid: number,
    origin: {
      readonly parent: Process | undefined;
      readonly group: number;
      readonly session: number;
      readonly credentials: Process['credentials'];
      readonly exitSignal: number;
    },
    public space: VirtualMemory,
    public memory: GuestMemory,
    public files: ProcessFiles,
    public handlers: SignalHandlers,
    public readonly pending: PendingSignals,
    readonly timers: ProcessTimers,
    private readonly filesLimit: number,
  ) {
    this.parent = origin.parent;
    this.group = origin.group;
    this.session = origin.session;
    this.credentials = origin.credentials;
    this.exitSignal = origin.exitSignal;
    origin.parent?.children.add(this);
  }

  get parentPid(): number {
    return this.parent?.pid ?? 1;
  }

  get isAlive(): boolean {
    return this.status === undefined;
  }

  limit(resource: number): ResourceLimit {
    return this.limits.get(resource) ?? { soft: Infinity, hard: Infinity };
  }

  // ---- what the file half sees: SyscallContext.process ---------------------------------------------------------------

  readonly view: SyscallContext['process'] = ((process: Process) => ({
    get pid() {
      return process.pid;
    },
    get parentPid() {
      return process.parentPid;
    },
    get credentials() {
      return process.credentials;
    },
    get executable() {
      return process.program.executable;
    },
    get argv() {
      return process.program.argv;
    },
    get environment() {
      return process.program.environment;
    },
    maps: () => process.space.describe(),
    get maxFiles() {
      return process.limit(process.filesLimit).soft;
    },
    get umask() {
      return process.umask;
    },
    setUmask: (mask: number) => {
      process.umask = mask & 0o777;
    },
    get files() {
      return process.files;
    },
  }))(this);
}
