// Run by prepare.ts: has V8 compile what `bootlab exec` needs of its bundle, and keeps that.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { keepCodeOf, preparedBuild, runBundle } from '../../bin/prepared.mjs';
import { usualProgram } from './usual-program.js';

const build = preparedBuild();
if (!build) throw new Error('the build is not prepared yet');
const { exports, script } = runBundle('exec');
const { runExecCommandLine, standardStreams } = exports;
const folder = mkdtempSync(join(tmpdir(), 'bootlab-build-'));
try {
  const program = join(folder, 'usual');
  writeFileSync(program, usualProgram(), { mode: 0o755 });
  const host = { ...standardStreams(), signals: process };
  const context = { version: build.version, build, host, env: { ...process.env, BOOTLAB_TRANSLATIONS: folder } };
  const args = ['--root', folder, '--overlay', '--bind', '/proc:/proc', '--env', 'LC_ALL=C', '--', '/usual'];
  const status = await runExecCommandLine(['exec', '--arch', 'mipsel', ...args], context);
  if (status !== 0) throw new Error(`the usual program ended with ${status}`);
} finally {
  rmSync(folder, { recursive: true });
}
const late = Object.keys(createRequire(import.meta.url).cache).filter((path) =>
  path.startsWith(join(build.folder, 'exec')),
);
if (late.length > 1)
  throw new Error(`the usual program should do with the bundle's first file, and needs ${late.join()}`);
keepCodeOf('exec', script);
