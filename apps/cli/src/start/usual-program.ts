import { MipsAssembler, mipsElf, NOP, wordsToBytes } from '@bootlab/emulator/testkit';

/** Numbers of Linux's system calls on MIPS, o32 (asm/unistd_o32.h). */
const CALLS = {
  read: 4003,
  write: 4004,
  close: 4006,
  getpid: 4020,
  getuid: 4024,
  access: 4033,
  brk: 4045,
  ioctl: 4054,
  munmap: 4091,
  sysinfo: 4116,
  uname: 4122,
  mprotect: 4125,
  _llseek: 4140,
  writev: 4146,
  getrlimit: 4076,
  connect: 4170,
  socket: 4183,
  prctl: 4192,
  rt_sigaction: 4194,
  rt_sigprocmask: 4195,
  getcwd: 4203,
  mmap2: 4210,
  stat64: 4213,
  fstat64: 4215,
  getdents64: 4219,
  fcntl64: 4220,
  futex: 4238,
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
const [PROT_READ, PROT_READ_WRITE] = [1, 3];
const [MAP_PRIVATE, MAP_PRIVATE_ANONYMOUS] = [2, 0x802];
const PAGE_BYTES = 4096;

/** Where the code lies, its texts, and room that calls write in. */
const BASE = 0x40_0000;
const DATA = BASE + PAGE_BYTES;
const BUFFER = DATA + PAGE_BYTES;
const BUFFER_BYTES = 5 * PAGE_BYTES;

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
  ['mmap2', 0, 4 * PAGE_BYTES, PROT_READ_WRITE, MAP_PRIVATE, LAST, 0],
  ['close', EARLIER],
  ['uname', EARLIER], // into what is mapped
  ['access', ITSELF, 4],
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
  ['futex', BUFFER, 0x81, 1],
  ['prctl', 15, BUFFER],
  ['sysinfo', BUFFER],
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
];

/** What the GNU C library does besides where a program asks for the name or the folder of a user. */
const NAME_SERVICE: readonly Call[] = [
  ['socket', 1, 2, 0],
  ['connect', LAST, { text: '\x01\0/var/run/nscd/socket\0' }, 110],
  ['close', EARLIER],
];

/** Registers (MIPS calling convention o32). */
const Register = { zero: 0, v0: 2, a0: 4, a3: 7, t0: 8, s0: 16, s1: 17, sp: 29 } as const;

/** Without these there is little to learn: the program ends with status 1 where one fails. */
const MUST_SUCCEED: readonly string[] = ['read', 'mmap2'];

/**
 * A program for mipsel that makes the system calls which nearly every program makes: at build time V8 learns from it which of
 * our functions `bootlab exec` needs. Bytes of a static ELF file.
 * @param rounds how often it goes round a loop of three instructions before
 * @param asksForNames it makes calls, too, that not every program makes
 */
export function usualProgram({ rounds = 0, asksForNames = false } = {}): Uint8Array {
  const image = new Uint8Array(BUFFER - BASE);
  const code = new MipsAssembler(BASE).op('addiu', { rt: Register.sp, rs: Register.sp, imm: -32 });
  let texts = DATA;
  const address = ({ text }: { readonly text: string }): number => {
    const at = texts;
    image.set(Buffer.from(text, 'latin1'), at - BASE);
    texts += text.length + 1;
    return at;
  };
  const move = (rd: number, rs: number): MipsAssembler => code.op('addu', { rd, rs, rt: Register.zero });
  const load = (register: number, argument: Argument): void => {
    if (argument === LAST) move(register, Register.s0);
    else if (argument === EARLIER) move(register, Register.s1);
    else code.li(register, typeof argument === 'number' ? argument : address(argument));
  };
  if (rounds > 0) {
    code.li(Register.t0, rounds).label('round').op('addiu', { rt: Register.t0, rs: Register.t0, imm: -1 });
    code.branch('bne', { rs: Register.t0, rt: Register.zero }, 'round').emit(NOP);
  }
  const calls: readonly Call[] = [...USUAL, ...(asksForNames ? NAME_SERVICE : []), ['exit_group', 0]];
  for (const [name, ...args] of calls) {
    for (const [index, argument] of args.entries()) {
      const onStack = index >= 4;
      load(onStack ? Register.t0 : Register.a0 + index, argument);
      if (onStack) code.op('sw', { rt: Register.t0, base: Register.sp, offset: 4 * index });
    }
    load(Register.v0, CALLS[name]);
    code.op('syscall');
    if (MUST_SUCCEED.includes(name)) code.branch('bne', { rs: Register.a3, rt: Register.zero }, 'failed').emit(NOP);
    if (name === 'mmap2') code.op('lw', { rt: Register.t0, base: Register.v0 });
    move(Register.s1, Register.s0);
    move(Register.s0, Register.v0);
  }
  code.label('failed').li(Register.a0, 1).li(Register.v0, CALLS.exit_group).op('syscall');
  if (code.here > DATA) throw new Error('the code does not fit before its texts');
  image.set(wordsToBytes(code.finish(), 'little'));
  return mipsElf({ byteOrder: 'little', address: BASE, image, memoryBytes: image.length + BUFFER_BYTES });
}
