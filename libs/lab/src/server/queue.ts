import { createPostgresBackend, Queue, Worker, type Processor, type WorkerOptions } from 'bullmq';
import type { LabConfig } from './config.js';
import { PostgresStreams } from './streams/postgres-streams.js';
import { RedisStreams } from './streams/redis-streams.js';
import type { LiveStreams } from './streams/live-streams.js';

/** What lies in the queue: the database knows the rest. */
export interface QueuedJob {
  jobId: string;
}

export type JobQueue = Queue<QueuedJob>;
export type JobWorker = Worker<QueuedJob>;

const QUEUE = 'jobs';

type Backing = Pick<LabConfig, 'databaseUrl' | 'redisUrl'>;

// Options rather than a client: what BullMQ opens itself it also closes. A worker waits for Redis as long as it takes.
const redisConnection = (url: string) => ({ url, maxRetriesPerRequest: null });
// BullMQ keeps its own tables in a schema of its own and brings them up to date by itself.
const postgresConnection = (url: string) => ({ connectionString: url, migrate: true });

/** The queue of jobs, in Redis when there is one, else in PostgreSQL. */
export function openJobQueue(config: Backing, onError: (error: Error) => void): JobQueue {
  const options = { defaultJobOptions: { removeOnComplete: true, removeOnFail: true } };
  const queue: JobQueue = config.redisUrl
    ? new Queue<QueuedJob>(QUEUE, { ...options, connection: redisConnection(config.redisUrl) })
    : (new Queue(
        QUEUE,
        { ...options, connection: postgresConnection(config.databaseUrl) },
        createPostgresBackend,
      ) as unknown as JobQueue); // the backend is a type parameter of Queue, of no concern to its users
  queue.on('error', onError);
  return queue;
}

export function openJobWorker(
  config: Backing,
  processor: Processor<QueuedJob>,
  options: Omit<WorkerOptions, 'connection'>,
  onError: (error: Error) => void,
): JobWorker {
  const worker: JobWorker = config.redisUrl
    ? new Worker<QueuedJob>(QUEUE, processor, { ...options, connection: redisConnection(config.redisUrl) })
    : (new Worker(
        QUEUE,
        processor,
        { ...options, connection: postgresConnection(config.databaseUrl) },
        createPostgresBackend,
      ) as unknown as JobWorker); // as above
  worker.on('error', onError);
  return worker;
}

export function openLiveStreams(config: Backing, onError: (error: Error) => void): Promise<LiveStreams> {
  return config.redisUrl ? RedisStreams.connect(config.redisUrl, onError) : PostgresStreams.connect(config.databaseUrl);
}

/** Puts a job into the queue; doing so again while it is there changes nothing. */
export async function enqueue(queue: JobQueue, jobId: string): Promise<void> {
  await queue.add('run', { jobId }, { jobId });
}
