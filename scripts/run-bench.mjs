#!/usr/bin/env node
// `npm run bench`: builds, then measures beside QEMU (test/bench). Arguments go to the benchmark.
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from './build.mjs';

const repository = dirname(dirname(fileURLToPath(import.meta.url)));

/** Ends the whole when the script fails. @param {string} script @param {string[]} args */
function run(script, args = []) {
  const { status } = spawnSync(process.execPath, [join(repository, script), ...args], {
    cwd: repository,
    stdio: 'inherit',
  });
  if (status !== 0) process.exit(status ?? 1);
}

run('scripts/setup-tests.mjs');
if (!build('inherit').ok) process.exit(1);
run('test/bench/bench.mjs', process.argv.slice(2));
