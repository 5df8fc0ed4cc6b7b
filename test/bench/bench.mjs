// Compiles the benchmarks and runs them; everything else of the workspace is already built when `npm run bench` calls this.
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const compiler = createRequire(import.meta.url).resolve('typescript/bin/tsc');
const project = fileURLToPath(new URL('.', import.meta.url));
const { status } = spawnSync(process.execPath, [compiler, '-b', project], { stdio: 'inherit' });
if (status === 0) await import(new URL('./dist/bench/main.js', import.meta.url).href);
else process.exitCode = 1;
