import { rm, stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { formatDuration, formatSize } from '../index.js';

/** Compressed formats that can be unpacked, as inspection names them. */
export const PACKED_TYPES = ['gzip', 'xz', 'zstd', 'bzip2'] as const;
export type PackedType = (typeof PACKED_TYPES)[number];

export const isPackedType = (type: string): type is PackedType => (PACKED_TYPES as readonly string[]).includes(type);

export interface UnpackLimits {
  /** Largest unpacked file. */
  readonly maxBytes: number;
  /** How many times larger than the packed file it may become, once it is larger than `ratioFromBytes`. */
  readonly ratio: number;
  readonly ratioFromBytes: number;
  readonly timeMs: number;
}

/** Empty disks shrink some thousand times; what is still small may come from any ratio. */
export const UNPACK_DEFAULTS = { ratio: 1000, ratioFromBytes: 2 ** 28, timeMs: 600_000 };

/** What the thread is given. */
export interface UnpackTask {
  type: PackedType;
  from: string;
  to: string;
  limits: UnpackLimits & { packedBytes: number };
}

type FromThread =
  | { type: 'progress'; sizeBytes: number }
  | { type: 'done'; sizeBytes: number; sha256: string }
  | { type: 'failed'; limit?: 'size' | 'ratio'; reason: string };

export interface Unpacked {
  readonly path: string;
  readonly sizeBytes: number;
  readonly sha256: string;
}

/** The file cannot be unpacked: it is damaged, or it is a bomb. The message is meant for who sent it. */
export class UnpackError extends Error {
  override readonly name = 'UnpackError';

  constructor(
    message: string,
    readonly mend: string,
  ) {
    super(message);
  }
}

// Both src/server and dist/server lie two folders below libs/lab.
const THREAD = fileURLToPath(new URL('../../unpack/unpack-thread.mjs', import.meta.url));
// JavaScript only: a decoder's window and WebAssembly come on top (xz: at most 64 MiB).
const HEAP_MB = 256;
const DAMAGED = 'Check the file, for example by its digest, and send it again.';

/**
 * Unpacks a file into another, in a thread that is ended when it takes too long. Memory does not grow with the file.
 * @throws UnpackError, and then `to` does not exist
 */
export async function unpackFile(
  type: PackedType,
  from: string,
  to: string,
  limits: UnpackLimits,
  options: { onProgress?: (sizeBytes: number) => void; signal?: AbortSignal } = {},
): Promise<Unpacked> {
  options.signal?.throwIfAborted();
  const task: UnpackTask = { type, from, to, limits: { ...limits, packedBytes: (await stat(from)).size } };
  const thread = new Worker(THREAD, { workerData: task, resourceLimits: { maxOldGenerationSizeMb: HEAP_MB } });
  try {
    return { path: to, ...(await outcomeOf(thread, limits, options)) };
  } catch (error) {
    await thread.terminate(); // before its file is removed
    await rm(to, { force: true });
    throw error;
  }
}

function outcomeOf(
  thread: Worker,
  limits: UnpackLimits,
  { onProgress, signal }: { onProgress?: (sizeBytes: number) => void; signal?: AbortSignal },
): Promise<{ sizeBytes: number; sha256: string }> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      const limit = formatDuration(limits.timeMs * 1e6);
      reject(new UnpackError(`Unpacking took longer than ${limit}`, 'Unpack it before you send it.'));
    }, limits.timeMs);
    const abort = (): void => reject(signal?.reason instanceof Error ? signal.reason : new Error('Aborted'));
    signal?.addEventListener('abort', abort, { once: true });
    thread.on('message', (message: FromThread) => {
      if (message.type === 'progress') onProgress?.(message.sizeBytes);
      else if (message.type === 'done') resolve({ sizeBytes: message.sizeBytes, sha256: message.sha256 });
      else reject(errorOf(message, limits));
    });
    thread.on('error', (error: NodeJS.ErrnoException) => {
      const outOfMemory = error.code === 'ERR_WORKER_OUT_OF_MEMORY';
      reject(outOfMemory ? new UnpackError('Unpacking takes too much memory', 'Unpack it before you send it.') : error);
    });
    thread.on('exit', () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
      reject(new Error('The unpacking thread ended without an answer')); // no matter when it has answered
    });
  });
}

function errorOf({ limit, reason }: Extract<FromThread, { type: 'failed' }>, limits: UnpackLimits): UnpackError {
  switch (limit) {
    case 'size':
      return new UnpackError(
        `Unpacked, the file is larger than this lab takes (${formatSize(limits.maxBytes)})`,
        'Send a smaller file, or have BOOTLAB_MAX_UPLOAD raised where the lab runs.',
      );
    case 'ratio':
      return new UnpackError(
        `The file unpacks to more than ${limits.ratio} times its size, which is how bombs are made`,
        'Unpack it before you send it.',
      );
    default:
      return new UnpackError(`The file does not unpack: ${reason}`, DAMAGED);
  }
}
