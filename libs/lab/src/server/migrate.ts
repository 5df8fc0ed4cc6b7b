import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Client } from 'pg';

// Both src/server and dist/server lie four folders below the workspace.
const WORKSPACE = fileURLToPath(new URL('../../../../', import.meta.url));

/** Brings a database to the newest checked-in migration (`prisma migrate deploy`). Safe to repeat. */
export async function migrateDatabase(databaseUrl: string): Promise<void> {
  const cli = createRequire(import.meta.url).resolve('prisma/build/index.js');
  const env = { ...process.env, DATABASE_URL: databaseUrl, CHECKPOINT_DISABLE: '1', PRISMA_HIDE_UPDATE_MESSAGE: '1' };
  try {
    await promisify(execFile)(process.execPath, [cli, 'migrate', 'deploy'], { cwd: WORKSPACE, env });
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
    const unreachable = await whyUnreachable(databaseUrl);
    const details = [`${stdout}${stderr}`.trim(), unreachable].filter(Boolean).join('\n');
    throw new Error(`The database could not be migrated:\n${details}`, { cause: error });
  }
}

/** Prisma's schema engine does not say why a connection fails. @returns undefined when it does not */
async function whyUnreachable(databaseUrl: string): Promise<string | undefined> {
  const client = new Client({ connectionString: databaseUrl });
  try {
    await client.connect();
    await client.end();
    return undefined;
  } catch (error) {
    // Several addresses that were tried in vain come as one error without a message of its own.
    const { code = '', message } = error as NodeJS.ErrnoException;
    const { host } = new URL(databaseUrl);
    return `PostgreSQL at ${host} cannot be reached: ${message || code}. Check DATABASE_URL, and that it runs.`;
  }
}
