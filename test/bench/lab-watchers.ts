import { createHash, type Hash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Job } from '@bootlab/lab';
import type { WebSocket } from 'ws';
import { echoingGuest, FILLER_LETTERS, printingGuest } from './lab-guests.js';
import { AUTHORIZATION, BACKENDS, cancel, submit, watch, withLab, type Backend, type Stand } from './lab-stand.js';
import type { Report, Row } from './report.js';
import { quantile } from './statistics.js';

const WATCHERS = 200;
const PROBES = 100;
const PROBE_EVERY_MS = 150;
/** Some fifty lines a second on the machine this was written on: a busy guest runs as fast as its host lets it. */
const LOOKS_PER_LINE = 200_000;
/** Between the board's first byte and the first probe: what runs often is being translated. */
const SETTLE_MS = 2000;
const BURST_LINES = 8192;
/** Milliseconds from sending a character to its arrival at a watcher, for 99 of 100. */
const TARGET_MS = 250;
const LIMIT_MS = 60_000;

const PROBE = /#(\d{4});/g;
const probeText = (number: number): string => `#${String(number).padStart(4, '0')};`;
/** What the guest prints by itself, perhaps between two characters of a probe. */
const FILLER = /[a\n]+/g;

interface Measured {
  latenciesMs: number[];
  linesPerSecond: number;
  /** Bytes of the console that a watcher got, and how many watchers got anything else than what the log has. */
  bytes: number;
  incomplete: number;
  burstSeconds: number;
  burstBytes: number;
}

/** Two hundred watchers of one console, each of whom must have every byte, soon. */
export async function labWatchersBenchmark(progress: (text: string) => void): Promise<Report> {
  const rows: Row[] = [];
  const all: { backend: Backend; p99: number; incomplete: number }[] = [];
  for (const backend of BACKENDS) {
    progress(`${WATCHERS} watchers, streams in ${backend}`);
    const { latenciesMs, linesPerSecond, bytes, incomplete, burstSeconds, burstBytes } = await withLab(
      backend,
      {},
      measure,
    );
    const p99 = quantile(latenciesMs, 0.99);
    all.push({ backend, p99, incomplete });
    const each = [quantile(latenciesMs, 0.5), p99, Math.max(...latenciesMs)];
    rows.push({
      name: backend,
      values: [...each, linesPerSecond, bytes / 1024, incomplete, burstBytes / 1024, burstSeconds],
    });
  }
  return {
    title: `Lab: ${WATCHERS} watchers of one console`,
    note:
      `milliseconds from typing one of ${PROBES} probes, through API, worker, guest and back, to its arrival at each ` +
      'watcher, while the guest prints; then one burst. Watchers that have not exactly the bytes of the log',
    columns: ['p50', 'p99', 'longest', 'lines/s', 'KiB each', 'incomplete', 'burst KiB each', 'seconds'],
    rows,
    targets: all.flatMap(({ backend, p99, incomplete }) => [
      { name: `milliseconds for 99 of 100, ${backend}`, value: p99, atMost: TARGET_MS },
      { name: `watchers with a dropped byte, ${backend}`, value: incomplete, atMost: 0 },
    ]),
  };
}

async function measure(stand: Stand): Promise<Measured> {
  const spec = { board: 'malta', images: { firmware: 'upload:guest' }, timeout: '24h' };
  const job = await submit(stand, spec, { guest: echoingGuest(LOOKS_PER_LINE) });
  const crowd = new Crowd(stand, job);
  await crowd.ready();
  await crowd.until(() => crowd.fewestBytes > 0, 'the board to start');
  await sleep(SETTLE_MS);
  const began = performance.now();
  for (let probe = 0; probe < PROBES; probe++) {
    crowd.type(probe);
    await sleep(PROBE_EVERY_MS);
  }
  await crowd.until(() => crowd.latencies.length >= PROBES * WATCHERS, 'the last probe to arrive everywhere');
  await cancel(stand, job);
  await crowd.end();
  const seconds = (performance.now() - began) / 1000;
  const echoed = await crowd.compare();

  const burst = await submit(stand, spec, { guest: printingGuest(BURST_LINES) });
  const sent = performance.now();
  const second = new Crowd(stand, burst);
  const burstBytes = BURST_LINES * (FILLER_LETTERS + 1);
  await second.until(() => second.fewestBytes >= burstBytes, 'the burst to arrive everywhere');
  const burstSeconds = (performance.now() - sent) / 1000;
  await cancel(stand, burst);
  await second.end();
  const printed = await second.compare();
  return {
    latenciesMs: crowd.latencies,
    linesPerSecond: echoed.bytes / (FILLER_LETTERS + 1) / seconds,
    bytes: echoed.bytes,
    incomplete: echoed.incomplete + printed.incomplete,
    burstSeconds,
    burstBytes: printed.bytes,
  };
}

