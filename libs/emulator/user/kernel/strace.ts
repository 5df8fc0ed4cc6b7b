import type { SignalInfo } from '../../targets/index.js';
import { errorText } from './error-text.js';
import { SignalCode } from './signals.js';
import type { Thread } from './thread.js';

/**
 * How arguments are shown, one letter each: `s` a string in memory, `b` a buffer that the call reads (its length is the next
 * argument), `B` a buffer that it fills, `d` signed, `u` unsigned, `x` hexadecimal, `p` a pointer, `o` an octal mode, `f` a
 * descriptor, `a` a directory's descriptor, `A` a vector of strings, `S` a signal, and the flag sets named below.
 */
const SIGNATURES: Readonly<Record<string, string>> = {
  access: 'so',
  alarm: 'u',
  brk: 'p',
  chdir: 's',
  chmod: 'so',
  chown: 'sdd',
  clock_gettime: 'dp',
  clock_gettime64: 'dp',
  clone: 'Cpppp',
  close: 'f',
  connect: 'fpu',
  dup: 'f',
  dup2: 'fd',
  dup3: 'fdF',
  execve: 'sAp',
  execveat: 'asApx',
  exit: 'd',
  exit_group: 'd',
  faccessat: 'aso',
  faccessat2: 'asox',
  fchmod: 'fo',
  fchmodat: 'aso',
  fcntl64: 'fdx',
  fstat64: 'fp',
  fstatat64: 'aspx',
  ftruncate64: 'fxxx',
  futex: 'pUuppu',
  futex_time64: 'pUuppu',
  getcwd: 'Bu',
  getdents64: 'fpu',
  getrandom: 'pux',
  ioctl: 'fxx',
  kill: 'dS',
  link: 'ss',
  lseek: 'fdd',
  lstat64: 'sp',
  madvise: 'pud',
  mq_getsetattr: 'fpp',
  mq_notify: 'fp',
  mq_open: 'sFop',
  mq_timedreceive: 'fBupp',
  mq_timedsend: 'fbuup',
  mq_unlink: 's',
  mkdir: 'so',
  mkdirat: 'aso',
  mmap: 'puPMfx',
  mmap2: 'puPMfx',
  mprotect: 'puP',
  mremap: 'puuxp',
  munmap: 'pu',
  nanosleep: 'pp',
  open: 'sFo',
  openat: 'asFo',
  pipe2: 'pF',
  poll: 'pud',
  ppoll: 'pupp',
  prctl: 'dxxxx',
  pread64: 'fBuxxx',
  pwrite64: 'fbuxxx',
  prlimit64: 'ddpp',
  read: 'fBu',
  readlink: 'sBu',
  readlinkat: 'asBu',
  rename: 'ss',
  renameat2: 'asasx',
  rmdir: 's',
  rt_sigaction: 'Sppu',
  rt_sigprocmask: 'dppu',
  rt_sigsuspend: 'pu',
  sendto: 'fbuxpu',
  recvfrom: 'fBuxpp',
  set_robust_list: 'pu',
  set_thread_area: 'p',
  set_tid_address: 'p',
  sched_setscheduler: 'ddp',
  semget: 'xdo',
  semop: 'dpu',
  shmat: 'dpx',
  shmget: 'xuo',
  sigaction: 'Spp',
  stat64: 'sp',
  statx: 'asxxp',
  symlink: 'ss',
  symlinkat: 'sas',
  tgkill: 'ddS',
  tkill: 'dS',
  uname: 'p',
  unlink: 's',
  unlinkat: 'asx',
  wait4: 'dpxp',
  waitpid: 'dpx',
  write: 'fbu',
};

type Bits = readonly (readonly [bit: number, name: string])[];

const PROTECTION: Bits = [
  [1, 'PROT_READ'],
  [2, 'PROT_WRITE'],
  [4, 'PROT_EXEC'],
];
const CLONE: Bits = [
  [0x100, 'CLONE_VM'],
  [0x200, 'CLONE_FS'],
  [0x400, 'CLONE_FILES'],
  [0x800, 'CLONE_SIGHAND'],
  [0x4000, 'CLONE_VFORK'],
  [0x8000, 'CLONE_PARENT'],
  [0x10000, 'CLONE_THREAD'],
  [0x40000, 'CLONE_SYSVSEM'],
  [0x80000, 'CLONE_SETTLS'],
  [0x100000, 'CLONE_PARENT_SETTID'],
  [0x200000, 'CLONE_CHILD_CLEARTID'],
  [0x1000000, 'CLONE_CHILD_SETTID'],
];
const FUTEX_OPERATIONS = [
  'FUTEX_WAIT',
  'FUTEX_WAKE',
  'FUTEX_FD',
  'FUTEX_REQUEUE',
  'FUTEX_CMP_REQUEUE',
  'FUTEX_WAKE_OP',
  'FUTEX_LOCK_PI',
  'FUTEX_UNLOCK_PI',
  'FUTEX_TRYLOCK_PI',
  'FUTEX_WAIT_BITSET',
  'FUTEX_WAKE_BITSET',
];
const AT_FDCWD = -100;
/** Bytes of a string or buffer that are shown. */
const SHOWN = 32;
/** Calls whose result is an address. */
const POINTER_RESULTS = new Set(['brk', 'mmap', 'mmap2', 'mremap', 'shmat']);

