import type { PagePool, VirtualMemory } from '../memory/index.js';
import { MappedPages } from '../memory/index.js';
import type { IpcPermissions } from './registry.js';
import { IpcObject } from './registry.js';

/** A segment of System V shared memory, shmop(2): pages that live until it is removed and the last process let go. */
export class SharedMemorySegment extends IpcObject {
  readonly pages: MappedPages;
  /** Real times of the last shmat and shmdt, s since 1970. */
  attachedS = 0;
  detachedS = 0;
  lastPid = 0;

  /**
   * @param sizeBytes as shmget asked for; mapped in whole pages
   * @param onGone called when it was removed and nobody maps it any more
   */
  constructor(
    key: number,
    permissions: IpcPermissions,
    readonly sizeBytes: number,
    readonly creatorPid: number,
    pool: PagePool,
    onGone: (segment: SharedMemorySegment) => void,
  ) {
    super(key, permissions);
    this.pages = new MappedPages(pool, undefined, true, () => onGone(this));
    this.pages.retain();
  }

  /** Attachments in these address spaces; where only a later part is still mapped, it does not count. */
  attachments(spaces: Iterable<VirtualMemory>): number {
    let count = 0;
    for (const { map } of spaces)
      for (const { source, sourcePage } of map.all) if (source === this.pages && sourcePage === 0) count++;
    return count;
  }

  /** IPC_RMID: the pages go when the last attachment goes. */
  letGo(): void {
    this.pages.release();
  }
}
