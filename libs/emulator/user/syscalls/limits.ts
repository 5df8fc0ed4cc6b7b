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
