import { availableParallelism } from 'node:os';
import { z } from 'zod';
import { parseDuration, parseSize, UnitError } from '../units.js';

/** Settings that API and worker share; each comes from one environment variable. */
export interface LabConfig {
  databaseUrl: string;
  /** Undefined: queue and live streams use the database. */
  redisUrl: string | undefined;
  blobUrl: string;
  host: string;
  port: number;
  /** Largest file that may be uploaded. */
  maxUploadBytes: number;
  /** Most bytes that a job's consoles may print. */
  consoleLimitBytes: number;
  /** Host time after which a run is given up whatever its virtual clock says. */
  wallGuardMs: number;
  /** Boards that one worker process runs side by side. */
  concurrency: number;
  /** JavaScript heap of one board's thread; the guest's memory is not in it. */
  boardHeapBytes: number;
  /** Token given administrator rights when the API starts. */
  adminToken: string | undefined;
}

const unit = (parse: (text: string) => number) =>
  z.string().transform((value, context) => {
    try {
      return parse(value);
    } catch (error) {
      if (!(error instanceof UnitError)) throw error;
      context.addIssue({ code: 'custom', message: `${error.message}. ${error.mend}` });
      return z.NEVER;
    }
  });

const environmentSchema = z.object({
  DATABASE_URL: z.url({ protocol: /^postgres(ql)?$/ }),
  REDIS_URL: z.url({ protocol: /^(rediss?|redis\+unix)$/ }).optional(),
  BLOB_URL: z.url({ protocol: /^(file|s3)$/ }),
  BOOTLAB_HOST: z.string().default('127.0.0.1'),
  PORT: z.coerce.number().int().min(0).max(65535).default(8080),
  BOOTLAB_MAX_UPLOAD: unit(parseSize).default(2 ** 31),
  BOOTLAB_CONSOLE_LIMIT: unit(parseSize).default(2 ** 28),
  BOOTLAB_WALL_GUARD: unit((text) => parseDuration(text) / 1e6).default(3_600_000),
  BOOTLAB_CONCURRENCY: z.coerce.number().int().min(1).default(availableParallelism()),
  BOOTLAB_BOARD_HEAP: unit(parseSize).default(2 ** 30),
  BOOTLAB_ADMIN_TOKEN: z.string().min(16).optional(),
});

/** @throws Error that names every bad variable */
export function readConfig(env: NodeJS.ProcessEnv): LabConfig {
  // An empty variable is an unset one: compose files pass those.
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''));
  const parsed = environmentSchema.safeParse(given);
  if (!parsed.success) {
    const lines = parsed.error.issues.map((issue) => `  ${issue.path.join('.')}: ${issue.message}`);
    throw new Error(`The environment is not right:\n${lines.join('\n')}`);
  }
  const values = parsed.data;
  return {
    databaseUrl: values.DATABASE_URL,
    redisUrl: values.REDIS_URL,
    blobUrl: values.BLOB_URL,
    host: values.BOOTLAB_HOST,
    port: values.PORT,
    maxUploadBytes: values.BOOTLAB_MAX_UPLOAD,
    consoleLimitBytes: values.BOOTLAB_CONSOLE_LIMIT,
    wallGuardMs: values.BOOTLAB_WALL_GUARD,
    concurrency: values.BOOTLAB_CONCURRENCY,
    boardHeapBytes: values.BOOTLAB_BOARD_HEAP,
    adminToken: values.BOOTLAB_ADMIN_TOKEN,
  };
}
