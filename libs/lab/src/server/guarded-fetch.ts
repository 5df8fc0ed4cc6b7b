import type { LookupAddress } from 'node:dns';
import { lookup as systemLookup } from 'node:dns/promises';
import { request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { Readable } from 'node:stream';
import ipaddr from 'ipaddr.js';
import { formatDuration, formatSize } from '../index.js';

/** Resolves a host name to all its addresses. */
export type Resolver = (host: string) => Promise<LookupAddress[]>;

export interface GuardedFetchOptions {
  /** Hosts (`name` or `name:port`) that may lie in private networks, because the operator says so. */
  readonly allowedHosts?: readonly string[];
  /** Largest body, in bytes. */
  readonly maxBytes: number;
  /** For the whole download, from the first look-up to the last byte. */
  readonly timeMs: number;
  /** Longest silence. */
  readonly idleMs?: number;
  readonly maxRedirects?: number;
  readonly signal?: AbortSignal;
  readonly resolve?: Resolver;
}

export interface Download {
  readonly body: Readable;
  /** Where the redirects led. */
  readonly url: URL;
  /** What the server announced; null when it did not. */
  readonly sizeBytes: number | null;
}

/** The download was refused or failed; the message is meant for who asked for it. */
export class FetchRefusedError extends Error {
  override readonly name = 'FetchRefusedError';

  constructor(
    message: string,
    readonly mend: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

const MAX_REDIRECTS = 5;
const IDLE_MS = 30_000;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);
const ASK_OPERATOR = 'Upload the file instead, or ask the operator to add the host to BOOTLAB_IMPORT_HOSTS.';

const resolveWithSystem: Resolver = (host) => systemLookup(host, { all: true, verbatim: true });

/**
 * Whether an address lies on the public internet. Private, loopback, link-local (which is where clouds keep their
 * metadata), multicast and reserved addresses do not, nor do IPv6 addresses that stand for an IPv4 one in disguise
 * (mapped, NAT64, 6to4, Teredo): those are never needed, and have been used to reach around such checks.
 */
export function isPublicAddress(address: string): boolean {
  return ipaddr.isValid(address) && ipaddr.parse(address).range() === 'unicast';
}

/** Never reached, not even for a host that the operator allows: clouds answer with credentials there. */
function isLinkLocal(address: string): boolean {
  return ipaddr.process(address).range() === 'linkLocal';
}

/**
 * Downloads from an address that somebody else has chosen, without lending them this host's place in the network.
 * Every address is checked when the connection is made, on the very address it goes to, so a name that resolves
 * differently the second time (DNS rebinding) gains nothing; and again for every redirect. Sends no credentials and
 * follows no proxy. The body fails when it is too large, too slow, or cut short.
 * @throws FetchRefusedError
 */
export async function guardedFetch(address: string, options: GuardedFetchOptions): Promise<Download> {
  const fetching = new GuardedFetch(options);
  let url = parseUrl(address);
  for (let redirects = 0; ; redirects++) {
    const response = await fetching.ask(url);
    const { statusCode = 0, headers } = response;
    if (REDIRECTS.has(statusCode) && headers.location !== undefined) {
      response.destroy();
      if (redirects >= (options.maxRedirects ?? MAX_REDIRECTS)) {
        throw new FetchRefusedError('The server redirects too often', 'Give the address where the file really is.');
      }
      url = parseUrl(headers.location, url);
      continue;
    }
    if (statusCode !== 200) {
      response.destroy();
      throw new FetchRefusedError(`${url.host} answered ${statusCode}`, 'Check the address.');
    }
    const sizeBytes = fetching.announcedSize(response);
    return { body: Readable.from(fetching.body(response, url), { objectMode: false }), url, sizeBytes };
  }
}

export interface GuardedPostOptions extends Pick<
  GuardedFetchOptions,
  'allowedHosts' | 'timeMs' | 'signal' | 'resolve'
> {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/**
 * Sends a message to an address that somebody else has chosen, guarded as {@link guardedFetch} is. Redirects are not
 * followed, and what the other side answers beside its status is not read.
 * @returns the HTTP status
 * @throws FetchRefusedError
 */
export async function guardedPost(address: string, options: GuardedPostOptions): Promise<number> {
  const { headers, body, ...limits } = options;
  const response = await new GuardedFetch({ ...limits, maxBytes: 0 }).ask(parseUrl(address), { headers, body });
  response.destroy();
  return response.statusCode ?? 0;
}

function parseUrl(text: string, base?: URL): URL {
  const url = URL.canParse(text, base?.href) ? new URL(text, base) : undefined;
  if (!url) throw new FetchRefusedError(`"${text}" is no address`, 'Give a whole one, such as https://host/file.');
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new FetchRefusedError(`${url.protocol} addresses are not fetched`, 'Use http or https.');
  }
  if (url.username !== '' || url.password !== '') {
    throw new FetchRefusedError(
      'The address carries a user name or password',
      'Leave it out: the lab keeps no secrets.',
    );
  }
  url.hash = '';
  return url;
}

/** `[::1]` as `::1`, and without the dot that ends a fully qualified name. */
const hostOf = (url: URL): string => url.hostname.replace(/^\[(.*)\]$/, '$1').replace(/\.$/, '');

function isAllowed(url: URL, allowedHosts: readonly string[]): boolean {
  const host = hostOf(url);
  const port = url.port || (url.protocol === 'https:' ? '443' : '80');
  return allowedHosts.some((allowed) => allowed.toLowerCase() === host || allowed.toLowerCase() === `${host}:${port}`);
}

/** One download, over all its redirects. */
class GuardedFetch {
  private readonly deadline: AbortSignal;
  private readonly signal: AbortSignal;
  private readonly idleMs: number;
  /** Why a connection was broken off here: what its streams then report says less. */
  private brokenOff: FetchRefusedError | undefined;

  constructor(private readonly options: GuardedFetchOptions) {
    this.deadline = AbortSignal.timeout(options.timeMs);
    this.signal = options.signal ? AbortSignal.any([this.deadline, options.signal]) : this.deadline;
    this.idleMs = options.idleMs ?? IDLE_MS;
  }

  /** The head of the answer, from an address that was checked. */
  ask(url: URL, message?: Pick<GuardedPostOptions, 'headers' | 'body'>): Promise<IncomingMessage> {
    const host = hostOf(url);
    const refusal = this.refusalFor(url);
    // A literal address is never looked up, so it is checked here.
    const refused = isIP(host) === 0 ? undefined : refusal(host);
    if (refused) return Promise.reject(refused);
    const settings: RequestOptions = {
      agent: false, // a connection of its own: none that was checked for another host
      lookup: guardedLookup(this.options.resolve ?? resolveWithSystem, refusal),
      signal: this.signal,
      timeout: this.idleMs,
      headers: { accept: '*/*', 'accept-encoding': 'identity', 'user-agent': 'bootlab', ...message?.headers },
      ...(message && { method: 'POST' }),
    };
    return new Promise((resolve, reject) => {
      const request = (url.protocol === 'https:' ? httpsRequest : httpRequest)(url, settings, (response) => {
        // Once more on the connection itself, in case the platform did not go where the look-up said.
        const wrong = refusal(response.socket.remoteAddress ?? '');
        if (!wrong) return resolve(response);
        request.destroy();
        reject(wrong);
      });
      request.on('timeout', () => {
        const silence = formatDuration(this.idleMs * 1e6);
        this.brokenOff = new FetchRefusedError(`${url.host} was silent for ${silence}`, 'Try again later.');
        request.destroy(this.brokenOff);
      });
      request.on('error', (error) => reject(this.explain(error, url)));
      request.end(message?.body);
    });
  }

  /** @throws FetchRefusedError when the announced size is too large */
  announcedSize(response: IncomingMessage): number | null {
    const length = response.headers['content-length'];
    if (length === undefined) return null;
    if (Number(length) <= this.options.maxBytes) return Number(length);
    response.destroy();
    throw this.tooLarge();
  }

  /** The body; whatever ends it before its time is a FetchRefusedError to its reader. */
  async *body(response: IncomingMessage, url: URL): AsyncGenerator<Buffer> {
    let receivedBytes = 0;
    try {
      for await (const chunk of response as AsyncIterable<Buffer>) {
        receivedBytes += chunk.length;
        if (receivedBytes > this.options.maxBytes) throw this.tooLarge();
        yield chunk;
      }
    } catch (error) {
      throw this.explain(error as Error, url); // streams fail with Errors only
    } finally {
      response.destroy();
    }
  }

  private refusalFor(url: URL): Refusal {
    const allowed = isAllowed(url, this.options.allowedHosts ?? []);
    return (address) => {
      const opens = ipaddr.isValid(address) && !isLinkLocal(address);
      if (opens && (allowed || isPublicAddress(address))) return undefined;
      const mend = opens ? ASK_OPERATOR : 'Upload the file instead.';
      return new FetchRefusedError(`${hostOf(url)} is not on the public internet (${address})`, mend);
    };
  }

  private tooLarge(): FetchRefusedError {
    return new FetchRefusedError(
      `The file is larger than this lab takes (${formatSize(this.options.maxBytes)})`,
      'Choose a smaller file, or have BOOTLAB_MAX_UPLOAD raised where the lab runs.',
    );
  }

  private explain(error: Error & { code?: string }, url: URL): Error {
    if (error instanceof FetchRefusedError) return error;
    if (this.options.signal?.aborted) return error;
    if (this.brokenOff) return this.brokenOff;
    if (this.deadline.aborted) {
      const limit = formatDuration(this.options.timeMs * 1e6);
      return new FetchRefusedError(`The download took longer than ${limit}`, 'Upload the file instead.');
    }
    const why = error.code ?? error.message;
    const message = `${url.host} cannot be reached, or broke off (${why})`;
    return new FetchRefusedError(message, 'Check the address, or try again later.', { cause: error });
  }
}

/** Why an address is not connected to; undefined when it may be. */
type Refusal = (address: string) => FetchRefusedError | undefined;

function guardedLookup(resolve: Resolver, refusal: Refusal): LookupFunction {
  return (name, { all }, done) => {
    resolve(name).then(
      (addresses) => {
        // One bad address is enough: which one the connection would take is not ours to choose.
        const refused = addresses.map(({ address }) => refusal(address)).find((each) => each !== undefined);
        const [first] = addresses;
        if (refused) done(refused, '', 0);
        else if (!first) done(new FetchRefusedError(`${name} has no address`, 'Check the address.'), '', 0);
        else if (all) done(null, addresses);
        else done(null, first.address, first.family);
      },
      (error: Error) => done(error, '', 0),
    );
  };
}
