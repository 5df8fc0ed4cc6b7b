/** Numbers of Linux's system calls on MIPS, o32 (asm/unistd_o32.h). */
const CALLS = {
  read: 4003,
  write: 4004,
  close: 4006,
  getpid: 4020,
  getuid: 4024,
  brk: 4045,
  ioctl: 4054,
  munmap: 4091,
  uname: 4122,
  mprotect: 4125,
  _llseek: 4140,
  writev: 4146,
  getrlimit: 4076,
  rt_sigaction: 4194,
  rt_sigprocmask: 4195,
  getcwd: 4203,
  mmap2: 4210,
  stat64: 4213,
  fstat64: 4215,
  getdents64: 4219,
  fcntl64: 4220,
  exit_group: 4246,
  set_tid_address: 4252,
  clock_gettime: 4263,
  set_thread_area: 4283,
  openat: 4288,
  readlinkat: 4298,
  faccessat: 4300,
  set_robust_list: 4309,
  prlimit64: 4338,
  getrandom: 4353,
  statx: 4366,
  rseq: 4367,
  clock_gettime64: 4403,
} as const;

const AT_FDCWD = -100;
const [PROT_READ, PROT_READ_WRITE, PROT_READ_EXECUTE] = [1, 3, 5];
const [MAP_PRIVATE, MAP_PRIVATE_ANONYMOUS] = [2, 0x802];
const PAGE_BYTES = 4096;

/** Where the program lies, and where calls find room to write in. */
const BASE = 0x40_0000;
const BUFFER = BASE + 2 * PAGE_BYTES;
const DATA = BASE + PAGE_BYTES;

/** What the call before the last returned, and the last. */
const [EARLIER, LAST] = ['earlier', 'last'] as const;
/** A text stands for the address of its bytes. */
type Argument = number | { readonly text: string } | typeof EARLIER | typeof LAST;
type Call = readonly [keyof typeof CALLS, ...Argument[]];

const ITSELF = { text: '/proc/self/exe' };

/** What dynamically linked programs of the GNU C library do before `main`, and some of what they do after it. */
const USUAL: readonly Call[] = [
  ['brk', 0],
  ['mmap2', 0, 2 * PAGE_BYTES, PROT_READ_WRITE, MAP_PRIVATE_ANONYMOUS, -1, 0],
  ['uname', BUFFER],
  ['faccessat', AT_FDCWD, { text: '/etc/ld.so.preload' }, 4, 0],
  ['openat', AT_FDCWD, { text: '/nowhere/libc.so.6' }, 0],
  ['openat', AT_FDCWD, ITSELF, 0],
  ['read', LAST, BUFFER, 512],
  ['openat', AT_FDCWD, ITSELF, 0],
  ['statx', LAST, { text: '' }, 0x1000, 0x7ff, BUFFER],
  ['fstat64', EARLIER, BUFFER],
  ['openat', AT_FDCWD, ITSELF, 0],
  ['mmap2', 0, 4 * PAGE_BYTES, PROT_READ_EXECUTE, MAP_PRIVATE, LAST, 0],
  ['close', EARLIER],
  ['mmap2', 0, 4 * PAGE_BYTES, PROT_READ_WRITE, MAP_PRIVATE_ANONYMOUS, -1, 0],
  ['mprotect', LAST, PAGE_BYTES, PROT_READ],
  ['munmap', EARLIER, 4 * PAGE_BYTES],
  ['set_thread_area', BUFFER],
  ['set_tid_address', BUFFER],
  ['set_robust_list', BUFFER, 12],
  ['rseq', BUFFER, 32, 0, 0],
  ['prlimit64', 0, 3, 0, BUFFER],
  ['getrlimit', 3, BUFFER],
  ['getrandom', BUFFER, 8, 1],
  ['readlinkat', AT_FDCWD, ITSELF, BUFFER, 256],
  ['brk', 0],
  ['brk', 0x1000_0000],
  ['rt_sigaction', 13, BUFFER, BUFFER + 64, 16],
  ['rt_sigprocmask', 1, 0, BUFFER, 16],
  ['getpid'],
  ['getuid'],
  ['getcwd', BUFFER, 256],
  ['stat64', { text: '/' }, BUFFER],
  ['statx', AT_FDCWD, { text: '/' }, 0, 0x7ff, BUFFER],
  ['openat', AT_FDCWD, { text: '/' }, 0x9_0000],
  ['getdents64', LAST, BUFFER, 1024],
  ['fcntl64', 1, 3, 0],
  ['fstat64', 1, BUFFER],
  ['ioctl', 1, 0x540d, BUFFER],
  ['_llseek', 0, 0, 0, BUFFER, 1],
  ['clock_gettime', 1, BUFFER],
  ['clock_gettime64', 1, BUFFER],
  ['write', 1, BUFFER, 1],
  ['writev', 1, BUFFER, 0],
  ['exit_group', 0],
];

