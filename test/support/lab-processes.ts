// A lab as it runs in production: API and workers as processes of their own, on services that the caller brings.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';

/** Token of the administrator of these labs. */
export const ADMIN_TOKEN = 'blt_administrator-of-this-lab';

const READY_LIMIT_MS = 60_000;
const STOP_LIMIT_MS = 20_000;
const OUTPUT_LIMIT = 200_000;

export interface LabServices {
  databaseUrl: string;
  /** Undefined: queue and live streams are in the database. */
  redisUrl: string | undefined;
  blobUrl: string;
}

export interface LabProcess {
  readonly child: ChildProcess;
  /** The first message it sent: it is ready. */
  readonly ready: { url?: string };
  /** The end of what it has printed. */
  output(): string;
  stop(): Promise<void>;
}

/** Starts one program of the lab; resolves when it is ready. @param repository the folder with package.json */
export async function startLabProcess(
  repository: string,
  program: 'api' | 'worker',
  services: LabServices,
  environment: Readonly<Record<string, string>> = {},
): Promise<LabProcess> {
  const child = spawn(process.execPath, [path.join(repository, 'apps', program, 'dist', 'main.js')], {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    env: {
      ...process.env,
      NODE_OPTIONS: undefined, // those of a test runner
      DATABASE_URL: services.databaseUrl,
      REDIS_URL: services.redisUrl ?? '',
      BLOB_URL: services.blobUrl,
      BOOTLAB_HOST: '127.0.0.1',
      PORT: '0',
      BOOTLAB_ADMIN_TOKEN: ADMIN_TOKEN,
      ...environment,
    },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (data: Buffer) => (output = (output + data.toString()).slice(-OUTPUT_LIMIT)));
  const running: LabProcess = {
    child,
    ready: {},
    output: () => output,
    stop: () => end(child),
  };
  const limit = AbortSignal.timeout(READY_LIMIT_MS);
  const ended = new AbortController();
  child.once('exit', () => ended.abort());
  try {
    const [message] = (await once(child, 'message', { signal: AbortSignal.any([limit, ended.signal]) })) as [object];
    return Object.assign(running, { ready: message });
  } catch (error) {
    await end(child);
    throw new Error(`the ${program} did not start:\n${output}`, { cause: error });
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGINT'); // a worker hands its jobs back at once
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_LIMIT_MS);
  await exited;
  clearTimeout(timer);
}
