/** System V shared memory: shmget(2), shmop(2), shmctl(2). */
import { writeStruct } from '../abi/struct.js';
import { IpcAccess, IpcCommand, requireAccess, requireOwner, SharedMemorySegment } from '../ipc/index.js';
import { Errno } from '../kernel/contracts.js';
import type { KernelSyscall } from '../kernel/run-loop.js';
import type { Thread } from '../kernel/thread.js';
import { pageUp, Protection } from '../memory/index.js';
import { changePermissions, infoWords, nowSeconds, permissionsAt } from './ipc-common.js';

const SHM_RDONLY = 0o10000;
const SHM_RND = 0o20000;
const SHM_REMAP = 0o40000;
const SHM_EXEC = 0o100000;
/** Shown in `shm_perm.mode` of a segment that was removed and is still attached. */
const SHM_DEST = 0o1000;
const SHM_LOCK = 11;
const SHM_UNLOCK = 12;
const SHM_STAT = 13;
const SHM_INFO = 14;
const SHM_STAT_ANY = 15;
const SHMMNI = 4096;

const get: KernelSyscall = (thread, key, size, flags) => {
  const { kernel, owner } = thread;
  const { segments } = kernel.ipc;
  const found = segments.get(
    key | 0,
    flags,
    owner.credentials,
    (segment) => {
      if (size > segment.sizeBytes) throw new Errno('EINVAL');
    },
    (permissions) => {
      if (size === 0 || pageUp(size) > owner.space.map.limit) throw new Errno('EINVAL');
      if (segments.size >= SHMMNI) throw new Errno('ENOSPC');
      if (pageUp(size) > kernel.parts.pool.totalPages * 4096) throw new Errno('ENOMEM');
      const segment = new SharedMemorySegment(key | 0, permissions, size, owner.pid, kernel.parts.pool, (gone) =>
        segments.remove(gone),
      );
      segment.changedS = nowSeconds(thread);
      return segment;
    },
  );
  return found.id;
};

/** @returns where the segment is mapped */
function attach(thread: Thread, id: number, address: number, flags: number): number {
  const { kernel, owner } = thread;
  const { space } = owner;
  const segment = kernel.ipc.segments.find(id);
  const readOnly = (flags & SHM_RDONLY) !== 0;
  requireAccess(segment, owner.credentials, IpcAccess.Read | (readOnly ? 0 : IpcAccess.Write));
  const length = pageUp(segment.sizeBytes);
  const start = address === 0 ? freePlace(thread, length) : fixedPlace(thread, address, length, flags);
  const protection = Protection.Read | (readOnly ? 0 : Protection.Write) | (flags & SHM_EXEC ? Protection.Execute : 0);
  const name = `/SYSV${(segment.key >>> 0).toString(16).padStart(8, '0')} (deleted)`;
  space.mapPages(start, { length, protection, shared: true, source: segment.pages, mayWrite: !readOnly, name });
  segment.attachedS = nowSeconds(thread);
  segment.lastPid = owner.pid;
  return start;
}

function freePlace({ owner: { space }, kernel }: Thread, length: number): number {
  const { attachAlignment } = kernel.abi.ipc;
  const gap = space.map.findGap(length + attachAlignment - 4096, space.mapTop);
  if (gap === undefined) throw new Errno('ENOMEM');
  return Math.ceil(gap / attachAlignment) * attachAlignment;
}

function fixedPlace({ owner: { space }, kernel }: Thread, address: number, length: number, flags: number): number {
  const { attachAlignment, alignsFixedAttachments } = kernel.abi.ipc;
  let start = address;
  if (flags & SHM_RND) start -= start % attachAlignment;
  if (start === 0 || start % (alignsFixedAttachments ? attachAlignment : 4096) !== 0) throw new Errno('EINVAL');
  if (start < space.map.lowest || start + length > space.map.limit) throw new Errno('EINVAL');
  if (!(flags & SHM_REMAP) && !space.map.isFree(start, start + length)) throw new Errno('EINVAL');
  return start;
}

const detach: KernelSyscall = (thread, address) => {
  const { owner, kernel } = thread;
  const first = owner.space.map.find(address);
  const segment = [...kernel.ipc.segments.all].find(({ pages }) => pages === first?.source);
  if (!first || !segment || first.start !== address || first.sourcePage !== 0) throw new Errno('EINVAL');
  segment.detachedS = nowSeconds(thread);
  segment.lastPid = owner.pid;
  // What mprotect or munmap left of the attachment.
  const end = address + pageUp(segment.sizeBytes);
  for (const { start, end: stop, source, sourcePage } of [...owner.space.map.within(address, end)])
    if (source === segment.pages && start - sourcePage * 4096 === address) owner.space.unmap(start, stop - start);
  return 0;
};

function status(thread: Thread, segment: SharedMemorySegment, address: number): void {
  const { abi } = thread.kernel;
  const permissions = segment.permissionFields();
  writeStruct(thread.memory, address, abi.ipc.shmidDs, {
    ...permissions,
    mode: permissions.mode | (segment.removed ? SHM_DEST : 0),
    shm_segsz: segment.sizeBytes,
    shm_atime: segment.attachedS,
    shm_dtime: segment.detachedS,
    shm_ctime: segment.changedS,
    shm_cpid: segment.creatorPid,
    shm_lpid: segment.lastPid,
    shm_nattch: segment.attachments(thread.kernel.spaces),
  });
}

/** @param command without IPC_64 */
function control(thread: Thread, id: number, command: number, address: number): number {
  const { kernel, owner } = thread;
  const { segments } = kernel.ipc;
  switch (command) {
    case IpcCommand.Info: {
      const unlimited = 2 ** (8 * kernel.abi.pointerBytes) - 1 - 2 ** 24;
      infoWords(thread, address, [unlimited, 1, SHMMNI, SHMMNI, unlimited, 0, 0, 0, 0]);
      return segments.highestId;
    }
    case SHM_INFO: {
      const pages = [...segments.all].reduce((sum, { sizeBytes }) => sum + pageUp(sizeBytes) / 4096, 0);
      infoWords(thread, address, [segments.size, pages, pages, 0, 0, 0]);
      return segments.highestId;
    }
  }
  const segment = segments.find(id);
  switch (command) {
    case IpcCommand.Status:
    case SHM_STAT:
      requireAccess(segment, owner.credentials, IpcAccess.Read);
      status(thread, segment, address);
      return command === SHM_STAT ? segment.id : 0;
    case SHM_STAT_ANY:
      status(thread, segment, address);
      return segment.id;
    case IpcCommand.Set:
      changePermissions(thread, segment, permissionsAt(thread, address, kernel.abi.ipc.shmidDs));
      return 0;
    case IpcCommand.Remove:
      requireOwner(segment, owner.credentials);
      if (segment.removed) return 0;
      segments.remove(segment, true);
      segment.letGo();
      return 0;
    case SHM_LOCK:
    case SHM_UNLOCK:
      requireOwner(segment, owner.credentials); // nothing is ever swapped out
      return 0;
    default:
      throw new Errno('EINVAL');
  }
}

export const sharedMemory = { get, attach, detach, control };