export type TracedResult = { readonly value: number } | { readonly error: string };

/** Prints system calls and signals in the manner of strace -f. */
export class SyscallTracer {
  /** Calls that were entered: text of the arguments that are known before the call. */
  readonly #entered = new Map<Thread, (string | (() => string))[]>();

  /** @param print takes a line without its end */
  constructor(private readonly print: (line: string) => void) {}

  enter(thread: Thread): void {
    const { syscall } = thread;
    if (!syscall) return;
    const signature = SIGNATURES[syscall.name] ?? 'xxxx';
    const letters = [...signature].slice(0, syscall.args.length);
    this.#entered.set(
      thread,
      letters.map((letter, i) =>
        letter === 'B'
          ? () => this.#hexPointer(syscall.args[i] ?? 0)
          : this.#argument(thread, letter, syscall.args[i] ?? 0, syscall.args[i + 1] ?? 0),
      ),
    );
    if (syscall.name.startsWith('exit')) this.#line(thread, `${this.#call(thread)} = ?`);
  }

  /** @param result undefined: the call does not return here (execve, sigreturn, exit) */
  exit(thread: Thread, result: TracedResult | undefined): void {
    const { syscall } = thread;
    const parts = this.#entered.get(thread);
    if (!syscall || !parts) return;
    this.#entered.delete(thread);
    if (syscall.name.startsWith('exit')) return;
    const filled = result && 'value' in result ? result.value : -1;
    const letters = SIGNATURES[syscall.name] ?? '';
    const shown = parts.map((part, i) => {
      if (typeof part === 'string') return part;
      if (letters[i] === 'B' && filled >= 0) return this.#bytes(thread, syscall.args[i] ?? 0, filled);
      return part();
    });
    this.#line(thread, `${syscall.name}(${shown.join(', ')}) = ${this.#result(syscall.name, result)}`);
  }

  signal(thread: Thread, { signal, code, detail }: SignalInfo): void {
    const name = thread.kernel.signals.name(signal);
    const codes = Object.entries(SignalCode).find(([, value]) => value === code);
    const from = 'pid' in detail ? `, si_pid=${detail.pid}` : '';
    const at = detail.kind === 'fault' ? `, si_addr=${this.#hexPointer(detail.address)}` : '';
    const what = code <= 0 || code === SignalCode.Kernel ? `SI_${codes?.[0]?.toUpperCase() ?? code}` : String(code);
    this.#line(thread, `--- ${name} {si_signo=${name}, si_code=${what}${from}${at}} ---`);
  }

  killed(thread: Thread, signal: number): void {
    this.#entered.delete(thread);
    this.#line(thread, `+++ killed by ${thread.kernel.signals.name(signal)} +++`);
  }

  #line(thread: Thread, text: string): void {
    this.print(`[pid ${thread.tid}] ${text}`);
  }

  #call(thread: Thread): string {
    const parts = this.#entered.get(thread) ?? [];
    return `${thread.syscall?.name}(${parts.map((part) => (typeof part === 'string' ? part : part())).join(', ')})`;
  }

  #result(name: string, result: TracedResult | undefined): string {
    if (!result) return name === 'execve' || name === 'execveat' ? '0' : '?';
    if ('value' in result) return POINTER_RESULTS.has(name) ? this.#hexPointer(result.value) : String(result.value);
    if (result.error === 'ERESTARTSYS') return '? ERESTARTSYS (To be restarted if SA_RESTART is set)';
    return `-1 ${result.error} (${errorText(result.error)})`;
  }

  #argument(thread: Thread, letter: string, value: number, next: number): string {
    switch (letter) {
      case 's':
        return this.#string(thread, value);
      case 'b':
        return this.#bytes(thread, value, next);
      case 'A':
        return this.#vector(thread, value);
      case 'd':
      case 'f':
        return String(value | 0);
      case 'a':
        return (value | 0) === AT_FDCWD ? 'AT_FDCWD' : String(value | 0);
      case 'u':
        return String(value);
      case 'o':
        return `0${(value & 0o7777).toString(8)}`;
      case 'p':
        return this.#hexPointer(value);
      case 'P':
        return flags(value, PROTECTION, 'PROT_NONE');
      case 'M':
        return this.#mapFlags(thread, value);
      case 'C':
        return this.#cloneFlags(thread, value);
      case 'F':
        return this.#openFlags(thread, value);
      case 'S':
        return value === 0 ? '0' : thread.kernel.signals.name(value);
      case 'U':
        return `${FUTEX_OPERATIONS[value & 0x7f] ?? value & 0x7f}${value & 128 ? '_PRIVATE' : ''}`;
      default:
        return `0x${value.toString(16)}`;
    }
  }

  #mapFlags(thread: Thread, value: number): string {
    const { fixed, anonymous, growsDown, fixedNoReplace } = thread.kernel.abi.mapFlags;
    const kind = ['MAP_FILE', 'MAP_SHARED', 'MAP_PRIVATE', 'MAP_SHARED_VALIDATE'][value & 3] as string;
    const rest = flags(value & ~3, [
      [fixed, 'MAP_FIXED'],
      [anonymous, 'MAP_ANONYMOUS'],
      [growsDown, 'MAP_GROWSDOWN'],
      [fixedNoReplace, 'MAP_FIXED_NOREPLACE'],
    ]);
    return rest === '0' ? kind : `${kind}|${rest}`;
  }

  #cloneFlags(thread: Thread, value: number): string {
    const signal = value & 0xff;
    const names = flags(value & ~0xff, CLONE);
    return signal === 0 ? names : `${names === '0' ? '' : `${names}|`}${thread.kernel.signals.name(signal)}`;
  }

  #openFlags(thread: Thread, value: number): string {
    const access = ['O_RDONLY', 'O_WRONLY', 'O_RDWR', 'O_ACCMODE'][value & 3] as string;
    const known = Object.entries(thread.kernel.abi.files.openFlags).map(([name, bit]) => [bit, name] as const);
    const rest = flags(
      value & ~3,
      known.toSorted(([a], [b]) => b - a),
    );
    return rest === '0' ? access : `${access}|${rest}`;
  }

  #hexPointer(value: number): string {
    return value === 0 ? 'NULL' : `0x${(value >>> 0).toString(16)}`;
  }

  #string(thread: Thread, address: number): string {
    if (address === 0) return 'NULL';
    try {
      return quote(thread.memory.cString(address), 4096);
    } catch {
      return this.#hexPointer(address); // not readable: strace shows the pointer
    }
  }

  #bytes(thread: Thread, address: number, length: number): string {
    try {
      const bytes = thread.memory.read(address, Math.min(length, SHOWN + 1));
      return quote(bytes, SHOWN);
    } catch {
      return this.#hexPointer(address);
    }
  }

  #vector(thread: Thread, address: number): string {
    const shown: string[] = [];
    try {
      for (let at = address; shown.length < SHOWN; at += thread.memory.pointerBytes) {
        const pointer = thread.memory.u32(at);
        if (pointer === 0) return `[${shown.join(', ')}]`;
        shown.push(this.#string(thread, pointer));
      }
      return `[${shown.join(', ')}, ...]`;
    } catch {
      return this.#hexPointer(address);
    }
  }
}

function flags(value: number, names: Bits, none = '0'): string {
  if (value === 0) return none;
  const shown: string[] = [];
  let rest = value >>> 0;
  for (const [bit, name] of names) {
    if (bit === 0 || (rest & bit) >>> 0 !== bit) continue;
    shown.push(name);
    rest = (rest & ~bit) >>> 0;
  }
  if (rest !== 0) shown.push(`0x${rest.toString(16)}`);
  return shown.join('|');
}

const ESCAPES: Readonly<Record<string, string>> = { '\n': '\\n', '\t': '\\t', '\r': '\\r', '"': '\\"', '\\': '\\\\' };

function quote(bytes: Uint8Array, limit: number): string {
  const text = [...bytes.subarray(0, limit)]
    .map((byte) => {
      const character = String.fromCharCode(byte);
      if (ESCAPES[character]) return ESCAPES[character];
      return byte >= 0x20 && byte < 0x7f ? character : `\\${byte.toString(8)}`;
    })
    .join('');
  return `"${text}"${bytes.length > limit ? '...' : ''}`;
}
