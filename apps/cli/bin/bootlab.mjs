#!/usr/bin/env node
import { existsSync } from 'node:fs';
import module from 'node:module';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

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
