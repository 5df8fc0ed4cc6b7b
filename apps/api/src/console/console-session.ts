import { Logger } from '@nestjs/common';
import {
  clientMessageSchema,
  fieldErrorsOf,
  type ClientMessage,
  type ConsoleChunk,
  type Job,
  type ServerMessage,
} from '@bootlab/lab';
import type { ConsoleLogs, Identity, JobStore, Principal } from '@bootlab/lab/server';
import type { RawData, WebSocket } from 'ws';
import type { Authenticator } from '../auth/authenticator.js';
import type { RightsWatch } from '../auth/rights-watch.js';
import type { JobsService } from '../jobs/jobs.service.js';
import { ProblemError } from '../problem/problem.js';

const AUTH_TIMEOUT_MS = 10_000;

// Close codes 4000–4999 are the application's own (RFC 6455, 7.4.2); these mirror HTTP's.
const CLOSE_NORMAL = 1000;
const CLOSE_BAD_REQUEST = 4400;
const CLOSE_UNAUTHORIZED = 4401;
const CLOSE_FORBIDDEN = 4403;
const CLOSE_NOT_FOUND = 4404;
const CLOSE_INTERNAL = 1011;

type AuthMessage = Extract<ClientMessage, { type: 'auth' }>;

/** One watcher of one job's consoles: history from where he asks, then live, and what he types. */
export class ConsoleSession {
  private readonly logger = new Logger(ConsoleSession.name);
  private readonly abort = new AbortController();
  private job: Job | undefined;
  private principal: Principal | undefined;
  private hasTyped = false;
  /** Messages are handled one after the other: keys arrive in the order they were typed. */
  private handling: Promise<void> = Promise.resolve();

  constructor(
    private readonly socket: WebSocket,
    private readonly jobId: string,
    private readonly authenticator: Authenticator,
    /** Who the cookie says it is that comes with the page's own requests. */
    private readonly cookieIdentity: () => Promise<Identity | undefined>,
    private readonly rights: RightsWatch,
    private readonly typed: (principal: Principal) => Promise<void>,
    private readonly jobStore: JobStore,
    private readonly jobs: JobsService,
    private readonly logs: ConsoleLogs,
  ) {}

  start(): void {
    const timer = setTimeout(() => {
      if (!this.job) void this.fail(CLOSE_UNAUTHORIZED, 'The first message must be {"type":"auth", …}');
    }, AUTH_TIMEOUT_MS);
    this.socket.on('close', () => {
      clearTimeout(timer);
      this.abort.abort();
    });
    this.socket.on('message', (data) => {
      this.handling = this.handling.then(() => this.handle(data)).catch((error: unknown) => this.crash(error));
    });
  }

  private async handle(data: RawData): Promise<void> {
    if (this.abort.signal.aborted) return;
    const message = this.parse(data);
    if (typeof message === 'string') return this.fail(CLOSE_BAD_REQUEST, message);
    if (message.type === 'auth') return this.authenticate(message);
    if (!this.job) return this.fail(CLOSE_UNAUTHORIZED, 'The first message must be {"type":"auth", …}');
    if (!this.job.consoles.includes(message.uart)) {
      return this.fail(CLOSE_BAD_REQUEST, `uart: this board has ${this.job.consoles.join(', ')}`);
    }
    if (!this.principal?.scopes.has('submit')) {
      return this.fail(CLOSE_FORBIDDEN, 'Typing needs the scope "submit" in this project');
    }
    if (!this.hasTyped) await this.typed(this.principal);
    this.hasTyped = true;
    if (this.job.state !== 'ended') await this.jobs.input(this.jobId, message.uart, message.data);
  }

  /** The message, or what is wrong with it. */
  private parse(data: RawData): ClientMessage | string {
    let value: unknown;
    try {
      value = JSON.parse(String(data));
    } catch {
      return 'Messages are JSON';
    }
    const parsed = clientMessageSchema.safeParse(value);
    if (parsed.success) return parsed.data;
    return fieldErrorsOf(parsed.error)
      .map(({ field, message, mend }) => `${field}: ${message}. ${mend}`)
      .join(' ');
  }

