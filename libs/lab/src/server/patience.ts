import { setTimeout as sleep } from 'node:timers/promises';

/** How long what a run has brought about waits for a database or Redis that is away, and how often it asks. */
const PATIENCE_MS = 60_000;
const PATIENCE_STEP_MS = 250;

export interface PatienceOptions {
  /** Is told of each failure after which it is tried again. */
  failed?: (error: unknown) => void;
  /** These are answers, not failures to get one. */
  unless?: (error: unknown) => boolean;
  /** True: nobody wants to wait any more. */
  over?: () => boolean;
}

/**
 * Does something that must not be lost because a service is away for a moment. It may be done twice: the answer of the
 * first time may have got lost.
 * @throws what it last threw, after a minute
 */
export async function patiently<T>(act: () => Promise<T>, { failed, unless, over }: PatienceOptions = {}): Promise<T> {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    try {
      return await act();
    } catch (error) {
      if (unless?.(error) || over?.() || performance.now() > deadline) throw error;
      failed?.(error);
      await sleep(PATIENCE_STEP_MS);
    }
  }
}
