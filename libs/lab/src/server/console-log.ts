import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { createGunzip, gzip } from 'node:zlib';
import type { ConsoleChunk, ConsoleSpan, Job } from '../index.js';
import { logKey, type BlobStore } from './blobs.js';
import type { Database } from './database.js';
import type { JobStore } from './job-store.js';
import { patiently } from './patience.js';
import { SharedReads } from './shared-reads.js';
import { StreamConflictError, Waker, type LiveStreams, type StreamEntry } from './streams/live-streams.js';
import { consoleStream, jobTopic } from './topics.js';

// A stretch of log of about this size moves from the live stream to the blob store.
const SEGMENT_BYTES = 4 * 2 ** 20;

const encode = (span: ConsoleSpan): Buffer =>
  Buffer.from(JSON.stringify({ uart: span.uart, t: span.tNs, data: Buffer.from(span.data).toString('base64') }));

const decode = ({ seq, data }: StreamEntry): ConsoleChunk => ({
  seq,
  ...(JSON.parse(data.toString()) as Omit<ConsoleChunk, 'seq'>),
});

/** All watchers may be given the same objects: nobody changes them. */
export type WatchEvent =
  { readonly kind: 'job'; readonly job: Job } | { readonly kind: 'chunks'; readonly chunks: readonly ConsoleChunk[] };

/**
 * The console log of a job: its newest stretch is a live stream, what is older lies in the blob store in segments.
 * A reader sees one sequence of chunks and does not notice where it passes from one to the other.
 */
export class ConsoleLogs {
  private readonly sharedChunks = new SharedReads<ConsoleChunk[]>();
  private readonly sharedJobs = new SharedReads<Job | undefined>();
  /** How often something was announced for a topic that is watched. */
  private readonly announced = new Map<string, number>();
  private readonly counting = new Map<string, { count: number; end: () => void }>();

  constructor(
    private readonly database: Database,
    private readonly streams: LiveStreams,
    private readonly blobs: BlobStore,
  ) {}

  /** Where the log of a new attempt begins: behind everything that earlier attempts left. */
  async nextSeq(jobId: string): Promise<number> {
    const last = await this.database.logSegment.findFirst({ where: { jobId }, orderBy: { firstSeq: 'desc' } });
    return Math.max(await this.streams.next(consoleStream(jobId)), last ? Number(last.lastSeq) + 1 : 0);
  }

  /**
   * Forgets what attempts before this one printed, and opens the log for writing behind that: nobody else can write to
   * it from now on.
   * @throws StreamConflictError when a later attempt has opened it
   */
  async openWriter(jobId: string, attempt: number): Promise<ConsoleLogWriter> {
    const firstSeq = await this.streams.claim(consoleStream(jobId), attempt, await this.nextSeq(jobId));
    await this.streams.trim(consoleStream(jobId), firstSeq);
    const stale = await this.database.logSegment.findMany({ where: { jobId, lastSeq: { lt: firstSeq } } });
    await this.database.logSegment.deleteMany({ where: { jobId, lastSeq: { lt: firstSeq } } });
    await Promise.all(stale.map((segment) => this.blobs.delete(segment.blobKey)));
    return new ConsoleLogWriter(jobId, attempt, firstSeq, this.database, this.streams, this.blobs);
  }

