#!/usr/bin/env node
// `npm start`: the whole lab on this machine. Builds what is missing, then runs PostgreSQL, API with web pages, and
// one worker process. DATABASE_URL, REDIS_URL, BLOB_URL and PORT replace a part each; see README.md.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { LEAN_MALLOC } from '../apps/cli/bin/lean-malloc.mjs';
import { build, isBuilt } from './build.mjs';

/** @typedef {import('node:child_process').ChildProcess} ChildProcess */

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const DEFAULT_PORT = 8080;
const PORTS_TO_TRY = 20;
const STOP_MS = 12_000;
const WORKER_RESTART_MS = 1000;

/** @param {string} text */
const say = (text) => process.stdout.write(`${text}\n`);

/** @param {string} text @returns {never} */
function fail(text) {
  process.stderr.write(`bootlab: ${text}\n`);
  process.exit(1);
}

// ---- Build ----

function ensureBuilt() {
  if (isBuilt()) return;
  say('Building (the first time and after changes)…');
  const { ok, output } = build('pipe');
  if (!ok) fail(`the build failed:\n${output}`);
}

// ---- Settings ----

/** @param {number} port @param {string} host @returns {Promise<boolean>} */
function isFree(port, host) {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, host, () => server.close(() => resolve(true)));
  });
}

/** @param {string} host */
async function choosePort(host) {
  const { PORT } = process.env;
  if (PORT) {
    if (!/^\d{1,5}$/.test(PORT) || Number(PORT) > 65535) fail(`PORT is "${PORT}"; it must be a number up to 65535`);
    if (!(await isFree(Number(PORT), host))) fail(`port ${PORT} is taken; set PORT to another one`);
    return Number(PORT);
  }
  for (let port = DEFAULT_PORT; port < DEFAULT_PORT + PORTS_TO_TRY; port++) {
    if (!(await isFree(port, host))) continue;
    if (port !== DEFAULT_PORT) say(`Port ${DEFAULT_PORT} is taken; using ${port} (PORT=… chooses another).`);
    return port;
  }
  return fail(`ports ${DEFAULT_PORT} to ${DEFAULT_PORT + PORTS_TO_TRY - 1} are all taken; set PORT to a free one`);
}

/**
 * The administrator's token: given, or made at the first start and kept in the data folder.
 * @param {string} dataDir @param {() => string} makeToken
 */
function administratorToken(dataDir, makeToken) {
  if (process.env.BOOTLAB_ADMIN_TOKEN) return process.env.BOOTLAB_ADMIN_TOKEN;
  const file = path.join(dataDir, 'admin-token');
  if (!existsSync(file)) writeFileSync(file, `${makeToken()}\n`, { mode: 0o600 });
  return readFileSync(file, 'utf8').trim();
}

// ---- Processes ----

/**
 * Starts one of our programs; it ends when the channel to us does, however we end.
 * @param {string} folder @param {Record<string, string>} env
 */
function startProgram(folder, env) {
  return spawn(process.execPath, [path.join(ROOT, folder, 'dist', 'main.js')], {
    env: { ...LEAN_MALLOC, ...process.env, ...env },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    detached: true, // Ctrl-C reaches this process only, which stops the others in order
  });
}

/** Resolves with its first message; rejects when it ends before that. @param {ChildProcess} child @param {string} name */
async function untilReady(child, name) {
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`the ${name} stopped while starting (exit code ${code})`);
  });
  const [message] = await Promise.race([once(child, 'message'), ended]);
  return message;
}

