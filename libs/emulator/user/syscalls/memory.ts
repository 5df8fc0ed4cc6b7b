/** Memory: mmap(2), munmap(2), mprotect(2), mremap(2), brk(2), madvise(2), msync(2), mincore(2), mlock(2). */
import type { MappedFile } from '../files/index.js';
import { mappedFile } from '../files/index.js';
import { Errno } from '../kernel/contracts.js';
import type { KernelSyscall } from '../kernel/run-loop.js';
import type { Thread } from '../kernel/thread.js';
import { pageUp, Protection } from '../memory/index.js';

const PAGE = 4096;
/** Mappings of a process (vm.max_map_count). */
const MAX_MAPPINGS = 65530;
const MAP_SHARED = 1;
const MAP_PRIVATE = 2;
const MAP_SHARED_VALIDATE = 3;
const MAP_TYPE = 3;
const PROTECTION_BITS = Protection.Read | Protection.Write | Protection.Execute;
const MREMAP_MAYMOVE = 1;
const MREMAP_FIXED = 2;
const MREMAP_DONTUNMAP = 4;
const MADV_DONTNEED = 4;
const MADV_FREE = 8;
const MADV_REMOVE = 9;
const MADV_DONTFORK = 10;
const MADV_WIPEONFORK = 18;
const MS_ASYNC = 1;
const MS_SYNC = 4;

function requireAligned(address: number): void {
  if (address % PAGE !== 0) throw new Errno('EINVAL');
}

/** @param offsetPages file offset in pages */
function map(
  thread: Thread,
  address: number,
  length: number,
  protection: number,
  flags: number,
  descriptor: number,
  offsetPages: number,
): number {
  const { abi, pageCache } = thread.kernel;
  const { owner } = thread;
  const { space } = owner;
  const { mapFlags } = abi;
  const type = flags & MAP_TYPE;
  if (length === 0) throw new Errno('EINVAL');
  if (type !== MAP_SHARED && type !== MAP_PRIVATE && type !== MAP_SHARED_VALIDATE) throw new Errno('EINVAL');
  const size = pageUp(length);
  if (size > space.map.limit || space.map.all.length >= MAX_MAPPINGS) throw new Errno('ENOMEM');
  const place = placeOf(thread, address, size, flags);
  const { soft } = owner.limit(abi.resources.addressSpace);
  if (space.map.sizeBytes + size > soft) throw new Errno('ENOMEM');

  const shared = type !== MAP_PRIVATE;
  const request = {
    length: size,
    protection: protection & PROTECTION_BITS,
    shared,
    growsDown: (flags & mapFlags.growsDown) !== 0,
  };
  if (flags & mapFlags.anonymous) {
    return space.mapPages(place, shared ? { ...request, source: space.sharedPages() } : request);
  }
  const { file, writable } = openForMapping(thread, descriptor | 0, shared, (protection & Protection.Write) !== 0);
  if (file.anonymous) {
    file.close();
    return space.mapPages(place, shared ? { ...request, source: space.sharedPages() } : request);
  }
  const mayWrite = !shared || writable;
  const source = pageCache.open(file, writable);
  source.retain(); // until the mapping holds it
  try {
    return space.mapPages(place, { ...request, source, sourcePage: offsetPages, mayWrite });
  } finally {
    source.release();
  }
}

/**
 * A shared mapping is opened for writing where the descriptor allows it, because mprotect may ask for that later.
 * @throws Errno EACCES when it must be writable and is not
 */
function openForMapping(
  { owner }: Thread,
  descriptor: number,
  shared: boolean,
  write: boolean,
): { file: MappedFile; writable: boolean } {
  if (shared) {
    try {
      return { file: mappedFile(owner.files, descriptor, { sharedWrite: true }), writable: true };
    } catch (error) {
      if (write || !(error instanceof Errno) || error.code !== 'EACCES') throw error;
    }
  }
  return { file: mappedFile(owner.files, descriptor, { sharedWrite: false }), writable: false };
}

