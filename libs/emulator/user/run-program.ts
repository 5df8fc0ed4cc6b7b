import type { InterpreterStore, TranslationServiceFactory, TranslationStats } from '../accel/index.js';
import { InterpreterVcpu } from '../accel/index.js';
import { ConfigError, fingerprint, Scheduler } from '../core/index.js';
import { AddressSpace, LinearMemory, PAGE_BYTES } from '../memory/index.js';
import type { EngineHost, KernelAbi, UserCpu } from '../targets/index.js';
import { ABIS } from './architectures.js';
import type { Architecture } from './architectures.js';
import type { FileSystem, FileSystemOptions, GuestFile } from './files/index.js';
import { createFileSystem, filesAt, fileSyscalls } from './files/index.js';
import { DEFAULT_EPOCH_NS, VirtualClock, WallClock } from './kernel/clock.js';
import { Errno } from './kernel/contracts.js';
import { Entropy } from './kernel/entropy.js';
import { LinuxKernel } from './kernel/linux-kernel.js';
import { ProcessMmu } from './kernel/mmu.js';
import type { ExitStatus } from './kernel/process.js';
import type { KernelSyscall, RunLoopParts } from './kernel/run-loop.js';
import { RunLoop } from './kernel/run-loop.js';
import { SignalCode } from './kernel/signals.js';
import { SyscallTracer } from './kernel/strace.js';
import { PagePool } from './memory/index.js';
import { isAbsence, startFailure } from './start-failure.js';
import { KERNEL_SYSCALLS, SELDOM_SYSCALLS, SYSTEM } from './syscalls/index.js';

export const NETWORK_ACCESS = ['none', 'loopback', 'host'] as const;
export type NetworkAccess = (typeof NETWORK_ACCESS)[number];

/** 500 million instructions a virtual second: about what a loop that measures time sees of a fast core of the kind. */
const NS_PER_INSTRUCTION = 2;
export const DEFAULT_MEMORY_BYTES = 2 ** 30;
const MIN_MEMORY_BYTES = 2 ** 20;
const MAX_MEMORY_BYTES = 3 * 2 ** 30;
/** Address space whose pages may lie at their own physical address: all that user mode has on 32-bit MIPS. */
const MIRRORED_BYTES = 2 ** 31;
/** The rest of a memory of 4 GiB, with room for tables. */
const MAX_UNMIRRORED_BYTES = 1.75 * 2 ** 30;
const DEFAULT_JIT_THRESHOLD = 4000;
/** About 10 ms, less than what the first translation takes in a process that has made none. */
const DEFAULT_TRANSLATE_AFTER = 1_000_000;
const DEFAULT_SEED = 1;
/** Where programs are searched when the environment has no PATH, as execvp does it. */
const DEFAULT_PATH = '/usr/local/bin:/usr/bin:/bin';

export interface ProgramOptions {
  readonly arch: Architecture;
  /** Guest path of the program; without a slash it is also searched along PATH. */
  readonly program: string;
  /** What follows the program's name in argv. */
  readonly args?: readonly string[];
  /** argv[0], by default the program as it was named. */
  readonly argv0?: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** Guest directory; default `/`. */
  readonly cwd?: string;
  /** What the guest sees as files, and its standard streams. */
  readonly files: Omit<FileSystemOptions, 'clock' | 'seed' | 'system' | 'network'>;
  /**
   * What internet sockets reach: `none` nothing, `loopback` (default) each other inside the guest, `host` the host's network as
   * well. With `host` a run depends on the network, and virtual time passes with the host's while a thread waits for a socket.
   */
  readonly network?: NetworkAccess;
  /** `virtual` (default): time passes with instructions and is skipped while all sleep; `wall`: the host's time. */
  readonly clock?: 'virtual' | 'wall';
  /** Start of the virtual real-time clock, ns since 1970. */
  readonly epochNs?: bigint;
  /** Guest time after which the run ends, whatever the program does. */
  readonly limitNs?: number;
  /** Memory of all processes together. */
  readonly memoryBytes?: number;
  /** Determines every random byte that the guest gets. */
  readonly seed?: number;
  /** What runs the CPU: `jit` (default) translates hot code, `interp` interprets everything. */
  readonly accel?: 'jit' | 'interp';
  /** Visits of a branch target before it is translated. */
  readonly jitThreshold?: number;
  /** Where translations are made, and kept under the program's digest; default: in this thread, and not kept. */
  readonly translationService?: TranslationServiceFactory;
  /** Instructions before anything is translated; by default a million, or none where {@link jitThreshold} is given. */
  readonly translateAfter?: number;
  /** Interpreters generated before, which saves the time to generate one. */
  readonly interpreters?: InterpreterStore;
  /** Takes the lines of a system call trace. */
  readonly trace?: (line: string) => void;
  /** Takes remarks for the person who runs the program. */
  readonly warn?: (line: string) => void;
}