/** @param {ChildProcess | undefined} child */
async function stopProgram(child) {
  if (!child || child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGINT'); // a worker hands its jobs back at once; after SIGTERM it would wait for them
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
  await exited;
  clearTimeout(timer);
}

// ---- The lab ----

ensureBuilt();
/** @type {typeof import('@bootlab/lab/server')} */
const { migrateDatabase, newToken, startEmbeddedPostgres } = await import(
  pathToFileURL(path.join(ROOT, 'libs/lab/dist/server/index.js')).href
);

/**
 * PostgreSQL's own lock of a cluster that another lab has open (first line: its process id).
 * @param {string} dataDir
 */
function refuseDataInUse(dataDir) {
  const lock = path.join(dataDir, 'postgres', 'cluster', 'postmaster.pid');
  if (!existsSync(lock)) return;
  const pid = Number.parseInt(readFileSync(lock, 'utf8'), 10);
  const command = `/proc/${pid}/cmdline`;
  // The lock of a lab that was killed stays behind, and its number may meanwhile be another process's.
  if (existsSync(command) && readFileSync(command, 'utf8').includes(dataDir)) {
    fail(`the data in ${dataDir} is in use by another lab (process ${pid}); stop it, or set BOOTLAB_DATA`);
  }
}

const dataDir = path.resolve(process.env.BOOTLAB_DATA || path.join(ROOT, '.bootlab'));
mkdirSync(dataDir, { recursive: true, mode: 0o700 });
const host = process.env.BOOTLAB_HOST || '127.0.0.1';
const token = administratorToken(dataDir, newToken);

/** @type {import('@bootlab/lab/server').EmbeddedPostgres | undefined} */
let postgres;
/** @type {ChildProcess | undefined} */
let api;
/** @type {ChildProcess | undefined} */
let worker;
let stopping = false;

/** @param {number} exitCode @param {string} [reason] */
async function stop(exitCode, reason) {
  if (stopping) {
    // Asked a second time: do not wait for anybody.
    for (const child of [api, worker]) child?.kill('SIGKILL');
    return;
  }
  stopping = true;
  if (reason) process.stderr.write(`bootlab: ${reason}\n`);
  else say('\nStopping…');
  await Promise.all([stopProgram(worker), stopProgram(api)]);
  await postgres?.stop();
  process.exit(exitCode);
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => void stop(0));
if (process.env.npm_lifecycle_event) {
  // npm passes no signals on that were sent to it alone (a service manager does that): when it goes, so do we.
  const npm = process.ppid;
  setInterval(() => process.ppid === npm || stop(0), 500).unref();
}

/** @param {Record<string, string>} env @param {() => void} onReady called at every start */
async function keepWorkerRunning(env, onReady) {
  while (!stopping) {
    worker = startProgram('apps/worker', env);
    const exited = once(worker, 'exit');
    await untilReady(worker, 'worker').catch((error) => process.stderr.write(`bootlab: ${error.message}\n`));
    onReady();
    const [code, signal] = await exited;
    if (stopping) return;
    process.stderr.write(`bootlab: the worker ended (${signal ?? `exit code ${code}`}) and is started again\n`);
    await sleep(WORKER_RESTART_MS);
  }
}

try {
  const port = await choosePort(host);
  let databaseUrl = process.env.DATABASE_URL;
  if (!databaseUrl) {
    refuseDataInUse(dataDir);
    postgres = await startEmbeddedPostgres({ dataDir: path.join(dataDir, 'postgres') });
    databaseUrl = postgres.url;
    void postgres.exited.then(() => {
      if (!stopping) void stop(1, 'PostgreSQL ended; its log is in the data folder');
    });
  }
  const env = {
    DATABASE_URL: databaseUrl,
    BLOB_URL: process.env.BLOB_URL || pathToFileURL(path.join(dataDir, 'blobs')).href,
    BOOTLAB_TRANSLATIONS: process.env.BOOTLAB_TRANSLATIONS || path.join(dataDir, 'translations'),
    BOOTLAB_HOST: host,
    BOOTLAB_ADMIN_TOKEN: token,
    BOOTLAB_LOG_FORMAT: process.env.BOOTLAB_LOG_FORMAT || 'text',
    PORT: String(port),
  };
  await migrateDatabase(env.DATABASE_URL);
  if (!stopping) {
    api = startProgram('apps/api', env);
    const { url } = await untilReady(api, 'API');
    api.once('exit', (code) => stopping || stop(1, `the API ended (exit code ${code})`));
    await new Promise((resolve) => void keepWorkerRunning(env, () => resolve(undefined)));
    say(`
Bootlab is ready.

  Web page   ${url}/#token=${token}
  API        ${url}/api/docs
  Token      ${token}
  Data       ${dataDir}

Press Ctrl-C to stop.`);
  }
} catch (error) {
  if (!stopping) await stop(1, error instanceof Error ? error.message : String(error));
}
