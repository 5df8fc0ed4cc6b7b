#!/usr/bin/env node
import { preparedBuild, requireBundle, runBundle, RUNTIME } from './prepared.mjs';

// A program that `exec` runs may need less time than Node takes to load what runs other commands.
const build = process.argv[2] === 'exec' ? preparedBuild() : undefined;
if (build?.runtime === RUNTIME) {
  await runBundle('exec').exports.execProcess(process.argv.slice(2), { version: build.version, build });
} else if (build) {
  const { keepCompiledCode } = await import('./compile-cache.mjs');
  keepCompiledCode();
  await requireBundle('exec').execProcess(process.argv.slice(2), { version: build.version, build });
} else {
  await import('./launch.mjs');
}
