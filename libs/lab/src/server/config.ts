import { availableParallelism } from 'node:os';
import { z } from 'zod';
import { roleSchema, type Role } from '../people.js';
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
  /** How long an upload may take, pauses included. */
  uploadExpiryMs: number;
  /** Folder for uploads on their way; undefined: beside what is staged for the blob store, on this host. */
  uploadFolder: string | undefined;
  /** Hosts that images may be imported from although they lie in private networks. */
  importHosts: readonly string[];
  /** How long images are kept that no job uses; a project may say otherwise. */
  imageRetentionMs: number;
  /** Most bytes that the artifacts of a job may have together. */
  artifactLimitBytes: number;
  /** How long artifacts are kept. */
  artifactRetentionMs: number;
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

/** What a worker needs beside that. */
export interface WorkerConfig extends LabConfig {
  /** How long running jobs may go on after SIGTERM before they are handed back. */
  drainMs: number;
  /** Folder in which translations of guest code are kept from job to job; undefined: they end with the worker. */
  translations: string | undefined;
  /** Port for health and metrics; undefined: none. */
  operationsPort: number | undefined;
}

/** What the API needs beside that: who may reach it, and how people sign in. */
export interface ApiConfig extends LabConfig {
  /** Where browsers reach the lab, without a slash at the end; undefined: wherever they say. */
  publicUrl: string | undefined;
  /** Addresses and networks of proxies whose X-Forwarded-For is believed. */
  trustedProxies: string[];
  /** Origins of other web pages that may call the API, with tokens of their own; never with a person's cookie. */
  corsOrigins: string[];
  /** Hosts that webhooks may lie on although they are in private networks. */
  webhookHosts: string[];
  /** Requests a minute that one address may make. */
  requestsPerMinute: number;
  /** Attempts to sign in, a minute, that one address may make, and that may be made on one login. */
  signInsPerMinute: number;
  sessionLifetimeMs: number;
  /** Undefined: nobody signs in through OpenID Connect. */
  oidc: OidcConfig | undefined;
}

export interface OidcConfig {
  issuer: string;
  clientId: string;
  clientSecret: string;
  /** What the button says. */
  name: string;
  /** What somebody becomes who signs in for the first time without an invitation; undefined: he is turned away. */
  join: { project: string; role: Role } | undefined;
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

const list = z.string().transform((text) =>
  text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== ''),
);

const origin = z.string().transform((text, context) => {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url && /^https?:$/.test(url.protocol) && url.origin === text.replace(/\/$/, '')) return url.origin;
  context.addIssue({ code: 'custom', message: `"${text}" is not an origin. Write it as https://lab.example.org` });
  return z.NEVER;
});