export interface ProgramStats {
  readonly instructions: number;
  readonly virtualNs: number;
  readonly syscalls: Readonly<Record<string, number>>;
  readonly pageFaults: number;
  readonly tlbMisses: number;
  readonly peakMemoryBytes: number;
  /** Absent where nothing is translated. */
  readonly translation?: Readonly<TranslationStats>;
}

export type ProgramResult =
  | { readonly kind: 'exited'; readonly code: number }
  /** `name` as in `SIGSEGV`; `number` in the guest's numbering. */
  | { readonly kind: 'killed'; readonly signal: string; readonly number: number }
  /** {@link ProgramRun.stop} ended it. */
  | { readonly kind: 'stopped' }
  /** It used up {@link ProgramOptions.limitNs}. */
  | { readonly kind: 'timeout' };

/** Signals that a terminal sends to its whole foreground process group. */
const TERMINAL_SIGNALS = new Set(['SIGINT', 'SIGQUIT', 'SIGTSTP', 'SIGWINCH', 'SIGHUP']);

/** Where guest instructions run: the CPU and all memory of the guest. */
interface Engine {
  readonly abi: KernelAbi;
  readonly pool: PagePool;
  readonly mmu: ProcessMmu;
  readonly cpuScheduler: Scheduler;
  readonly vcpu: InterpreterVcpu;
  readonly cpu: UserCpu;
  readonly host: EngineHost;
}

async function createEngine(
  options: Omit<ProgramOptions, 'program' | 'files'>,
  image?: () => string | undefined,
): Promise<Engine> {
  const memoryBytes = options.memoryBytes ?? DEFAULT_MEMORY_BYTES;
  if (memoryBytes < MIN_MEMORY_BYTES || memoryBytes > MAX_MEMORY_BYTES)
    throw new ConfigError('memory', `${memoryBytes} bytes are not possible`, 'Choose between 1M and 3G');
  const abi = ABIS[options.arch]();
  const limitPages = Math.floor(memoryBytes / PAGE_BYTES);
  const poolBytes = MIRRORED_BYTES + Math.min(limitPages * PAGE_BYTES, MAX_UNMIRRORED_BYTES);
  const linear = new LinearMemory(
    InterpreterVcpu.linearBytes + InterpreterVcpu.mirrorBytes + LinearMemory.ramFootprint(poolBytes),
  );
  const block = linear.allocateRam('pages', poolBytes);
  const pool = new PagePool(block, MIRRORED_BYTES / PAGE_BYTES, limitPages);
  const bus = new AddressSpace('physical pages');
  bus.mapRam('pages', 0, pool.block);
  const mmu = new ProcessMmu(pool.block);
  const cpuScheduler = new Scheduler();
  let engine: { cpu: UserCpu; host: EngineHost } | undefined;
  const vcpu = await InterpreterVcpu.create({
    memory: linear,
    bus,
    scheduler: cpuScheduler,
    byteOrder: abi.byteOrder,
    nsPerInstruction: NS_PER_INSTRUCTION,
    deviceAccessNs: NS_PER_INSTRUCTION,
    translation:
      options.accel === 'interp'
        ? undefined
        : {
            ...{ threshold: options.jitThreshold ?? DEFAULT_JIT_THRESHOLD, service: options.translationService },
            ...{ image, warn: options.warn },
          },
    translateAfter:
      options.translateAfter ?? (options.jitThreshold === undefined ? DEFAULT_TRANSLATE_AFTER : undefined),
    interpreters: options.interpreters,
    mirror: block,
    createCore: (host) => {
      const cpu = abi.createCpu(host, mmu, () => Math.floor(cpuScheduler.nowNs / NS_PER_INSTRUCTION));
      engine = { cpu, host };
      return cpu;
    },
  });
  if (!engine) throw new Error('the engine made no CPU'); // its contract is to call createCore
  return { abi, pool, mmu, cpuScheduler, vcpu, ...engine };
}

