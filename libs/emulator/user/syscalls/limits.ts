/** What a process may and how it behaves: setrlimit(2), prctl(2), priorities, capabilities. */
import { Errno } from '../kernel/contracts.js';
import type { Process, ResourceLimit } from '../kernel/process.js';
import type { KernelSyscall } from '../kernel/run-loop.js';
import type { Thread } from '../kernel/thread.js';
import { processOf } from './identity.js';

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

const Prctl = {
  SetParentDeathSignal: 1,
  GetParentDeathSignal: 2,
  GetDumpable: 3,
  SetDumpable: 4,
  GetKeepCapabilities: 7,
  SetKeepCapabilities: 8,
  SetName: 15,
  GetName: 16,
  ReadBoundingCapability: 23,
  GetSecureBits: 27,
  SetTimerSlack: 29,
  GetTimerSlack: 30,
  SetChildSubreaper: 36,
  SetNoNewPrivileges: 38,
  GetNoNewPrivileges: 39,
  SetFpMode: 45,
  GetFpMode: 46,
} as const;
const COMM_BYTES = 16;
/** CAP_CHECKPOINT_RESTORE, as /proc/sys/kernel/cap_last_cap has it. */
const LAST_CAPABILITY = 40;
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
      if (value > LAST_CAPABILITY) throw new Errno('EINVAL');
      return 1;
    case Prctl.GetTimerSlack:
      return DEFAULT_TIMER_SLACK_NS;
    case Prctl.GetFpMode:
      return kernel.parts.cpu.fpMode;
    case Prctl.GetNoNewPrivileges:
    case Prctl.GetKeepCapabilities:
    case Prctl.GetSecureBits:
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

/** Versions of struct __user_cap_header_struct, and 32-bit words of each set (linux/capability.h). */
const CAPABILITY_VERSIONS: ReadonlyMap<number, number> = new Map([
  [0x19980330, 1],
  [0x20071026, 2],
  [0x20080522, 2],
]);
const CAPABILITY_VERSION = 0x20080522;
/** Capabilities 0 to 40. */
const ALL_CAPABILITIES = [0xffffffff, 0x1ff];

/** Root has all, others none. @param header version and process; data is effective, permitted, inheritable for each word */
const capabilities: KernelSyscall = (thread, header, data) => {
  const { memory, owner } = thread;
  const words = CAPABILITY_VERSIONS.get(memory.u32(header));
  if (words === undefined) {
    memory.setU32(header, CAPABILITY_VERSION);
    if (data === 0) return 0; // that is how libraries ask for the version
    throw new Errno('EINVAL');
  }
  const pid = memory.i32(header + 4);
  if (pid < 0) throw new Errno('EINVAL');
  if (pid !== 0 && !thread.kernel.threads.has(pid)) throw new Errno('ESRCH');
  if (data === 0) throw new Errno('EFAULT');
  for (let i = 0; i < words; i++) {
    const set = owner.credentials.euid === 0 ? (ALL_CAPABILITIES[i] ?? 0) : 0;
    [set, set, 0].forEach((word, j) => memory.setU32(data + 12 * i + 4 * j, word));
  }
  return 0;
};

export const limitSyscalls: Readonly<Record<string, KernelSyscall>> = {
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
  prctl,
  // Every execution domain but Linux's own is gone; flags that turn off address randomisation are granted.
  personality: ({ owner }, wanted) => {
    const before = owner.personality;
    if (wanted !== 0xffffffff) owner.personality = wanted;
    return before;
  },
  capget: capabilities,
  capset: () => 0,
  unshare: (thread, flags) => {
    if (flags !== 0) throw new Errno('EPERM');
    return 0;
  },
};