  /** Chunks from `from` on: a portion that fits in memory, empty when there is none yet. */
  async read(jobId: string, from: number): Promise<ConsoleChunk[]> {
    const live = await this.streams.read(consoleStream(jobId), from);
    if (live[0]?.seq === from) return live.map(decode);
    const segment = await this.database.logSegment.findFirst({
      where: { jobId, lastSeq: { gte: from } },
      orderBy: { firstSeq: 'asc' },
    });
    if (!segment) return live.map(decode);
    const lines = await text((await this.blobs.read(segment.blobKey)).pipe(createGunzip()));
    return lines
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as ConsoleChunk)
      .filter((chunk) => chunk.seq >= from);
  }

  /**
   * Yields the job whenever it changes and its chunks from `from` on, until the job has ended and all of its log was
   * given, or `signal` aborts. The ended job comes last. Watchers of one job share what is looked up for them.
   */
  async *watch(jobId: string, from: number, jobs: JobStore, signal: AbortSignal): AsyncGenerator<WatchEvent, void> {
    const [console, changes] = [consoleStream(jobId), jobTopic(jobId)];
    const wait = { over: () => signal.aborted };
    let jobChanged = true;
    const look = (): void => {
      jobChanged = true;
    };
    const unsubscribe = [this.count(console), this.count(changes), this.streams.subscribe(changes, look)];
    const waker = new Waker(this.streams, [console, changes], signal, look);
    let job: Job | undefined;
    let position = from;
    try {
      while (!signal.aborted) {
        if (jobChanged) {
          jobChanged = false;
          job = await patiently(
            () => this.sharedJobs.get(jobId, this.announced.get(changes) ?? 0, () => jobs.get(jobId)),
            wait,
          );
          if (!job) return;
          if (job.state !== 'ended') yield { kind: 'job', job };
        }
        const ended = job?.state === 'ended'; // known before reading, so that an empty read then means the end
        const version = (this.announced.get(console) ?? 0) + (this.announced.get(changes) ?? 0);
        const next = position;
        const chunks = await patiently(
          () => this.sharedChunks.get(`${jobId} ${next}`, version, () => this.read(jobId, next)),
          wait,
        );
        const last = chunks.at(-1);
        if (last) {
          position = last.seq + 1;
          yield { kind: 'chunks', chunks };
        } else if (job && ended) {
          yield { kind: 'job', job };
          return;
        } else {
          await waker.wait();
        }
      }
    } catch (error) {
      if (!signal.aborted) throw error; // else nobody waits for it any more
    } finally {
      unsubscribe.forEach((end) => end());
      waker.close();
    }
  }

  /** Counts what is announced for a topic, for as long as somebody watches it. */
  private count(topic: string): () => void {
    const watchers = this.counting.get(topic);
    if (watchers) watchers.count += 1;
    else {
      const end = this.streams.subscribe(topic, () => this.announced.set(topic, (this.announced.get(topic) ?? 0) + 1));
      this.counting.set(topic, { count: 1, end });
    }
    return () => {
      const left = this.counting.get(topic);
      if (!left || --left.count > 0) return;
      left.end();
      this.counting.delete(topic);
      this.announced.delete(topic);
    };
  }
}

/** The one writer of a job's log. Appends in order; a second writer of the same job is refused by the stream. */
export class ConsoleLogWriter {
  private seq: number;
  private unarchived: { chunks: string[]; firstSeq: number; sizeBytes: number };

  constructor(
    private readonly jobId: string,
    private readonly attempt: number,
    firstSeq: number,
    private readonly database: Database,
    private readonly streams: LiveStreams,
    private readonly blobs: BlobStore,
  ) {
    this.seq = firstSeq;
    this.unarchived = { chunks: [], firstSeq, sizeBytes: 0 };
  }

  /**
   * Waits for a stream that is away for a moment; what was stored without our hearing of it is not stored twice.
   * @throws StreamConflictError when another worker took the job over
   */
  async append(spans: readonly ConsoleSpan[]): Promise<void> {
    if (spans.length === 0) return;
    const entries = spans.map(encode);
    const at = { seq: this.seq, epoch: this.attempt };
    await patiently(() => this.streams.append(consoleStream(this.jobId), entries, { at }), {
      unless: (error) => error instanceof StreamConflictError,
    });
    for (const entry of entries) {
      this.unarchived.chunks.push(`{"seq":${this.seq},${entry.toString().slice(1)}`);
      this.unarchived.sizeBytes += entry.length;
      this.seq += 1;
    }
    if (this.unarchived.sizeBytes >= SEGMENT_BYTES) await this.archive();
  }

  /** Moves the rest to the blob store. The job may end after that, and then the stream may go. */
  async close(): Promise<void> {
    await this.archive();
  }

  private async archive(): Promise<void> {
    const { chunks, firstSeq, sizeBytes } = this.unarchived;
    if (chunks.length === 0) return;
    const blobKey = logKey(this.jobId, firstSeq);
    const bytes = await promisify(gzip)(`${chunks.join('\n')}\n`);
    const data = { jobId: this.jobId, firstSeq, lastSeq: this.seq - 1, sizeBytes, blobKey };
    await patiently(() => this.blobs.put(blobKey, bytes));
    await patiently(() => this.database.logSegment.createMany({ data, skipDuplicates: true }));
    await patiently(() => this.streams.trim(consoleStream(this.jobId), this.seq));
    this.unarchived = { chunks: [], firstSeq: this.seq, sizeBytes: 0 };
  }
}
