#!/usr/bin/env node
// `npm run bench`: builds, then measures beside QEMU (test/bench). Arguments go to the benchmark.
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const repository = dirname(dirname(fileURLToPath(import.meta.url)));
const steps = [
  [process.execPath, join(repository, 'scripts', 'setup-tests.mjs')],
  ['npm', 'run', '--silent', 'build'],
  [process.execPath, join(repository, 'test', 'bench', 'bench.mjs'), ...process.argv.slice(2)],
];
for (const [command = '', ...args] of steps) {
  const { status } = spawnSync(command, args, { cwd: repository, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}
