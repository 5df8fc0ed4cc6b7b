// Run by prepare.ts: has V8 compile what `bootlab exec` needs of its bundle, and keeps that.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { preparedBuild, runBundle } from '../../bin/prepared.mjs';
import { usualProgram } from './usual-program.js';

/** More than a thread's turn, whose end the engine waits for before it translates. */
const MANY_ROUNDS = 5_000_000;

const build = preparedBuild();
if (!build) throw new Error('the build is not prepared yet');
const bundle = runBundle('exec');
const { runExecCommandLine, standardStreams } = bundle.exports;
const folder = mkdtempSync(join(tmpdir(), 'bootlab-build-'));
const host = { ...standardStreams(), signals: process };
const context = { version: build.version, build, host, env: { ...process.env, BOOTLAB_TRANSLATIONS: folder } };

async function run(program: Uint8Array, arch = ['--arch', 'mipsel']): Promise<void> {
  writeFileSync(join(folder, 'usual'), program, { mode: 0o755 });
  const files = ['--root', folder, '--overlay', '--bind', `${folder}:/bound`, '--cwd', '/bound'];
  const args = ['exec', ...arch, ...files, '--env', 'LC_ALL=C', '--', '/usual'];
  const status = await runExecCommandLine(args, context);
  if (status !== 0) throw new Error(`the usual program ended with ${status}`);
}

try {
  await run(usualProgram());
  if (bundle.parts.size > 0)
    throw new Error(
      `the usual program should do with the bundle's first file, and needs ${[...bundle.parts.keys()].join()}`,
    );
  // What programs need that run for longer: the second time, they find their translations.
  for (let time = 0; time < 2; time++) await run(usualProgram({ rounds: MANY_ROUNDS }));
  await run(usualProgram({ asksForNames: true }));
  await run(usualProgram(), ['--arch=mipsel']); // not an ordinary line: commander reads it
} finally {
  rmSync(folder, { recursive: true });
}
bundle.keepCode();
