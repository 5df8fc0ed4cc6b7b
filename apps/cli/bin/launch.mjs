import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { keepCompiledCode } from './compile-cache.cjs';
import { LEAN_MALLOC } from './lean-malloc.mjs';
import { preparedBuild } from './prepared.mjs';

// A board that idles for hours should not keep what compiling left, nor room for garbage in V8's heap. A process can become
// such a lean one from Node 22.15 on; before, boards are larger.
const { execve } = /** @type {any} */ (process);
if (process.argv[2] === 'boot' && execve && process.platform === 'linux' && !('MALLOC_ARENA_MAX' in process.env)) {
  const [, script = '', ...options] = process.argv;
  const start = preparedBuild() ? fileURLToPath(new URL('boot.cjs', import.meta.url)) : script;
  const args = ['--max-semi-space-size=1', ...process.execArgv, start, ...options];
  execve.call(process, process.execPath, [process.execPath, ...args], { ...process.env, ...LEAN_MALLOC });
}

keepCompiledCode();

const main = new URL('../dist/main.js', import.meta.url);
if (existsSync(fileURLToPath(main))) {
  await import(main.href);
} else {
  process.stderr.write("bootlab: not built yet. Run 'npm run build' in the repository first.\n");
  process.exitCode = 3;
}
