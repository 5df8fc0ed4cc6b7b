import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

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
    throw new Error(`The database could not be migrated:\n${stdout}${stderr}`.trim(), { cause: error });
  }
}
