/** Who a process is: user and group ids, process groups, sessions. */
import { Errno } from '../kernel/contracts.js';
import type { Process } from '../kernel/process.js';
import type { KernelSyscall } from '../kernel/run-loop.js';
import type { Thread } from '../kernel/thread.js';

/** @throws Errno ESRCH */
export function processOf(thread: Thread, pid: number): Process {
  const process = pid === 0 ? thread.owner : thread.kernel.processes.get(pid);
  if (!process) throw new Errno('ESRCH');
  return process;
}

const UNCHANGED = 0xffffffff;

/** May the process take this id: root any, others one of those it has. */
function requireId(thread: Thread, id: number, own: readonly number[]): void {
  if (id === UNCHANGED || thread.owner.credentials.euid === 0 || own.includes(id)) return;
  throw new Errno('EPERM');
}

function setUserIds(thread: Thread, real: number, effective: number, saved: number): number {
  const { credentials } = thread.owner;
  const own = [credentials.uid, credentials.euid, credentials.savedUid];
  for (const id of [real, effective, saved]) requireId(thread, id, own);
  if (real !== UNCHANGED) credentials.uid = real;
  if (effective !== UNCHANGED) credentials.euid = effective;
  if (saved !== UNCHANGED) credentials.savedUid = saved;
  return 0;
}

function setGroupIds(thread: Thread, real: number, effective: number, saved: number): number {
  const { credentials } = thread.owner;
  const own = [credentials.gid, credentials.egid, credentials.savedGid];
  for (const id of [real, effective, saved]) requireId(thread, id, own);
  if (real !== UNCHANGED) credentials.gid = real;
  if (effective !== UNCHANGED) credentials.egid = effective;
  if (saved !== UNCHANGED) credentials.savedGid = saved;
  return 0;
}

function setProcessGroup(thread: Thread, pid: number, group: number): number {
  const process = processOf(thread, pid);
  if ((group | 0) < 0) throw new Errno('EINVAL');
  if (process !== thread.owner && process.parent !== thread.owner) throw new Errno('ESRCH');
  if (process.pid === process.session || process.session !== thread.owner.session) throw new Errno('EPERM');
  const wanted = group === 0 ? process.pid : group;
  const exists = [...thread.kernel.processes.values()].some(
    (other) => other.group === wanted && other.session === process.session,
  );
  if (wanted !== process.pid && !exists) throw new Errno('EPERM');
  process.group = wanted;
  return 0;
}

export const identitySyscalls: Readonly<Record<string, KernelSyscall>> = {
  getpid: ({ owner }) => owner.pid,
  getppid: ({ owner }) => owner.parentPid,
  getuid: ({ owner }) => owner.credentials.uid,
  geteuid: ({ owner }) => owner.credentials.euid,
  getgid: ({ owner }) => owner.credentials.gid,
  getegid: ({ owner }) => owner.credentials.egid,
  getresuid: (thread, real, effective, saved) => {
    const { uid, euid, savedUid } = thread.owner.credentials;
    thread.memory.setU32(real, uid);
    thread.memory.setU32(effective, euid);
    thread.memory.setU32(saved, savedUid);
    return 0;
  },
  getresgid: (thread, real, effective, saved) => {
    const { gid, egid, savedGid } = thread.owner.credentials;
    thread.memory.setU32(real, gid);
    thread.memory.setU32(effective, egid);
    thread.memory.setU32(saved, savedGid);
    return 0;
  },
  setresuid: setUserIds,
  setresgid: setGroupIds,
  setreuid: (thread, real, effective) => {
    const saved = real !== UNCHANGED || effective !== UNCHANGED ? effective : UNCHANGED;
    return setUserIds(thread, real, effective, saved);
  },
  setregid: (thread, real, effective) => {
    const saved = real !== UNCHANGED || effective !== UNCHANGED ? effective : UNCHANGED;
    return setGroupIds(thread, real, effective, saved);
  },
  setuid: (thread, id) => {
    const all = thread.owner.credentials.euid === 0;
    return setUserIds(thread, all ? id : UNCHANGED, id, all ? id : UNCHANGED);
  },
  setgid: (thread, id) => {
    const all = thread.owner.credentials.euid === 0;
    return setGroupIds(thread, all ? id : UNCHANGED, id, all ? id : UNCHANGED);
  },
  setfsuid: ({ owner }) => owner.credentials.euid,
  setfsgid: ({ owner }) => owner.credentials.egid,
  getgroups: (thread, size, list) => {
    const { groups } = thread.owner.credentials;
    if ((size | 0) < 0 || (size > 0 && size < groups.length)) throw new Errno('EINVAL');
    if (size > 0) groups.forEach((group, i) => thread.memory.setU32(list + 4 * i, group));
    return groups.length;
  },
  setgroups: (thread, size, list) => {
    if (thread.owner.credentials.euid !== 0) throw new Errno('EPERM');
    if (size > 65536) throw new Errno('EINVAL');
    thread.owner.credentials.groups = Array.from({ length: size }, (_, i) => thread.memory.u32(list + 4 * i));
    return 0;
  },
  getpgid: (thread, pid) => processOf(thread, pid).group,
  getpgrp: ({ owner }) => owner.group,
  setpgid: setProcessGroup,
  getsid: (thread, pid) => processOf(thread, pid).session,
  setsid: ({ owner, kernel }) => {
    if ([...kernel.processes.values()].some(({ group }) => group === owner.pid)) throw new Errno('EPERM');
    owner.session = owner.pid;
    owner.group = owner.pid;
    return owner.pid;
  },
};
