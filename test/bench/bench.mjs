// Compiles the benchmarks and runs them; everything else of the workspace is already built when `npm run bench` calls this.
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { preparedBuild, RUNTIME } from '../../apps/cli/bin/prepared.mjs';

const build = preparedBuild();
if (build?.runtime !== RUNTIME) {
  const by = build ? `prepared by Node ${build.runtime}, not ${RUNTIME}` : 'not prepared';
  console.log(`The build is ${by}, so Bootlab starts more slowly than it does: run 'npm run build' with this Node.\n`);
}

const compiler = createRequire(import.meta.url).resolve('typescript/bin/tsc');
const project = fileURLToPath(new URL('.', import.meta.url));
const { status } = spawnSync(process.execPath, [compiler, '-b', project], { stdio: 'inherit' });
if (status === 0) await import(new URL('./dist/bench/main.js', import.meta.url).href);
else process.exitCode = 1;
