// What happens to the project's jobs, as server-sent events: the pages ask again at once for what has changed, rather than every
// few seconds. While the stream is down, lists are asked for often, as if there were none.

/** What the stream needs of an EventSource, so that tests can give it one without a network. */
export interface Source {
  readonly readyState: number;
  onopen: ((event: Event) => void) | null;
  onerror: ((event: Event) => void) | null;
  addEventListener(type: string, listener: () => void): void;
  close(): void;
}

export interface LiveEventsOptions {
  openSource(): Source;
  /** Jobs have changed, or may have while nobody listened. Called soon after, and not more often than every half second. */
  onChange(): void;
}

const CHANGE_MS = 500;
const FIRST_RETRY_MS = 1000;
const LONGEST_RETRY_MS = 30_000;
/** EventSource.CLOSED (HTML Standard, 9.2.2): it does not connect again by itself. */
const CLOSED = 2;

export class LiveEvents {
  private readonly listeners = new Set<() => void>();
  private source: Source | undefined;
  private isLive = false;
  private retryTimer: ReturnType<typeof setTimeout> | undefined;
  private retryMs = FIRST_RETRY_MS;
  private changeTimer: ReturnType<typeof setTimeout> | undefined;
  private toldMs = -Infinity;

  constructor(private readonly options: LiveEventsOptions) {}

  /** Whether changes arrive by themselves now. */
  get live(): boolean {
    return this.isLive;
  }

  /** Calls back whenever {@link live} has changed. */
  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  open(): void {
    if (this.source) return;
    const source = this.options.openSource();
    this.source = source;
    source.onopen = () => {
      this.retryMs = FIRST_RETRY_MS;
      this.become(true);
      this.changed(); // what happened before is known to nobody here
    };
    source.addEventListener('job', () => this.changed());
    source.onerror = () => {
      this.become(false);
      if (source.readyState !== CLOSED) return; // it connects again by itself
      this.source = undefined;
      this.retryTimer = setTimeout(() => this.open(), this.retryMs);
      this.retryMs = Math.min(this.retryMs * 2, LONGEST_RETRY_MS);
    };
  }

  close(): void {
    clearTimeout(this.retryTimer);
    clearTimeout(this.changeTimer);
    this.changeTimer = undefined;
    this.source?.close();
    this.source = undefined;
    this.become(false);
  }

  private become(live: boolean): void {
    if (this.isLive === live) return;
    this.isLive = live;
    for (const listener of this.listeners) listener();
  }

  private changed(): void {
    if (this.changeTimer !== undefined) return;
    const waitMs = Math.max(0, this.toldMs + CHANGE_MS - Date.now());
    this.changeTimer = setTimeout(() => {
      this.changeTimer = undefined;
      this.toldMs = Date.now();
      this.options.onChange();
    }, waitMs);
  }
}
