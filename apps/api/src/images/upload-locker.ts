import type { AdvisoryLocks, HeldLock, LiveStreams } from '@bootlab/lab/server';
import { ERRORS, type Lock, type Locker, type RequestRelease } from '@tus/server';

/** How long a request waits for another one to let go of its upload. */
const WAIT_MS = 30_000;
const RETRY_MS = 100;

const topicOf = (id: string): string => `upload:${id}`;

/**
 * Lets one request at a time write to an upload, of all processes of the API. A client whose line broke comes back while the lab still
 * waits for the rest of its last request, perhaps on another host: the newer request is served, the older one ends.
 */
export class UploadLocker implements Locker {
  constructor(
    private readonly locks: AdvisoryLocks,
    private readonly streams: Pick<LiveStreams, 'announce' | 'subscribe'>,
  ) {}

  newLock(id: string): Lock {
    let held: HeldLock | undefined;
    let unsubscribe: (() => void) | undefined;
    return {
      lock: async (signal, requestRelease: RequestRelease) => {
        held = await this.take(id, signal);
        const letGo = (): void => void requestRelease();
        unsubscribe = this.streams.subscribe(topicOf(id), letGo);
        held.lost.addEventListener('abort', letGo, { once: true });
      },
      unlock: async () => {
        unsubscribe?.();
        await held?.release();
      },
    };
  }

  private async take(id: string, signal: AbortSignal): Promise<HeldLock> {
    const deadline = performance.now() + WAIT_MS;
    for (;;) {
      const lock = await this.locks.tryTake(topicOf(id));
      if (lock) return lock;
      // eslint-disable-next-line @typescript-eslint/only-throw-error -- what the protocol's server takes for an answer
      if (signal.aborted || performance.now() > deadline) throw ERRORS.ERR_LOCK_TIMEOUT;
      await this.streams.announce(topicOf(id));
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }
}