  private async authenticate(message: AuthMessage): Promise<void> {
    if (this.job) return this.fail(CLOSE_BAD_REQUEST, 'This connection is signed in already');
    const principal = await this.authorize(message);
    if ('code' in principal) return this.fail(principal.code, principal.detail);
    this.principal = principal;
    this.job = await this.jobStore.find(principal.projectId, this.jobId);
    if (!this.job) return this.fail(CLOSE_NOT_FOUND, `There is no job "${this.jobId}"`);
    await this.send({ type: 'ready', job: this.job });
    this.keepRights(message);
    this.watch(message.from).catch((error: unknown) => this.crash(error));
  }

  /** Who watches, in the job's project; or why he may not. */
  private async authorize({ token, project }: AuthMessage): Promise<Principal | { code: number; detail: string }> {
    const identity = await (token === undefined ? this.cookieIdentity() : this.authenticator.ofToken(token));
    if (!identity) {
      const detail = token === undefined ? 'Nobody is signed in' : 'This token is not valid';
      return { code: CLOSE_UNAUTHORIZED, detail };
    }
    try {
      const principal = await this.authenticator.inNamedProject(identity, project);
      if (principal.scopes.has('read')) return principal;
      return { code: CLOSE_FORBIDDEN, detail: 'This needs the scope "read"' };
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error;
      return { code: error.status === 404 ? CLOSE_NOT_FOUND : CLOSE_BAD_REQUEST, detail: error.message };
    }
  }

  /** Asks from time to time whether he still may; what he may type is then as it is now, too. */
  private keepRights(message: AuthMessage): void {
    const complete = this.rights.watch({
      stillAllowed: async () => {
        const now = await this.authorize(message);
        if ('code' in now || now.projectId !== this.principal?.projectId) return false;
        this.principal = now;
        return true;
      },
      end: () => void this.fail(CLOSE_UNAUTHORIZED, 'You may no longer watch this console'),
    });
    this.abort.signal.addEventListener('abort', complete, { once: true });
  }

  private async watch(from: number): Promise<void> {
    let shown = this.job && jobMessage(this.job);
    for await (const event of this.logs.watch(this.jobId, from, this.jobStore, this.abort.signal)) {
      if (event.kind === 'job') {
        this.job = event.job;
        const now = jobMessage(event.job);
        if (now !== shown) await this.sendText(now);
        shown = now;
      } else {
        // Waiting for the last one is enough: a slow watcher then holds up his own reading and nobody else's.
        const messages = event.chunks.map(chunkMessage);
        const last = messages.pop();
        for (const message of messages) void this.sendText(message);
        if (last !== undefined) await this.sendText(last);
      }
    }
    if (this.abort.signal.aborted) return;
    await this.send({ type: 'end' });
    this.socket.close(CLOSE_NORMAL);
  }

  private send(message: ServerMessage): Promise<void> {
    return this.sendText(JSON.stringify(message));
  }

  /** Resolves when the message has been handed to the network, or the connection is gone. */
  private sendText(message: string): Promise<void> {
    return new Promise((resolve) => this.socket.send(message, () => resolve()));
  }

  private async fail(code: number, detail: string): Promise<void> {
    await this.send({ type: 'error', detail });
    this.socket.close(code);
  }

  private crash(error: unknown): void {
    this.logger.error(`Console of job ${this.jobId}`, error instanceof Error ? error.stack : error);
    void this.fail(CLOSE_INTERNAL, 'The lab failed to serve this console; its log says why');
  }
}

/** Watchers of a console are given the same chunks and jobs: each becomes a message once, however many there are. */
function messageOnce<T extends object>(messageOf: (value: T) => ServerMessage): (value: T) => string {
  const messages = new WeakMap<T, string>();
  return (value) => {
    let message = messages.get(value);
    if (message === undefined) {
      message = JSON.stringify(messageOf(value));
      messages.set(value, message);
    }
    return message;
  };
}

const chunkMessage = messageOnce((chunk: ConsoleChunk) => ({ type: 'chunk', ...chunk }));
const jobMessage = messageOnce((job: Job) => ({ type: 'job', job }));
