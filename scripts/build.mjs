// Builds the workspace, and remembers when. `npm start` builds only what has changed since; that the tests' build is remembered,
// too, keeps the labs that they start from replacing what other tests are just reading.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const SOURCES = ['libs', 'apps', 'prisma', 'scripts', 'package-lock.json', 'tsconfig.base.json'];
const BUILT = ['libs/emulator', 'libs/lab', 'apps/api', 'apps/worker', 'apps/web'];
const NOT_SOURCES = new Set(['dist', 'dist-types', 'generated', 'node_modules']);
/** A file that is as old as the sources that were built. */
const STAMP = path.join(ROOT, 'node_modules', '.cache', 'bootlab-build');

/** @param {string} file @returns {number} */
function newestChange(file) {
  const stat = statSync(file);
  if (!stat.isDirectory()) return /\.test\.tsx?$/.test(file) ? 0 : stat.mtimeMs;
  const entries = readdirSync(file).filter((name) => !NOT_SOURCES.has(name));
  return Math.max(0, ...entries.map((name) => newestChange(path.join(file, name))));
}

/** Has nothing changed since {@link build} was last called? */
export function isBuilt() {
  if (BUILT.some((folder) => !existsSync(path.join(ROOT, folder, 'dist'))) || !existsSync(STAMP)) return false;
  const changed = Math.max(...SOURCES.map((source) => newestChange(path.join(ROOT, source))));
  return statSync(STAMP).mtimeMs > changed;
}

/**
 * @param {'inherit' | 'pipe'} output where the build's goes
 * @returns {{ ok: boolean, output: string }} with what it printed, if that was piped
 */
export function build(output) {
  const begun = new Date();
  const { status, stdout, stderr } = spawnSync('npm', ['run', '--silent', 'build'], {
    cwd: ROOT,
    encoding: 'utf8',
    stdio: ['ignore', output, output],
  });
  if (status === 0) {
    mkdirSync(path.dirname(STAMP), { recursive: true });
    writeFileSync(STAMP, '');
    utimesSync(STAMP, begun, begun);
  }
  return { ok: status === 0, output: `${stdout ?? ''}${stderr ?? ''}` };
}