interface Watcher {
  readonly hash: Hash;
  bytes: number;
  /** The end of what came, in which a probe may have begun. */
  tail: string;
}

/** All watchers of one job; the first of them also types. */
class Crowd {
  readonly latencies: number[] = [];
  private watching = 0;
  private ended = 0;
  /** Why one of them watches no more. */
  private failure: Error | undefined;
  private readonly watchers: Watcher[];
  private readonly sockets: WebSocket[] = [];
  private readonly sentAt: number[] = [];

  constructor(
    private readonly stand: Stand,
    private readonly job: Job,
  ) {
    this.watchers = Array.from({ length: WATCHERS }, () => ({ hash: createHash('sha256'), bytes: 0, tail: '' }));
    for (const watcher of this.watchers) this.join(watcher);
  }

  /** Resolves when all of them watch. */
  ready(): Promise<void> {
    return this.until(() => this.watching === WATCHERS, 'all watchers to be let in');
  }

  /** Resolves when all of them have heard that the console has ended. */
  end(): Promise<void> {
    return this.until(() => this.ended === WATCHERS, 'the end to arrive everywhere');
  }

  /** @throws Error when a watcher is sent away, or it takes too long */
  async until(reached: () => boolean, what: string): Promise<void> {
    const deadline = performance.now() + LIMIT_MS;
    while (!reached()) {
      if (this.failure) throw this.failure;
      if (performance.now() > deadline) {
        const had = `${this.watching} watching, ${this.latencies.length} probes heard, ${this.ended} at the end`;
        throw new Error(`waited ${LIMIT_MS / 1000} s in vain for ${what} (${had})`);
      }
      await sleep(20);
    }
  }

  get fewestBytes(): number {
    return Math.min(...this.watchers.map(({ bytes }) => bytes));
  }

  type(probe: number): void {
    const data = Buffer.from(probeText(probe)).toString('base64');
    this.sentAt[probe] = performance.now();
    this.sockets[0]?.send(JSON.stringify({ type: 'input', uart: this.job.consoles[0], data }));
  }

  /** Sets what each has heard against the log that the lab has stored. */
  async compare(): Promise<{ bytes: number; incomplete: number }> {
    const response = await fetch(`${this.stand.url}/api/v1/jobs/${this.job.id}/log?format=text`, {
      headers: AUTHORIZATION,
    });
    const log = Buffer.from(await response.arrayBuffer());
    const wanted = createHash('sha256').update(log).digest('hex');
    const incomplete = this.watchers.filter(({ hash }) => hash.digest('hex') !== wanted).length;
    return { bytes: log.length, incomplete };
  }

  private join(watcher: Watcher): void {
    let over = false;
    const socket = watch(this.stand, this.job.id, (message) => {
      if (message.type === 'ready') this.watching += 1;
      else if (message.type === 'chunk') this.hear(watcher, message.data);
      else if (message.type === 'error') this.failure ??= new Error(`a watcher was sent away: ${message.detail}`);
      else if (message.type === 'end') {
        over = true;
        this.ended += 1;
      }
    });
    socket.on('error', (error) => (this.failure ??= error));
    socket.on('close', (code) => {
      if (!over) this.failure ??= new Error(`a watcher's connection was closed (${code})`);
    });
    this.sockets.push(socket);
  }

  private hear(watcher: Watcher, base64: string): void {
    const now = performance.now();
    const data = Buffer.from(base64, 'base64');
    watcher.hash.update(data);
    watcher.bytes += data.length;
    const text = watcher.tail + data.toString('latin1').replace(FILLER, '');
    let after = 0;
    for (const match of text.matchAll(PROBE)) {
      after = match.index + match[0].length;
      const sent = this.sentAt[Number(match[1])];
      if (sent !== undefined) this.latencies.push(now - sent);
    }
    watcher.tail = text.slice(Math.max(after, text.length - probeText(0).length + 1));
  }
}
