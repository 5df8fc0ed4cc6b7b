#!/usr/bin/env node
import { existsSync } from 'node:fs';
import module from 'node:module';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { LEAN_MALLOC } from './lean-malloc.mjs';

// A board that idles for hours should not keep what compiling left, nor room for garbage in V8's heap. A process can become
// such a lean one from Node 22.15 on; before, boards are larger.
const { execve } = /** @type {any} */ (process);
if (process.argv[2] === 'boot' && execve && process.platform === 'linux' && !('MALLOC_ARENA_MAX' in process.env)) {
  const args = ['--max-semi-space-size=1', ...process.execArgv, ...process.argv.slice(1)];
  execve.call(process, process.execPath, [process.execPath, ...args], { ...process.env, ...LEAN_MALLOC });
}

// Compiled JavaScript is kept from run to run where Node can do that (from 22.1): commands start in half the time.
const cache = process.env.XDG_CACHE_HOME || join(homedir(), '.cache');
const { enableCompileCache } = /** @type {any} */ (module);
enableCompileCache?.(join(cache, 'bootlab', 'compile'));

const main = new URL('../dist/main.js', import.meta.url);
if (existsSync(fileURLToPath(main))) {
  await import(main.href);
} else {
  process.stderr.write("bootlab: not built yet. Run 'npm run build' in the repository first.\n");
  process.exitCode = 3;
}
