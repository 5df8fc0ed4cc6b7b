/** Who runs when: sched(7). There is one processor; policies and priorities order its turns. */
import { structLayout } from '../../targets/index.js';
import { encodeStruct, readStruct } from '../abi/struct.js';
import { Errno } from '../kernel/contracts.js';
import type { KernelSyscall } from '../kernel/run-loop.js';
import { QUANTUM } from '../kernel/run-loop.js';
import type { Thread } from '../kernel/thread.js';
import { writeTimespec } from './time-values.js';

const Policy = { Other: 0, Fifo: 1, RoundRobin: 2, Batch: 3, Idle: 5, Deadline: 6 } as const;
const SCHED_RESET_ON_FORK = 0x40000000;
const FLAG_RESET_ON_FORK = 1n;
/** sched_setattr's flags that keep policy or parameters as they are. */
const FLAG_KEEP_POLICY = 8n;
const FLAG_KEEP_PARAMS = 0x10n;
const HIGHEST = 99;
/** A turn, at 2 ns an instruction. */
const TURN_NS = QUANTUM * 2;

/** linux/sched/types.h, struct sched_attr, in the size of its first version. */
const SCHED_ATTR = structLayout(
  { longBytes: 8, pointerBytes: 8, longLongAlignment: 8 },
  {
    size: 'u32',
    policy: 'u32',
    flags: 'u64',
    nice: 'i32',
    priority: 'u32',
    runtime: 'u64',
    deadline: 'u64',
    period: 'u64',
  },
);

const isRealTime = (policy: number): boolean => policy === Policy.Fifo || policy === Policy.RoundRobin;
const isKnown = (policy: number): boolean =>
  isRealTime(policy) || policy === Policy.Other || policy === Policy.Batch || policy === Policy.Idle;

/** @param tid 0 is the caller. @throws Errno ESRCH */
export function requireThread(thread: Thread, tid: number): Thread {
  const target = tid === 0 ? thread : thread.kernel.threads.get(tid);
  if (!target) throw new Errno('ESRCH');
  return target;
}

/** @throws Errno EINVAL, EPERM */
function setPolicy(thread: Thread, target: Thread, policy: number, priority: number, resetOnFork: boolean): number {
  if (!isKnown(policy)) throw new Errno(policy === Policy.Deadline ? 'EPERM' : 'EINVAL');
  if (isRealTime(policy) ? priority < 1 || priority > HIGHEST : priority !== 0) throw new Errno('EINVAL');
  const { credentials } = thread.owner;
  // RLIMIT_RTPRIO is 0: only the superuser gives real-time priorities.
  const same = target.owner.credentials.uid === credentials.euid || target.owner.credentials.euid === credentials.euid;
  if (credentials.euid !== 0 && (!same || isRealTime(policy))) throw new Errno('EPERM');
  target.policy = policy;
  target.priority = priority;
  target.resetOnFork = resetOnFork;
  if (isRealTime(policy)) thread.kernel.usesPriorities = true;
  return 0;
}

const setAttributes: KernelSyscall = (thread, tid, address, flags) => {
  if ((tid | 0) < 0 || address === 0 || flags !== 0) throw new Errno('EINVAL');
  const size = thread.memory.u32(address);
  if (size !== 0 && size < SCHED_ATTR.size) {
    thread.memory.setU32(address, SCHED_ATTR.size);
    throw new Errno('E2BIG');
  }
  const wanted = readStruct(thread.memory, address, SCHED_ATTR);
  const target = requireThread(thread, tid);
  const keepParameters = (wanted.flags & FLAG_KEEP_PARAMS) !== 0n;
  const policy = wanted.flags & FLAG_KEEP_POLICY ? target.policy : wanted.policy;
  const priority = keepParameters ? target.priority : wanted.priority;
  setPolicy(thread, target, policy, priority, (wanted.flags & FLAG_RESET_ON_FORK) !== 0n);
  if (!keepParameters && !isRealTime(policy)) target.owner.niceness = Math.max(-20, Math.min(19, wanted.nice));
  return 0;
};

const getAttributes: KernelSyscall = (thread, tid, address, size, flags) => {
  if (size < SCHED_ATTR.size || address === 0 || flags !== 0 || (tid | 0) < 0) throw new Errno('EINVAL');
  const { policy, priority, resetOnFork, owner } = requireThread(thread, tid);
  const bytes = encodeStruct(
    SCHED_ATTR,
    {
      size: SCHED_ATTR.size,
      policy,
      flags: resetOnFork ? FLAG_RESET_ON_FORK : 0n,
      nice: isRealTime(policy) ? 0 : owner.niceness,
      priority,
      runtime: 0,
      deadline: 0,
      period: 0,
    },
    thread.memory.byteOrder,
  );
  thread.memory.write(address, bytes);
  return 0;
};

/** sched_get_priority_min(2), …max(2). @throws Errno EINVAL */
function priorityLimit(policy: number, limit: number): number {
  if (!isKnown(policy) && policy !== Policy.Deadline) throw new Errno('EINVAL');
  return isRealTime(policy) ? limit : 0;
}

