/** The system as a whole: uname(2), sysinfo(2), getrandom(2), and what nobody here may do. */
import { Errno } from '../kernel/contracts.js';
import type { KernelSyscall } from '../kernel/run-loop.js';
import type { Thread } from '../kernel/thread.js';
import { concatenate } from '../memory/index.js';

/** What uname(2) and /proc say of the system. */
export const SYSTEM = {
  name: 'Linux',
  hostname: 'bootlab',
  release: '6.1.0',
  version: '#1 SMP Bootlab',
  domain: '(none)',
} as const;

const UTSNAME_FIELD = 65;
const GRND_KNOWN = 7;
/** Bytes that one getrandom gives at most (32 MiB - 1, as Linux). */
const MAX_RANDOM = 2 ** 25 - 1;

function utsname(thread: Thread): Uint8Array {
  const fields = [
    SYSTEM.name,
    SYSTEM.hostname,
    SYSTEM.release,
    SYSTEM.version,
    thread.kernel.abi.machine,
    SYSTEM.domain,
  ];
  return concatenate(
    fields.map((text) => {
      const bytes = new Uint8Array(UTSNAME_FIELD);
      bytes.set(new TextEncoder().encode(text));
      return bytes;
    }),
  );
}

/** struct sysinfo of 32-bit ABIs: 64 bytes, sizes in units of mem_unit. */
function sysinfo(thread: Thread, address: number): number {
  const { kernel, memory } = thread;
  const { pool } = kernel.parts;
  const words = new Array<number>(16).fill(0);
  words[0] = Math.floor(thread.clock.monotonicNs() / 1e9);
  words[4] = pool.totalPages * 4096;
  words[5] = (pool.totalPages - pool.usedPages) * 4096;
  words[13] = 1; // mem_unit
  words.forEach((value, i) => memory.setU32(address + 4 * i, value));
  const processes = new Uint8Array(4);
  new DataView(processes.buffer).setUint16(0, kernel.processes.size, memory.byteOrder === 'little');
  memory.write(address + 40, processes);
  return 0;
}

const refused: KernelSyscall = () => {
  throw new Errno('EPERM');
};

/** What a kernel without support for several memory nodes says, as those for MIPS boards are: libraries then do without. */
const absent: KernelSyscall = () => {
  throw new Errno('ENOSYS');
};

export const miscSyscalls: Readonly<Record<string, KernelSyscall>> = {
  uname: (thread, address) => {
    thread.memory.write(address, utsname(thread));
    return 0;
  },
  sysinfo,
  getrandom: (thread, address, length, flags) => {
    if (flags & ~GRND_KNOWN) throw new Errno('EINVAL');
    const bytes = thread.kernel.parts.entropy.bytes(Math.min(length, MAX_RANDOM));
    thread.memory.write(address, bytes);
    return bytes.length;
  },
  get_mempolicy: absent,
  set_mempolicy: absent,
  mbind: absent,
  migrate_pages: absent,
  move_pages: absent,
  syslog: refused,
  sethostname: refused,
  setdomainname: refused,
  reboot: refused,
  swapon: refused,
  swapoff: refused,
  mount: refused,
  umount2: refused,
  pivot_root: refused,
  acct: refused,
  init_module: refused,
  delete_module: refused,
  perf_event_open: refused,
  bpf: refused,
  seccomp: () => {
    throw new Errno('EINVAL');
  },
  sysmips: (thread, command, value) => {
    const MIPS_FIXADE = 7;
    const FLUSH_CACHE = 3;
    if (command === FLUSH_CACHE || (command === MIPS_FIXADE && value <= 1)) return 0;
    void thread;
    throw new Errno('EINVAL');
  },
  restart_syscall: () => {
    throw new Errno('EINTR');
  },
};
