import { constants } from 'node:os';
import type { ClientMessage, Job, ServerMessage } from '@bootlab/lab';
import { WebSocket } from 'ws';
import type { BootHost } from '../boot/run.js';
import { Terminal } from '../boot/terminal.js';
import { ExitCode, LabError, signalExitCode, UsageError } from '../exit-codes.js';
import type { LabClient } from './client.js';
import { exitCodeOf } from './follow.js';

const MAX_PAUSE_MS = 10_000;
const FIRST_PAUSE_MS = 250;
const MAX_LOST = 12;
const INPUT_BYTES = 8 * 1024;
// The application's close codes that asking again does not change (console-session.ts of the API).
const REFUSED = new Set([4400, 4401, 4403, 4404]);

/**
 * Connects this terminal with a console of a job: all it has printed, then live, and what is typed. Ctrl-A x leaves,
 * and leaves the job running.
 * @param uart which console; default: the board's first
 * @returns the exit status: that of the job when it ended, 0 when the person left before
 * @throws UsageError, LabError
 */
export async function connectConsole(
  client: LabClient,
  id: string,
  uart: string | undefined,
  host: BootHost,
): Promise<number> {
  const job = await client.json<Job>(`/jobs/${encodeURIComponent(id)}`);
  const name = uart ?? job.consoles[0] ?? '';
  if (!job.consoles.includes(name)) {
    throw new UsageError(`this board has no console '${name}'. Use one of: ${job.consoles.join(', ')}.`);
  }
  return new ConsoleConnection(client, job, name, host).run();
}

type End =
  | { kind: 'left' }
  | { kind: 'signal'; signal: 'SIGINT' | 'SIGTERM' }
  | { kind: 'ended' }
  | { kind: 'lost'; error: Error };

class ConsoleConnection {
  private readonly terminal: Terminal;
  private socket: WebSocket | undefined;
  /** First chunk that is not shown yet. */
  private next = 0;
  private lost = 0;
  private settle!: (end: End) => void;
  private readonly over = new Promise<End>((resolve) => (this.settle = resolve));
  private finished = false;
  private readonly onSigint = (): void => this.settle({ kind: 'signal', signal: 'SIGINT' });
  private readonly onSigterm = (): void => this.settle({ kind: 'signal', signal: 'SIGTERM' });

  constructor(
    private readonly client: LabClient,
    private job: Job,
    private readonly uart: string,
    private readonly host: BootHost,
  ) {
    this.terminal = new Terminal(host, {
      typed: (bytes) => this.type(bytes),
      quit: () => this.settle({ kind: 'left' }),
      outputClosed: () => this.settle({ kind: 'left' }),
    });
  }

  async run(): Promise<number> {
    const { signals } = this.host;
    signals.on('SIGINT', this.onSigint);
    signals.on('SIGTERM', this.onSigterm);
    const page = this.client.page(`/jobs/${this.job.id}`);
    this.terminal.note(`${this.job.name}: ${this.uart} (Ctrl-A x leaves, Ctrl-A h helps)\n${page}`);
    this.connect();
    const end = await this.over.finally(() => {
      this.finished = true;
      signals.off('SIGINT', this.onSigint);
      signals.off('SIGTERM', this.onSigterm);
      this.socket?.close();
    });
    if (end.kind === 'ended') this.terminal.note(`${this.job.outcome ?? ''}: ${this.job.reason ?? ''}`);
    if (end.kind === 'left') this.terminal.note('left; the job goes on');
    this.terminal.close();
    switch (end.kind) {
      case 'left':
        return ExitCode.pass;
      case 'signal':
        return signalExitCode(constants.signals[end.signal]);
      case 'ended':
        return exitCodeOf([this.job.outcome]);
      case 'lost':
        throw end.error;
    }
  }

  private connect(): void {
    const { url, token, project } = this.client.connection;
    const socket = new WebSocket(`${url.replace(/^http/, 'ws')}/api/v1/jobs/${this.job.id}/console`, {
      headers: this.client.headers(),
    });
    this.socket = socket;
    let reason = 'the connection was closed';
    socket.on('open', () => {
      const hello: ClientMessage = { type: 'auth', token, from: this.next, ...(project !== undefined && { project }) };
      socket.send(JSON.stringify(hello));
    });
    // The lab's own messages; a proxy's would not be JSON, and end the connection.
    socket.on('message', (data) => this.take(JSON.parse(String(data)) as ServerMessage));
    socket.on('error', (error) => (reason = error.message));
    socket.on('close', (code) => {
      if (this.finished) return;
      if (REFUSED.has(code)) this.settle({ kind: 'lost', error: new LabError(this.refusal ?? reason, ExitCode.usage) });
      else this.reconnect(reason);
    });
  }

  private refusal: string | undefined;

  private take(message: ServerMessage): void {
    switch (message.type) {
      case 'ready':
      case 'job':
        this.lost = 0;
        this.job = message.job;
        return;
      case 'chunk':
        this.next = message.seq + 1;
        if (message.uart !== this.uart) return;
        this.terminal.print(Buffer.from(message.data, 'base64'));
        this.terminal.flush();
        return;
      case 'end':
        return this.settle({ kind: 'ended' });
      case 'error':
        this.refusal = message.detail;
    }
  }

  private reconnect(reason: string): void {
    if (++this.lost > MAX_LOST) {
      return this.settle({ kind: 'lost', error: this.client.unreachable(new Error(reason)) });
    }
    if (this.lost === 1) this.terminal.note(`connection lost (${reason}); trying again`);
    setTimeout(() => !this.finished && this.connect(), Math.min(MAX_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (this.lost - 1)));
  }

  private type(bytes: Uint8Array): void {
    if (this.socket?.readyState !== WebSocket.OPEN) return; // as on a cable that is pulled out
    for (let offset = 0; offset < bytes.length; offset += INPUT_BYTES) {
      const data = Buffer.from(bytes.subarray(offset, offset + INPUT_BYTES)).toString('base64');
      const message: ClientMessage = { type: 'input', uart: this.uart, data };
      this.socket.send(JSON.stringify(message));
    }
  }
}