/** Registers (MIPS calling convention o32). */
const Register = { zero: 0, v0: 2, a0: 4, t0: 8, s0: 16, s1: 17, sp: 29 } as const;
const SYSCALL = 0x0000_000c;
const lui = (to: number, value: number): number => 0x3c00_0000 | (to << 16) | (value >>> 16);
const ori = (to: number, value: number): number => 0x3400_0000 | (to << 21) | (to << 16) | (value & 0xffff);
const addiu = (to: number, from: number, value: number): number =>
  0x2400_0000 | (from << 21) | (to << 16) | (value & 0xffff);
const move = (to: number, from: number): number => 0x0000_0021 | (from << 21) | (to << 11);
const store = (from: number, base: number, offset: number): number =>
  0xac00_0000 | (base << 21) | (from << 16) | offset;

/**
 * A program for mipsel that makes the system calls which nearly every program makes: at build time V8 learns from it which of
 * our functions `bootlab exec` needs. Bytes of a static ELF file.
 */
export function usualProgram(): Uint8Array {
  const bytes = new Uint8Array(3 * PAGE_BYTES);
  const view = new DataView(bytes.buffer);
  const code: number[] = [addiu(Register.sp, Register.sp, -32)];
  let texts = DATA;
  const address = ({ text }: { readonly text: string }): number => {
    const at = texts;
    bytes.set(Buffer.from(text, 'latin1'), at - BASE);
    texts += text.length + 1;
    return at;
  };
  const load = (register: number, argument: Argument): void => {
    if (argument === LAST) code.push(move(register, Register.s0));
    else if (argument === EARLIER) code.push(move(register, Register.s1));
    else {
      const value = typeof argument === 'number' ? argument : address(argument);
      code.push(lui(register, value), ori(register, value));
    }
  };
  for (const [name, ...args] of USUAL) {
    for (const [index, argument] of args.entries()) {
      const onStack = index >= 4;
      load(onStack ? Register.t0 : Register.a0 + index, argument);
      if (onStack) code.push(store(Register.t0, Register.sp, 4 * index));
    }
    load(Register.v0, CALLS[name]);
    code.push(SYSCALL, move(Register.s1, Register.s0), move(Register.s0, Register.v0));
  }
  const words = (at: number, values: readonly number[]): void =>
    values.forEach((value, index) => view.setInt32(at + 4 * index, value, true));
  const entry = 256;
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 1, 1, 1]); // ELF, 32 bits, little-endian
  words(16, [0x0008_0002, 1, BASE + entry, 52, 0, 0x7000_1000, 0x0020_0034, 1]); // EXEC, MIPS, o32, MIPS32 release 2
  words(52, [1, 0, BASE, BASE, bytes.length, bytes.length + 4 * PAGE_BYTES, 7, PAGE_BYTES]); // one segment, all of the file
  words(entry, code);
  return bytes;
}
