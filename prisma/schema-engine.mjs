#!/usr/bin/env node
// Prisma's CLI starts a program called schema-engine and talks JSON-RPC to it, one message a line. The native program
// is a download; the same engine comes from npm as WebAssembly and reaches the database through a driver adapter.
// This file is the program that stands between the two. prisma.config.ts names it to the CLI.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import pg from 'pg';
import { PrismaPg } from '@prisma/adapter-pg';
import { bindMigrationAwareSqlAdapterFactory } from '@prisma/driver-adapter-utils';

/** @returns {{ datasourceUrl?: string, shadowUrl?: string, datamodels: string[], command?: string }} */
function parseArguments(argv) {
  const options = { datamodels: [] };
  for (let i = 0; i < argv.length; i++) {
    const argument = argv[i];
    if (argument === '--version' || argument === '-V') {
      console.log('schema-engine-cli (WebAssembly)');
      process.exit(0);
    } else if (argument === '--datasource') {
      const datasource = JSON.parse(argv[++i]);
      options.datasourceUrl = datasource.url;
      options.shadowUrl = datasource.shadowDatabaseUrl;
    } else if (argument === '--datamodels' || argument === '-d') {
      options.datamodels.push(argv[++i]);
    } else if (argument === 'cli') {
      options.command = argv[++i];
    } else if (argument.startsWith('--')) {
      i++; // an option of the native program with a value that has no meaning here
    }
  }
  return options;
}

/**
 * Discrete connection fields: the adapter derives further connections by replacing `database`, which a connection
 * string would override.
 */
function connectionFields(url) {
  const { hostname, port, username, password, pathname, searchParams } = new URL(url);
  return {
    host: searchParams.get('host') ?? decodeURIComponent(hostname),
    port: Number(port || 5432),
    user: decodeURIComponent(username) || undefined,
    password: decodeURIComponent(password) || undefined,
    database: decodeURIComponent(pathname.slice(1)),
    ssl: ['require', 'verify-full'].includes(searchParams.get('sslmode')) || undefined,
  };
}

const schemaOf = (url) => new URL(url).searchParams.get('schema') ?? undefined;
const quoted = (identifier) => `"${identifier.replaceAll('"', '""')}"`;

// PostgreSQL's internal type "char" (pg_type.dat, oid 18) appears in the catalogue queries of the engine, but the
// adapter refuses it. It reads like bpchar, so it is presented as that.
const OID_CHAR = 18;
const OID_BPCHAR = 1042;
const COLUMN_TYPE_CHARACTER = 6; // ColumnTypeEnum.Character in @prisma/driver-adapter-utils

function presentCharAsBpchar(queryable) {
  const charColumns = new WeakMap();
  const performIO = queryable.performIO.bind(queryable);
  const queryRaw = queryable.queryRaw.bind(queryable);
  queryable.performIO = async (query) => {
    const result = await performIO(query);
    const columns = [];
    for (const [index, field] of result.fields.entries()) {
      if (field.dataTypeID !== OID_CHAR) continue;
      field.dataTypeID = OID_BPCHAR;
      columns.push(index);
    }
    charColumns.set(query, columns);
    return result;
  };
  queryable.queryRaw = async (query) => {
    const result = await queryRaw(query);
    for (const index of charColumns.get(query) ?? []) result.columnTypes[index] = COLUMN_TYPE_CHARACTER;
    return result;
  };
  return queryable;
}

function adapted(adapter) {
  const startTransaction = adapter.startTransaction.bind(adapter);
  adapter.startTransaction = async (level) => presentCharAsBpchar(await startTransaction(level));
  // The adapter would cut a script at every semicolon, also inside function bodies; PostgreSQL takes it whole.
  adapter.executeScript = async (script) => {
    try {
      await adapter.underlyingDriver().query(script);
    } catch (error) {
      adapter.onError(error);
    }
  };
  return presentCharAsBpchar(adapter);
}

/** Gives the engine its connections; the shadow database of `migrate dev` is made for the occasion. */
class EngineConnections extends PrismaPg {
  constructor(url, shadowUrl) {
    super(connectionFields(url), { schema: schemaOf(url) });
    this.url = url;
    this.shadowUrl = shadowUrl;
  }

  async connect() {
    return adapted(await super.connect());
  }

