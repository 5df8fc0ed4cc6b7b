#!/usr/bin/env node
import { preparedBuild, requireBundle, runBundle, RUNTIME } from './prepared.mjs';

// A program that `exec` runs may need less time than Node takes to load what runs other commands.
const build = process.argv[2] === 'exec' ? preparedBuild() : undefined;
if (build?.runtime === RUNTIME) {
  const { exports, takesCode } = runBundle('exec');
  const format = takesCode ? build.format : undefined;
  await exports.execProcess(process.argv.slice(2), { version: build.version, build: { ...build, format } });
} else if (build) {
  const { keepCompiledCode } = await import('./compile-cache.cjs');
  keepCompiledCode();
  const other = { ...build, format: undefined };
  await requireBundle('exec').execProcess(process.argv.slice(2), { version: build.version, build: other });
} else {
  await import('./launch.mjs');
}
