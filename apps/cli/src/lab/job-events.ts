import { setTimeout as sleep } from 'node:timers/promises';
import { EventSourceParserStream } from 'eventsource-parser/stream';
import type { LabClient } from './client.js';

const FIRST_RETRY_MS = 1000;
const LONGEST_RETRY_MS = 30_000;

/** Which jobs of the project have changed, as the lab tells it by server-sent events. */
export class JobEvents {
  private readonly changed = new Set<string>();
  private isLive = false;
  /** {@link live} has changed since the last wait. */
  private switched = false;
  private wake: (() => void) | undefined;

  private constructor(private readonly client: LabClient) {}

  /** Begins to listen; a line that breaks is taken up again, until `signal` aborts. */
  static listen(client: LabClient, signal: AbortSignal): JobEvents {
    const events = new JobEvents(client);
    void events.follow(signal);
    return events;
  }

  /** Whether changes arrive by themselves now. */
  get live(): boolean {
    return this.isLive;
  }

  /**
   * Waits until a job has changed, until whether changes arrive has changed, or for so long.
   * @returns ids of jobs that have changed since the last call
   * @throws the signal's reason
   */
  async wait(ms: number, signal: AbortSignal): Promise<Set<string>> {
    if (this.changed.size === 0 && !this.switched) {
      const woken = new AbortController();
      this.wake = () => woken.abort();
      await sleep(ms, undefined, { signal: AbortSignal.any([signal, woken.signal]) }).catch(() => undefined);
      this.wake = undefined;
      signal.throwIfAborted();
    }
    this.switched = false;
    const changed = new Set(this.changed);
    this.changed.clear();
    return changed;
  }

  private async follow(signal: AbortSignal): Promise<void> {
    for (let retryMs = FIRST_RETRY_MS; !signal.aborted; retryMs = Math.min(retryMs * 2, LONGEST_RETRY_MS)) {
      try {
        await this.once(signal, () => (retryMs = FIRST_RETRY_MS / 2));
      } catch {
        // Whoever follows jobs asks for them meanwhile, and finds out what is wrong.
      }
      this.become(false);
      await sleep(retryMs, undefined, { signal }).catch(() => undefined);
    }
  }

  private async once(signal: AbortSignal, opened: () => void): Promise<void> {
    const { body } = await this.client.request('/events', { signal, headers: { accept: 'text/event-stream' } });
    if (!body) return;
    opened();
    this.become(true);
    const events = body.pipeThrough(new TextDecoderStream()).pipeThrough(new EventSourceParserStream());
    // Streams can be iterated in Node, which the type of the browser's does not say.
    for await (const { event, data } of events as unknown as AsyncIterable<{ event?: string; data: string }>) {
      if (event !== 'job') continue;
      this.changed.add((JSON.parse(data) as { id: string }).id);
      this.wake?.();
    }
  }

  private become(live: boolean): void {
    if (this.isLive === live) return;
    this.isLive = live;
    this.switched = true;
    this.wake?.();
  }
}
