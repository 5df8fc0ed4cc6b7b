// The live stream of one job: consoles, job changes, the end. Keeps every chunk it has seen, so that any number of views
// (terminals, the log) can start from the beginning at any time, and resumes after a lost connection without a gap or a
// repetition: the server numbers chunks, and `from` names the first one still wanted.
import { decodeBase64, encodeBase64 } from '../api/base64.js';
import type { Job, ServerMessage } from '../api/types.js';

export interface ConsoleChunk {
  seq: number;
  uart: string;
  /** Virtual time of the chunk's first byte. */
  tNs: number;
  data: Uint8Array;
}

export type StreamState =
  | { kind: 'connecting' }
  | { kind: 'live' }
  | { kind: 'lost'; retryAtMs: number }
  | { kind: 'ended' }
  | { kind: 'refused'; detail: string };

/** What the stream needs of a WebSocket, so that tests can give it one without a network. */
export interface Socket {
  send(data: string): void;
  close(): void;
  onopen: ((event: Event) => void) | null;
  onmessage: ((event: MessageEvent) => void) | null;
  onclose: ((event: CloseEvent) => void) | null;
}

export interface ConsoleStreamOptions {
  jobId: string;
  /** Which of the person's projects the job is in; undefined when there is only one. */
  project: string | undefined;
  onJob(job: Job): void;
  openSocket?: (jobId: string) => Socket;
}

const FIRST_RETRY_MS = 500;
const LONGEST_RETRY_MS = 10_000;
/** Input goes out in frames of this size, so that a long paste does not hold up a cancel or the heartbeat. */
const INPUT_FRAME_BYTES = 4096;

export class ConsoleStream {
  readonly chunks: ConsoleChunk[] = [];

  private readonly options: ConsoleStreamOptions;
  private readonly listeners = new Set<() => void>();
  private socket: Socket | undefined;
  private retryTimer: ReturnType<typeof setTimeout> | undefined;
  private retryMs = FIRST_RETRY_MS;
  private nextSeq = 0;
  private stopped = false;
  private active = '';
  private current: StreamState = { kind: 'connecting' };

  constructor(options: ConsoleStreamOptions) {
    this.options = options;
  }

  get state(): StreamState {
    return this.current;
  }

  /** Names of the consoles that have printed something, space-separated in order of first output (a stable value). */
  get activeConsoles(): string {
    return this.active;
  }

  /** Calls back whenever `chunks` has grown or `state` has changed. */
  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  open(): void {
    this.stopped = false;
    this.connect();
  }

  close(): void {
    this.stopped = true;
    clearTimeout(this.retryTimer);
    this.dropSocket();
  }

  /** Connects at once instead of waiting for the next try: the person asked, or the machine came back online. */
  retryNow(): void {
    if (this.stopped || (this.current.kind !== 'lost' && this.current.kind !== 'refused')) return;
    clearTimeout(this.retryTimer);
    this.connect();
  }

  /** Types into a console. False when nothing is connected that could take it; nothing is queued for later. */
  sendInput(uart: string, data: Uint8Array): boolean {
    if (this.current.kind !== 'live' || !this.socket) return false;
    for (let start = 0; start < data.length; start += INPUT_FRAME_BYTES) {
      const frame = data.subarray(start, start + INPUT_FRAME_BYTES);
      this.socket.send(JSON.stringify({ type: 'input', uart, data: encodeBase64(frame) }));
    }
    return true;
  }

  private connect(): void {
    this.dropSocket();
    this.become({ kind: 'connecting' });
    const socket = (this.options.openSocket ?? openConsoleSocket)(this.options.jobId);
    this.socket = socket;
    socket.onopen = () => {
      socket.send(JSON.stringify({ type: 'auth', project: this.options.project, from: this.nextSeq }));
    };
    socket.onmessage = (event) => {
      if (typeof event.data === 'string') this.receive(JSON.parse(event.data) as ServerMessage);
    };
    socket.onclose = () => {
      this.socket = undefined;
      if (this.stopped || this.current.kind === 'ended' || this.current.kind === 'refused') return;
      this.become({ kind: 'lost', retryAtMs: Date.now() + this.retryMs });
      this.retryTimer = setTimeout(() => this.connect(), this.retryMs);
      this.retryMs = Math.min(this.retryMs * 2, LONGEST_RETRY_MS);
    };
  }

  private dropSocket(): void {
    const socket = this.socket;
    if (!socket) return;
    this.socket = undefined;
    socket.onopen = null;
    socket.onmessage = null;
    socket.onclose = null;
    socket.close();
  }

  private receive(message: ServerMessage): void {
    switch (message.type) {
      case 'ready':
        this.retryMs = FIRST_RETRY_MS;
        this.options.onJob(message.job);
        this.become({ kind: 'live' });
        break;
      case 'chunk':
        // A server that resumes a little early repeats chunks; each is taken once.
        if (message.seq < this.nextSeq) return;
        this.nextSeq = message.seq + 1;
        this.chunks.push({ seq: message.seq, uart: message.uart, tNs: message.t, data: decodeBase64(message.data) });
        if (!this.active.split(' ').includes(message.uart)) this.active = `${this.active} ${message.uart}`.trim();
        this.notify();
        break;
      case 'job':
        this.options.onJob(message.job);
        break;
      case 'end':
        this.become({ kind: 'ended' });
        this.dropSocket();
        break;
      case 'error':
        this.become({ kind: 'refused', detail: message.detail });
        break;
    }
  }

  private become(state: StreamState): void {
    this.current = state;
    this.notify();
  }

  private notify(): void {
    for (const listener of this.listeners) listener();
  }
}

function openConsoleSocket(jobId: string): Socket {
  const url = new URL(`/api/v1/jobs/${encodeURIComponent(jobId)}/console`, location.href);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  return new WebSocket(url);
}