const labSchema = z.object({
  DATABASE_URL: z.url({ protocol: /^postgres(ql)?$/ }),
  REDIS_URL: z.url({ protocol: /^(rediss?|redis\+unix)$/ }).optional(),
  BLOB_URL: z.url({ protocol: /^(file|s3)$/ }),
  BOOTLAB_HOST: z.string().default('127.0.0.1'),
  PORT: z.coerce.number().int().min(0).max(65535).default(8080),
  BOOTLAB_MAX_UPLOAD: unit(parseSize).default(2 ** 31),
  BOOTLAB_UPLOAD_EXPIRY: unit((text) => parseDuration(text) / 1e6).default(86_400_000),
  BOOTLAB_UPLOAD_FOLDER: z.string().regex(/^\//, 'Name an absolute path').optional(),
  BOOTLAB_IMPORT_HOSTS: z
    .string()
    .default('')
    .transform((text) => text.split(/[\s,]+/).filter(Boolean)),
  BOOTLAB_IMAGE_RETENTION_DAYS: z.coerce.number().int().min(1).max(36_500).default(90),
  BOOTLAB_ARTIFACT_LIMIT: unit(parseSize).default(2 ** 32),
  BOOTLAB_ARTIFACT_RETENTION_DAYS: z.coerce.number().int().min(1).max(36_500).default(90),
  BOOTLAB_CONSOLE_LIMIT: unit(parseSize).default(2 ** 28),
  BOOTLAB_WALL_GUARD: unit((text) => parseDuration(text) / 1e6).default(3_600_000),
  BOOTLAB_CONCURRENCY: z.coerce.number().int().min(1).default(availableParallelism()),
  BOOTLAB_BOARD_HEAP: unit(parseSize).default(2 ** 30),
  BOOTLAB_ADMIN_TOKEN: z.string().min(16).optional(),
});

const workerSchema = labSchema.extend({
  BOOTLAB_DRAIN: z
    .union([z.literal('0').transform(() => 0), unit((text) => parseDuration(text) / 1e6)])
    .default(25_000),
  BOOTLAB_TRANSLATIONS: z.string().optional(),
  BOOTLAB_WORKER_PORT: z.coerce.number().int().min(1).max(65535).optional(),
});

const OIDC_TOGETHER = ['BOOTLAB_OIDC_ISSUER', 'BOOTLAB_OIDC_CLIENT_ID', 'BOOTLAB_OIDC_CLIENT_SECRET'] as const;

const apiSchema = labSchema
  .extend({
    BOOTLAB_PUBLIC_URL: origin.optional(),
    BOOTLAB_TRUSTED_PROXIES: list.default([]),
    BOOTLAB_WEBHOOK_HOSTS: list.default([]),
    BOOTLAB_CORS_ORIGINS: list.pipe(z.array(origin)).default([]),
    BOOTLAB_RATE_LIMIT: z.coerce.number().int().min(1).default(6000),
    BOOTLAB_SIGN_IN_LIMIT: z.coerce.number().int().min(1).default(10),
    BOOTLAB_SESSION_LIFETIME: unit((text) => parseDuration(text) / 1e6).default(14 * 86_400_000),
    BOOTLAB_OIDC_ISSUER: z
      .url({ protocol: /^https?$/ })
      .refine(
        (url) => /^(https:|http:\/\/(localhost|127\.0\.0\.1)[:/])/.test(url),
        'Plain HTTP works on this machine only',
      )
      .optional(),
    BOOTLAB_OIDC_CLIENT_ID: z.string().optional(),
    BOOTLAB_OIDC_CLIENT_SECRET: z.string().optional(),
    BOOTLAB_OIDC_NAME: z.string().max(40).default('single sign-on'),
    BOOTLAB_OIDC_JOIN: z
      .string()
      .regex(
        /^[a-z0-9._-]+:(viewer|submitter|maintainer|admin)$/,
        'Write it as project:role, for example default:viewer',
      )
      .optional(),
  })
  .superRefine((values, context) => {
    const set = OIDC_TOGETHER.filter((name) => values[name] !== undefined);
    if (set.length === 0) return;
    for (const name of OIDC_TOGETHER.filter((candidate) => !set.includes(candidate))) {
      context.addIssue({ code: 'custom', path: [name], message: `Set it too: there is ${set.join(' and ')}` });
    }
    if (values.BOOTLAB_PUBLIC_URL !== undefined) return;
    const message = 'Set it too: the OpenID provider sends people back to it';
    context.addIssue({ code: 'custom', path: ['BOOTLAB_PUBLIC_URL'], message });
  });

/** Every variable that API or workers read their settings from. */
export const CONFIGURATION_VARIABLES: readonly string[] = [
  ...new Set([...Object.keys(apiSchema.shape), ...Object.keys(workerSchema.shape)]),
];

/** @throws Error that names every bad variable */
export function readConfig(env: NodeJS.ProcessEnv): LabConfig {
  return labConfigOf(parseEnvironment(labSchema, env));
}

/** @throws Error that names every bad variable */
export function readApiConfig(env: NodeJS.ProcessEnv): ApiConfig {
  const values = parseEnvironment(apiSchema, env);
  return {
    ...labConfigOf(values),
    publicUrl: values.BOOTLAB_PUBLIC_URL,
    trustedProxies: values.BOOTLAB_TRUSTED_PROXIES,
    corsOrigins: values.BOOTLAB_CORS_ORIGINS,
    webhookHosts: values.BOOTLAB_WEBHOOK_HOSTS,
    requestsPerMinute: values.BOOTLAB_RATE_LIMIT,
    signInsPerMinute: values.BOOTLAB_SIGN_IN_LIMIT,
    sessionLifetimeMs: values.BOOTLAB_SESSION_LIFETIME,
    oidc: oidcConfigOf(values),
  };
}

/** @throws Error that names every bad variable */
export function readWorkerConfig(env: NodeJS.ProcessEnv): WorkerConfig {
  const values = parseEnvironment(workerSchema, env);
  const { BOOTLAB_TRANSLATIONS: translations } = values;
  return {
    ...labConfigOf(values),
    drainMs: values.BOOTLAB_DRAIN,
    translations: translations === 'off' ? undefined : translations,
    operationsPort: values.BOOTLAB_WORKER_PORT,
  };
}

function parseEnvironment<S extends z.ZodType>(schema: S, env: NodeJS.ProcessEnv): z.output<S> {
  // An empty variable is an unset one: compose files pass those.
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''));
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  const lines = parsed.error.issues.map((issue) => `  ${issue.path.join('.')}: ${issue.message}`);
  throw new Error(`The environment is not right:\n${lines.join('\n')}`);
}

function oidcConfigOf(values: z.output<typeof apiSchema>): OidcConfig | undefined {
  const { BOOTLAB_OIDC_ISSUER: issuer, BOOTLAB_OIDC_CLIENT_ID: clientId } = values;
  const clientSecret = values.BOOTLAB_OIDC_CLIENT_SECRET;
  if (issuer === undefined || clientId === undefined || clientSecret === undefined) return undefined;
  const [project, role] = values.BOOTLAB_OIDC_JOIN?.split(':') ?? [];
  const join = project === undefined ? undefined : { project, role: roleSchema.parse(role) };
  return { issuer, clientId, clientSecret, name: values.BOOTLAB_OIDC_NAME, join };
}

function labConfigOf(values: z.output<typeof labSchema>): LabConfig {
  return {
    databaseUrl: values.DATABASE_URL,
    redisUrl: values.REDIS_URL,
    blobUrl: values.BLOB_URL,
    host: values.BOOTLAB_HOST,
    port: values.PORT,
    maxUploadBytes: values.BOOTLAB_MAX_UPLOAD,
    uploadExpiryMs: values.BOOTLAB_UPLOAD_EXPIRY,
    uploadFolder: values.BOOTLAB_UPLOAD_FOLDER,
    importHosts: values.BOOTLAB_IMPORT_HOSTS,
    imageRetentionMs: values.BOOTLAB_IMAGE_RETENTION_DAYS * 86_400_000,
    artifactLimitBytes: values.BOOTLAB_ARTIFACT_LIMIT,
    artifactRetentionMs: values.BOOTLAB_ARTIFACT_RETENTION_DAYS * 86_400_000,
    consoleLimitBytes: values.BOOTLAB_CONSOLE_LIMIT,
    wallGuardMs: values.BOOTLAB_WALL_GUARD,
    concurrency: values.BOOTLAB_CONCURRENCY,
    boardHeapBytes: values.BOOTLAB_BOARD_HEAP,
    adminToken: values.BOOTLAB_ADMIN_TOKEN,
  };
}
