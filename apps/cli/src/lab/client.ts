import { setTimeout as sleep } from 'node:timers/promises';
import { problemSchema, type Problem } from '@bootlab/lab';
import { ExitCode, LabError } from '../exit-codes.js';
import type { Connection } from './settings.js';

export interface RequestOptions {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | FormData;
  /** Asking again does no harm: GET, or a request with an idempotency key. Default: for GET. */
  readonly repeatable?: boolean;
  readonly signal?: AbortSignal;
}

const TRIES = 4;
const FIRST_PAUSE_MS = 500;
// What a proxy or a lab says that is just being restarted.
const PASSING = new Set([408, 425, 429, 502, 503, 504]);

/** Talks HTTP to a lab. */
export class LabClient {
  constructor(
    readonly connection: Connection,
    private readonly version: string,
  ) {}

  /** @param path below /api/v1 */
  async json<T>(path: string, options: RequestOptions = {}): Promise<T> {
    const response = await this.request(path, options);
    // The caller names the type that the lab's schema gives this path.
    return (await response.json()) as T;
  }

  async text(path: string): Promise<string> {
    return (await this.request(path)).text();
  }

  post<T>(path: string, body: unknown, options: RequestOptions = {}): Promise<T> {
    return this.send<T>('POST', path, body, options);
  }

  send<T>(method: 'POST' | 'PUT' | 'PATCH', path: string, body: unknown, options: RequestOptions = {}): Promise<T> {
    const headers = { ...options.headers, 'content-type': 'application/json' };
    return this.json<T>(path, { ...options, method, headers, body: JSON.stringify(body) });
  }

  async delete(path: string): Promise<void> {
    await this.request(path, { method: 'DELETE' });
  }

  /** The answer, when it is a good one. @throws LabError */
  async request(path: string, options: RequestOptions = {}): Promise<Response> {
    const repeatable = options.repeatable ?? (options.method ?? 'GET') === 'GET';
    for (let attempt = 1; ; attempt++) {
      const answer = await this.once(path, options).catch((error: unknown) => {
        if (options.signal?.aborted) throw error;
        return this.unreachable(error);
      });
      if (answer instanceof Response && answer.ok) return answer;
      const error = answer instanceof LabError ? answer : await errorOf(answer);
      const passing = error.status === undefined || PASSING.has(error.status);
      if (!repeatable || !passing || attempt === TRIES) throw error;
      await sleep(FIRST_PAUSE_MS * 2 ** (attempt - 1), undefined, options.signal && { signal: options.signal });
    }
  }

  headers(): Record<string, string> {
    const { token, project } = this.connection;
    return {
      authorization: `Bearer ${token}`,
      'user-agent': `bootlab/${this.version}`,
      ...(project !== undefined && { 'bootlab-project': project }),
    };
  }

  /** Where people look at something: a page of the lab. */
  page(path: string): string {
    return `${this.connection.url}${path}`;
  }

  unreachable(error: unknown): LabError {
    const cause =
      error instanceof Error ? ((error.cause as NodeJS.ErrnoException | undefined)?.code ?? error.message) : '';
    return new LabError(`the lab at ${this.connection.url} does not answer (${cause})`, ExitCode.internal);
  }

  private once(path: string, { method = 'GET', headers, body, signal }: RequestOptions): Promise<Response> {
    return fetch(`${this.connection.url}/api/v1${path}`, {
      method,
      headers: { ...this.headers(), ...headers },
      ...(body !== undefined && { body }),
      ...(signal && { signal }),
    });
  }
}

async function errorOf(response: Response): Promise<LabError> {
  return labError(response.status, await response.text());
}

/** An answer that is no success, in words; a proxy in between may have answered without problem+json. */
export function labError(status: number, body: string): LabError {
  const problem = parseProblem(body);
  // What the client can change is a usage error; everything else is nothing that the job or its author did.
  const exitCode = status >= 400 && status < 500 && !PASSING.has(status) ? ExitCode.usage : ExitCode.internal;
  if (!problem) return new LabError(`the lab answered ${status}`, exitCode, status);
  const [first, ...rest] = problem.errors;
  if (!first) return new LabError(problem.detail || problem.title, exitCode, status);
  const lines = [first, ...rest].map(({ field, message, mend }) => {
    const stop = /[.!?]$/.test(message) ? '' : '.';
    return `${field}: ${message}${stop} ${mend}`;
  });
  return new LabError(lines.join('\nbootlab: '), exitCode, status);
}

function parseProblem(body: string): Problem | undefined {
  try {
    const parsed = problemSchema.safeParse(JSON.parse(body));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}