  async connectToShadowDb() {
    if (this.shadowUrl) return new EngineConnections(this.shadowUrl).connect();
    const fields = connectionFields(this.url);
    const name = `prisma_shadow_${process.pid}`;
    const admin = new pg.Client(fields);
    await admin.connect();
    await admin.query(`CREATE DATABASE ${quoted(name)}`);
    const shadow = adapted(await new PrismaPg({ ...fields, database: name }).connect());
    const dispose = shadow.dispose.bind(shadow);
    shadow.dispose = async () => {
      await dispose();
      await admin.query(`DROP DATABASE ${quoted(name)} WITH (FORCE)`);
      await admin.end();
    };
    return shadow;
  }
}

async function loadEngine() {
  globalThis.PRISMA_WASM_PANIC_REGISTRY = { set_message: (message) => report('ERROR', `PANIC: ${message}`) };
  const require = createRequire(import.meta.url);
  const entry = require.resolve('@prisma/schema-engine-wasm/schema_engine_bg');
  const bindings = await import(entry);
  const module = readFileSync(entry.replace(/\.js$/, '.wasm'));
  const { instance } = await WebAssembly.instantiate(module, { './schema_engine_bg.js': bindings });
  bindings.__wbg_set_wasm(instance.exports);
  instance.exports.__wbindgen_start();
  return bindings.SchemaEngine;
}

function report(level, message, code) {
  const fields = { message, ...(code && { error_code: code }) };
  process.stderr.write(`${JSON.stringify({ level, target: 'schema_engine', fields })}\n`);
}

/** PostgreSQL's SQLSTATE → Prisma's error code (Prisma error reference, P1xxx). */
function prismaError(error) {
  if (error.code === '3D000') return ['P1003', 'The database does not exist'];
  if (error.code === '28P01') return ['P1000', error.message];
  return ['P1001', `Cannot reach the database server: ${error.message || error.code}`];
}

/** `schema-engine cli can-connect-to-database | create-database`: the exit code is the answer. */
async function runCommand(command, url) {
  const fields = connectionFields(url);
  const client = new pg.Client(command === 'create-database' ? { ...fields, database: 'postgres' } : fields);
  try {
    await client.connect();
    if (command === 'create-database') await client.query(`CREATE DATABASE ${quoted(fields.database)}`);
    await client.end();
  } catch (error) {
    const [code, message] = prismaError(error);
    report('ERROR', message, code);
    process.exitCode = 1;
  }
}

function rpcError(error) {
  let known;
  try {
    known = JSON.parse(error.message);
  } catch {
    known = undefined; // not one of the engine's own errors, which are JSON
  }
  const details = known?.error ?? known;
  return {
    code: 4466,
    message: 'An error happened.',
    data: {
      is_panic: false,
      message: details?.message ?? error.message,
      error_code: error.code ?? details?.error_code ?? null,
      meta: error.meta ?? details?.meta ?? null,
    },
  };
}

/** Answers requests until standard input ends. */
async function serve({ datasourceUrl, shadowUrl, datamodels }) {
  const SchemaEngine = await loadEngine();
  const connections = bindMigrationAwareSqlAdapterFactory(
    new EngineConnections(datasourceUrl ?? 'postgresql://localhost/none', shadowUrl),
  );
  const sources = datamodels.length > 0 ? datamodels.map((path) => [path, readFileSync(path, 'utf8')]) : undefined;
  let engine;
  const answer = async ({ id, method, params }) => {
    try {
      engine ??= SchemaEngine.new({ datamodels: sources }, () => {}, connections);
      const result = await (await engine)[method === 'getDatabaseVersion' ? 'version' : method](params);
      if (method === 'diff' && result?.stdout) {
        send({ jsonrpc: '2.0', id: 1_000_000 + id, method: 'print', params: { content: result.stdout } });
      }
      send({ jsonrpc: '2.0', id, result: result ?? {} });
    } catch (error) {
      send({ jsonrpc: '2.0', id, error: rpcError(error) });
    }
  };
  const pending = new Set();
  for await (const line of createInterface({ input: process.stdin, crlfDelay: Infinity })) {
    if (line.trim() === '') continue;
    const message = JSON.parse(line);
    if (!message.method) continue; // an answer to our "print"
    const work = answer(message).finally(() => pending.delete(work));
    pending.add(work);
  }
  await Promise.all(pending);
  process.exit(0); // the adapter's pool would keep the process alive
}

const send = (message) => process.stdout.write(`${JSON.stringify(message)}\n`);

const options = parseArguments(process.argv.slice(2));
if (options.command) await runCommand(options.command, options.datasourceUrl);
else await serve(options);