/** A Linux program, with the processes it starts, on an emulated CPU. */
export class ProgramRun {
  readonly #kernel: LinuxKernel;
  readonly #loop: RunLoop;
  readonly #vcpu: InterpreterVcpu;
  readonly #files: FileSystem;
  readonly #pool: PagePool;
  #timedOut = false;
  /** Process group that the guest moved to the terminal's foreground. */
  #foregroundGroup: number | undefined;

  /**
   * Makes the machine and loads the program; nothing runs yet.
   * @throws ConfigError naming the option that is wrong and the mend
   */
  static async create(options: ProgramOptions): Promise<ProgramRun> {
    // Asked for when something is hot: the program has been loaded by then.
    const image = options.translationService && ((): string | undefined => run.#image());
    const run: ProgramRun = new ProgramRun(options, await createEngine(options, image), await networkOf(options));
    return run;
  }

  private constructor(options: ProgramOptions, machine: Engine, network: FileSystemOptions['network'] & {}) {
    const { abi, pool, cpuScheduler, vcpu, cpu, host, mmu } = machine;
    const clock =
      options.clock === 'wall'
        ? new WallClock(new Scheduler())
        : new VirtualClock(cpuScheduler, options.epochNs ?? DEFAULT_EPOCH_NS);
    const seed = options.seed ?? DEFAULT_SEED;
    const warn = options.warn ?? (() => undefined);
    const { terminal } = options.files;
    this.#vcpu = vcpu;
    this.#pool = pool;
    this.#files = createFileSystem({
      ...options.files,
      network,
      ...(terminal && {
        terminal: {
          descriptors: terminal.descriptors,
          size: () => terminal.size(),
          setMode: (mode) => terminal.setMode?.(mode),
          setForegroundGroup: (group) => (this.#foregroundGroup = group),
        },
      }),
      clock,
      seed,
      system: {
        hostname: SYSTEM.hostname,
        release: SYSTEM.release,
        version: SYSTEM.version,
        cpuinfo: abi.cpuinfo,
        memoryBytes: pool.totalPages * PAGE_BYTES,
      },
    });
    this.#kernel = new LinuxKernel({
      abi,
      clock,
      cpuScheduler,
      pool,
      translations: host,
      files: this.#files,
      entropy: new Entropy(seed),
      cpu,
      warn,
      makeReady: (thread) => this.#loop.makeReady(thread),
      yieldTurn: () => this.#loop.yieldTurn(),
    });
    this.#loop = new RunLoop({
      kernel: this.#kernel,
      vcpu,
      cpu,
      host,
      mmu,
      syscall: syscallLookup([...KERNEL_SYSCALLS, ...fileSyscalls(abi.files), ...SELDOM_SYSCALLS]),
      cpuScheduler,
      nsPerInstruction: NS_PER_INSTRUCTION,
      tracer: options.trace ? new SyscallTracer(options.trace) : undefined,
      warn,
    });
    this.#start(options);
    if (options.limitNs !== undefined)
      clock.at(options.limitNs, () => {
        this.#timedOut = true;
        this.stop();
      });
  }

  /** Guest time since the start. */
  get nowNs(): number {
    return this.#kernel.clock.monotonicNs();
  }

  #start(options: ProgramOptions): void {
    const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
    const { program, args = [], environment = {} } = options;
    const start = {
      argv: [options.argv0 ?? program, ...args].map(encode),
      environment: Object.entries(environment).map(([name, value]) => encode(`${name}=${value}`)),
      cwd: options.cwd,
    };
    const path = environment['PATH'] ?? DEFAULT_PATH;
    const searched = program.includes('/') ? [] : path.split(':').map((folder) => `${folder || '.'}/${program}`);
    const failed = (error: unknown): unknown =>
      startFailure(error, program, { arch: options.arch, root: options.files.root });
    let passedBy: Errno | undefined;
    for (const candidate of [program, ...searched]) {
      try {
        return this.#kernel.start({ ...start, path: encode(candidate) });
      } catch (error) {
        // Looks on where execvp(3) would. A file that is unfit says more than places where there is none.
        if (!(error instanceof Errno) || !(error.code === 'ENOENT' || error.code === 'EACCES')) throw failed(error);
        if (!passedBy || isAbsence(passedBy)) passedBy = error;
      }
    }
    throw failed(passedBy);
  }

  /** Runs until the program has ended, or {@link stop} was called. */
  async run(): Promise<ProgramResult> {
    try {
      await this.#loop.run();
      await this.#files.drain();
    } finally {
      this.#files.close();
      this.#vcpu.close();
    }
    const status = this.#kernel.result;
    if (status) return this.#resultOf(status);
    return { kind: this.#timedOut ? 'timeout' : 'stopped' };
  }

  #resultOf(status: ExitStatus): ProgramResult {
    if (status.kind === 'exited') return status;
    return { kind: 'killed', signal: this.#kernel.signals.name(status.signal), number: status.signal };
  }

  /**
   * What is at an absolute path of the guest's tree; of a directory, all below it too. For after {@link run}.
   * @returns nothing where there is no such file
   */
  filesAt(path: string): Iterable<GuestFile> {
    return filesAt(this.#files.mounts, path, (inode) => this.#files.openContent(inode, { read: true, write: false }));
  }

  /**
   * Names what runs, for whoever keeps translations: the first process's executable by its size and first page, where ELF has its headers and
   * linkers a number of the build. It only chooses what is worth loading.
   */
  #image(): string | undefined {
    const path = this.#kernel.first?.program.executable;
    for (const file of path ? this.filesAt(path) : []) {
      if (file.kind !== 'file') return undefined;
      const head = Buffer.alloc(PAGE_BYTES);
      return fingerprint(`${file.sizeBytes} ${head.toString('latin1', 0, file.read(0, head))}`);
    }
    return undefined;
  }

  /** Ends {@link run} soon, with the program unfinished. */
  stop(): void {
    this.#loop.stop();
  }

  /** Sends a signal, by name, from outside: a terminal's to the foreground process group, others to the program. */
  signal(name: string): void {
    const first = this.#kernel.first;
    if (!first) return;
    const signal = this.#kernel.signals.number(name);
    const fromTerminal = TERMINAL_SIGNALS.has(name);
    const receivers = fromTerminal
      ? [...this.#kernel.processes.values()].filter(({ group }) => group === (this.#foregroundGroup ?? first.group))
      : [first];
    const code = fromTerminal ? SignalCode.Kernel : SignalCode.User;
    for (const process of receivers)
      this.#kernel.sender.toProcess(process, { signal, code, detail: { kind: 'sender', pid: 0, uid: 0 } });
  }

  get stats(): ProgramStats {
    const { instructions, tlbMisses, translation } = this.#vcpu.stats;
    return {
      instructions,
      virtualNs: this.#kernel.clock.monotonicNs(),
      syscalls: Object.fromEntries([...this.#loop.syscallCounts].toSorted(([, a], [, b]) => b - a)),
      pageFaults: this.#kernel.pageFaults,
      tlbMisses,
      peakMemoryBytes: this.#pool.peakPages * PAGE_BYTES,
      ...(translation && { translation: { ...translation } }),
    };
  }
}

/** Finds a call in the first table that has it. */
function syscallLookup(tables: readonly (() => Readonly<Record<string, KernelSyscall>>)[]): RunLoopParts['syscall'] {
  const found = new Map<string, KernelSyscall>();
  return (name) => {
    const known = found.get(name);
    if (known) return known;
    for (const table of tables) {
      const handler = table()[name];
      if (!handler) continue;
      found.set(name, handler);
      return handler;
    }
    return undefined;
  };
}

/** Node's network modules are loaded for programs that may use them. */
async function networkOf({ network = 'loopback' }: ProgramOptions): Promise<FileSystemOptions['network'] & {}> {
  if (network !== 'host') return network;
  const { HostNetwork } = await import('./files/sockets/host-network.js');
  return new HostNetwork();
}

/** Generates the interpreter that programs run on with these options, for later runs to find in the store. */
export async function prepareInterpreter(
  options: Pick<ProgramOptions, 'arch' | 'accel'>,
  interpreters: InterpreterStore,
): Promise<void> {
  const { vcpu } = await createEngine({ ...options, interpreters });
  vcpu.close();
}

/** Makes a {@link ProgramRun} and runs it to its end. */
export async function runProgram(options: ProgramOptions): Promise<ProgramResult & { readonly stats: ProgramStats }> {
  const run = await ProgramRun.create(options);
  const result = await run.run();
  return { ...result, stats: run.stats };
}
