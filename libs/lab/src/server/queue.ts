import { createPostgresBackend, Queue, Worker, type Processor, type WorkerOptions } from 'bullmq';
import type { LabConfig } from './config.js';
import { PostgresStreams } from './streams/postgres-streams.js';
import { reconnectAfterMs } from './redis.js';
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
// Without a strategy of ours BullMQ comes back up to 20 s after Redis does.
const redisConnection = (url: string) => ({ url, maxRetriesPerRequest: null, retryStrategy: reconnectAfterMs });
// BullMQ keeps its own tables in a schema of its own and brings them up to date by itself.
const postgresConnection = (url: string) => ({ connectionString: url, migrate: true });

/** The queue of jobs, in Redis when there is one, else in PostgreSQL. */
export const openJobQueue = (config: Backing, onError: (error: Error) => void): JobQueue =>
  openQueue(QUEUE, config, onError);

export const openJobWorker = (
  config: Backing,
  processor: Processor<QueuedJob>,
  options: Omit<WorkerOptions, 'connection'>,
  onError: (error: Error) => void,
): JobWorker => openWorker(QUEUE, config, processor, options, onError);

/** A queue by its name. */
export function openQueue<T>(name: string, config: Backing, onError: (error: Error) => void): Queue<T> {
  const options = { defaultJobOptions: { removeOnComplete: true, removeOnFail: true } };
  const queue: Queue<T> = config.redisUrl
    ? new Queue<T>(name, { ...options, connection: redisConnection(config.redisUrl) })
    : (new Queue(
        name,
        { ...options, connection: postgresConnection(config.databaseUrl) },
        createPostgresBackend,
      ) as unknown as Queue<T>); // the backend is a type parameter of Queue, of no concern to its users
  queue.on('error', onError);
  return queue;
}

/** What works a queue off. */
export function openWorker<T>(
  name: string,
  config: Backing,
  processor: Processor<T>,
  options: Omit<WorkerOptions, 'connection'>,
  onError: (error: Error) => void,
): Worker<T> {
  const worker: Worker<T> = config.redisUrl
    ? new Worker<T>(name, processor, { ...options, connection: redisConnection(config.redisUrl) })
    : (new Worker(
        name,
        processor,
        { ...options, connection: postgresConnection(config.databaseUrl) },
        createPostgresBackend,
      ) as unknown as Worker<T>); // as above
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