/** Where a mapping goes. @returns undefined: anywhere */
function placeOf(thread: Thread, address: number, size: number, flags: number): number | undefined {
  const { fixed, fixedNoReplace } = thread.kernel.abi.mapFlags;
  const { map: mappings } = thread.owner.space;
  if (flags & (fixed | fixedNoReplace)) {
    requireAligned(address);
    if (address + size > mappings.limit) throw new Errno('ENOMEM');
    if (address < mappings.lowest) throw new Errno('EPERM');
    if (flags & fixedNoReplace && !mappings.isFree(address, address + size)) throw new Errno('EEXIST');
    return address;
  }
  const hint = pageUp(address);
  const usable = hint >= mappings.lowest && hint + size <= mappings.limit && mappings.isFree(hint, hint + size);
  return usable ? hint : undefined;
}

/** Mappings of a range that must be mapped throughout. @throws Errno EINVAL, ENOMEM */
function requireRange(thread: Thread, address: number, length: number): number {
  requireAligned(address);
  const end = address + pageUp(length);
  if (end > thread.owner.space.map.limit) throw new Errno('ENOMEM');
  return end;
}

export const memorySyscalls: Readonly<Record<string, KernelSyscall>> = {
  mmap2: (thread, address, length, protection, flags, fd, pages) =>
    map(thread, address, length, protection, flags, fd, pages),
  mmap: (thread, address, length, protection, flags, fd, offset) => {
    requireAligned(offset);
    return map(thread, address, length, protection, flags, fd, offset / PAGE);
  },
  munmap: ({ owner }, address, length) => {
    requireAligned(address);
    if (length === 0 || address + pageUp(length) > owner.space.map.limit) throw new Errno('EINVAL');
    owner.space.unmap(address, length);
    return 0;
  },
  mprotect: (thread, address, length, protection) => {
    requireRange(thread, address, length);
    if (thread.owner.space.map.all.length >= MAX_MAPPINGS) throw new Errno('ENOMEM');
    if (length > 0) thread.owner.space.protect(address, length, protection & PROTECTION_BITS);
    return 0;
  },
  mremap: ({ owner: { space } }, address, oldLength, newLength, flags, target) => {
    requireAligned(address);
    const fixed = (flags & MREMAP_FIXED) !== 0;
    if (newLength === 0 || flags & MREMAP_DONTUNMAP || (fixed && !(flags & MREMAP_MAYMOVE))) throw new Errno('EINVAL');
    if (fixed) requireAligned(target);
    return space.remap(address, oldLength, newLength, (flags & MREMAP_MAYMOVE) !== 0, fixed ? target : undefined);
  },
  brk: ({ owner, kernel }, address) => owner.space.setBreak(address, owner.limit(kernel.abi.resources.data).soft),
  madvise: (thread, address, length, advice) => {
    const end = requireRange(thread, address, length);
    const { space } = thread.owner;
    const known = (advice >= 0 && advice <= 4) || (advice >= 8 && advice <= 21);
    if (!known) throw new Errno('EINVAL');
    if (!space.map.covers(address, end)) throw new Errno('ENOMEM');
    if (advice === MADV_REMOVE || advice === MADV_DONTFORK || advice === MADV_WIPEONFORK) throw new Errno('EINVAL');
    if (advice === MADV_DONTNEED || advice === MADV_FREE) space.discard(address, length);
    return 0;
  },
  msync: (thread, address, length, flags) => {
    const end = requireRange(thread, address, length);
    if ((flags & MS_ASYNC && flags & MS_SYNC) || flags > 7) throw new Errno('EINVAL');
    const { map: mappings } = thread.owner.space;
    if (!mappings.covers(address, end)) throw new Errno('ENOMEM');
    for (const { start, end: stop, source, sourcePage, shared } of mappings.within(address, end)) {
      if (!shared) continue;
      const page = (at: number): number => sourcePage + (at - start) / PAGE;
      source?.writeBack(page(Math.max(start, address)), page(Math.min(stop, end)));
    }
    return 0;
  },
  mincore: (thread, address, length, vector) => {
    const end = requireRange(thread, address, length);
    if (!thread.owner.space.map.covers(address, end)) throw new Errno('ENOMEM');
    const resident = new Uint8Array((end - address) / PAGE);
    thread.owner.space.table.forEach(address, end, (at) => (resident[(at - address) / PAGE] = 1));
    thread.memory.write(vector, resident);
    return 0;
  },
  // Nothing is ever swapped out.
  mlock: () => 0,
  mlock2: () => 0,
  munlock: () => 0,
  mlockall: () => 0,
  munlockall: () => 0,
  // Instruction fetches see every store already.
  cacheflush: () => 0,
};