function roundRobinInterval(wide: boolean): KernelSyscall {
  return (thread, tid, address) => {
    if ((tid | 0) < 0) throw new Errno('EINVAL');
    const { policy } = requireThread(thread, tid);
    writeTimespec(thread, address, policy === Policy.Fifo ? 0 : TURN_NS, wide);
    return 0;
  };
}

/** ioprio_set(2): classes real-time, best effort and idle above the level; of a thread, or of all in a group or of a user. */
const IOPRIO_CLASS_SHIFT = 13;
const IOPRIO_LEVELS = 8;
const IOPRIO_IDLE = 3;
const IOPRIO_WHO_PROCESS = 1;
const IOPRIO_WHO_PGRP = 2;
const IOPRIO_WHO_USER = 3;

function ioTargets(thread: Thread, which: number, who: number): Thread[] {
  const { kernel, owner } = thread;
  const all = [...kernel.threads.values()];
  const chosen = (): Thread[] => {
    switch (which) {
      case IOPRIO_WHO_PROCESS:
        return who === 0 ? [thread] : all.filter(({ tid }) => tid === who);
      case IOPRIO_WHO_PGRP:
        return all.filter((one) => one.owner.group === (who === 0 ? owner.group : who));
      case IOPRIO_WHO_USER:
        return all.filter((one) => one.owner.credentials.uid === (who === 0 ? owner.credentials.uid : who));
      default:
        throw new Errno('EINVAL');
    }
  };
  const targets = chosen();
  if (targets.length === 0) throw new Errno('ESRCH');
  return targets;
}

/** Kept and shown; files here are always at hand, so it changes nothing. */
const setIoPriority: KernelSyscall = (thread, which, who, priority) => {
  const [group, level] = [priority >>> IOPRIO_CLASS_SHIFT, priority & ((1 << IOPRIO_CLASS_SHIFT) - 1)];
  if (group > IOPRIO_IDLE || (group === 0 ? level !== 0 : group !== IOPRIO_IDLE && level >= IOPRIO_LEVELS))
    throw new Errno('EINVAL');
  for (const target of ioTargets(thread, which, who)) target.ioPriority = priority;
  return 0;
};

export const schedulingSyscalls: Readonly<Record<string, KernelSyscall>> = {
  ioprio_set: setIoPriority,
  // The lowest class is the best one; none is best effort in the middle.
  ioprio_get: (thread, which, who) => Math.min(...ioTargets(thread, which, who).map(({ ioPriority }) => ioPriority)),

  sched_yield: (thread) => {
    thread.kernel.parts.yieldTurn();
    return 0;
  },
  sched_getaffinity: (thread, tid, size, mask) => {
    requireThread(thread, tid);
    const word = thread.kernel.abi.pointerBytes;
    if (size < word || size % word !== 0) throw new Errno('EINVAL');
    thread.memory.setU32(mask + (word === 8 && thread.memory.byteOrder === 'big' ? 4 : 0), 1);
    return word;
  },
  sched_setaffinity: (thread, tid, size, mask) => {
    requireThread(thread, tid);
    if (size === 0 || !(thread.memory.u32(mask) & 1)) throw new Errno('EINVAL');
    return 0;
  },
  sched_getscheduler: (thread, tid) => {
    if ((tid | 0) < 0) throw new Errno('EINVAL');
    const { policy, resetOnFork } = requireThread(thread, tid);
    return policy | (resetOnFork ? SCHED_RESET_ON_FORK : 0);
  },
  sched_setscheduler: (thread, tid, policy, parameter) => {
    if ((tid | 0) < 0 || (policy | 0) < 0) throw new Errno('EINVAL');
    const priority = thread.memory.u32(parameter);
    const reset = (policy & SCHED_RESET_ON_FORK) !== 0;
    return setPolicy(thread, requireThread(thread, tid), policy & ~SCHED_RESET_ON_FORK, priority, reset);
  },
  sched_getparam: (thread, tid, parameter) => {
    if ((tid | 0) < 0) throw new Errno('EINVAL');
    thread.memory.setU32(parameter, requireThread(thread, tid).priority);
    return 0;
  },
  sched_setparam: (thread, tid, parameter) => {
    if ((tid | 0) < 0) throw new Errno('EINVAL');
    const target = requireThread(thread, tid);
    return setPolicy(thread, target, target.policy, thread.memory.u32(parameter), target.resetOnFork);
  },
  sched_setattr: setAttributes,
  sched_getattr: getAttributes,
  sched_get_priority_max: (_thread, policy) => priorityLimit(policy, HIGHEST),
  sched_get_priority_min: (_thread, policy) => priorityLimit(policy, 1),
  sched_rr_get_interval: roundRobinInterval(false),
  sched_rr_get_interval_time64: roundRobinInterval(true),
  getcpu: (thread, cpu, node) => {
    for (const address of [cpu, node]) if (address !== 0) thread.memory.setU32(address, 0);
    return 0;
  },
};
