import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import module from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { LEAN_MALLOC } from '../bin/lean-malloc.mjs';

const bin = new URL('../bin', import.meta.url).pathname;
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bootlab-launcher-'));
  cpSync(bin, join(folder, 'bin'), { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
});
afterEach(() => rmSync(folder, { recursive: true }));

it('says what to do where nothing is built yet', () => {
  const run = spawnSync(process.execPath, [join(folder, 'bin', 'bootlab.mjs')], { encoding: 'utf8' });
  expect(run.stderr).toBe("bootlab: not built yet. Run 'npm run build' in the repository first.\n");
  expect(run.status).toBe(3);
});

it('keeps compiled code in the cache folder of the person, and starts where that cannot be written', () => {
  mkdirSync(join(folder, 'dist'));
  writeFileSync(join(folder, 'dist', 'main.js'), "process.stdout.write('started');");
  const start = (cache: string): string =>
    spawnSync(process.execPath, [join(folder, 'bin', 'bootlab.mjs')], {
      encoding: 'utf8',
      env: { ...process.env, XDG_CACHE_HOME: cache },
    }).stdout;
  expect(start(join(folder, 'cache'))).toBe('started');
  expect(existsSync(join(folder, 'cache', 'bootlab', 'compile'))).toBe('enableCompileCache' in module);
  expect(start('/dev/null')).toBe('started');
});

it('starts boards in a process that gives memory back, with all arguments as they were, and says nothing of it', () => {
  mkdirSync(join(folder, 'dist'), { recursive: true });
  const report = '{ args: process.argv.slice(2), env: process.env, option: process.execArgv.at(-1) }';
  writeFileSync(join(folder, 'dist', 'main.js'), `process.stdout.write(JSON.stringify(${report}));`);
  const inherited = Object.entries(process.env).filter(([name]) => !(name in LEAN_MALLOC));
  const env = { ...Object.fromEntries(inherited), NODE_OPTIONS: '' };
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    ['--stack-size=900', join(folder, 'bin', 'bootlab.mjs'), 'boot', '--append', "a 'b c'"],
    { encoding: 'utf8', env },
  );
  const lean = process.platform === 'linux' && 'execve' in process;
  expect([stderr, status]).toEqual(['', 0]);
  expect(JSON.parse(stdout)).toEqual({
    args: ['boot', '--append', "a 'b c'"],
    env: { ...env, ...(lean && LEAN_MALLOC) },
    option: '--stack-size=900',
  });
});
