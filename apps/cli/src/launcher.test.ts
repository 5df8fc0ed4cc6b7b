import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import module from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { LEAN_MALLOC } from '../bin/lean-malloc.mjs';
import type { PreparedBuild } from '../bin/prepared.mjs';
import { describeCompiled, RUNTIME } from '../bin/prepared.mjs';
import { asScript, lateBuiltins, loadPartsLate } from '../../../scripts/late-loading.mjs';

const bin = new URL('../bin', import.meta.url).pathname;
/** A process can become another. */
const IS_LEAN = process.platform === 'linux' && 'execve' in process;
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
  expect([stderr, status]).toEqual(['', 0]);
  expect(JSON.parse(stdout)).toEqual({
    args: ['boot', '--append', "a 'b c'"],
    env: { ...env, ...(IS_LEAN && LEAN_MALLOC) },
    option: '--stack-size=900',
  });
});

it.each(['es', 'cjs'] as const)('bundles load modules of Node when something of them is used (%s)', (format) => {
  const { load } = lateBuiltins(format) as { load: (id: string) => string };
  const declared = load('\0late:node:zlib').replaceAll('export ', '');
  const program = `${declared}
    const isLoaded = () => process.moduleLoadList.includes('NativeModule zlib');
    const before = isLoaded();
    process.stdout.write([before, crc32('123456789').toString(16), isLoaded()].join());`;
  const type = format === 'es' ? 'module' : 'commonjs';
  const { stdout, stderr } = spawnSync(process.execPath, [`--input-type=${type}`, '--eval', program], {
    encoding: 'utf8',
  });
  expect([stdout, stderr]).toEqual(['false,cbf43926,true', '']);
});

describe('what was prepared', () => {
  const cache = (): string => join(folder, 'cache');
  const compiled = (): string => join(folder, 'dist', '.tsbuildinfo');
  const exec = (): string => {
    const run = spawnSync(process.execPath, [join(folder, 'bin', 'bootlab.mjs'), 'exec', '--', './a', 'b c'], {
      encoding: 'utf8',
      env: { ...process.env, XDG_CACHE_HOME: cache() },
    });
    expect(run.stderr).toBe('');
    return run.stdout;
  };
  /** At the end, how often a part of it was loaded before something of it was used, and afterwards. */
  const PREPARED = 'prepared ["exec","--","./a","b c"] 1.2.3 0, a part  1';
  const prepare = (runtime: string): void => {
    const prepared = join(folder, 'dist', 'prepared');
    mkdirSync(join(prepared, 'exec'), { recursive: true });
    writeFileSync(join(folder, 'dist', 'main.js'), "process.stdout.write('modules');");
    writeFileSync(compiled(), 'sources');
    writeFileSync(
      join(prepared, 'exec', 'exec.cjs'),
      asScript(
        loadPartsLate(`const require_part=require("./part.cjs");exports.loaded = 'a part';
        exports.execProcess = (args, { version, build }) => {
          const interpreters = Object.keys(build.interpreters).length;
          const before = globalThis.partsLoaded;
          const text = new require_part.Text(['prepared', JSON.stringify(args), version, interpreters].join(' '));
          process.stdout.write([text, before, globalThis.partsLoaded].join(' '));
        };`),
      ),
    );
    writeFileSync(
      join(prepared, 'exec', 'part.cjs'),
      asScript(`globalThis.partsLoaded = (globalThis.partsLoaded ?? 0) + 1;
      const require_exec = require('./exec.cjs');
      exports.Text = class { constructor(text) { this.text = text; } toString() { return this.text + ', ' + require_exec.loaded; } };`),
    );
    writeFileSync(join(prepared, 'compiled'), 'sources');
    const file = { ...describeCompiled(compiled()), path: '../.tsbuildinfo' };
    const build: Omit<PreparedBuild, 'folder'> = {
      ...{ compiled: [file], runtime, version: '1.2.3', generator: '', interpreters: {} },
    };
    writeFileSync(join(prepared, 'build.json'), JSON.stringify(build));
  };

  it('is run by exec as long as nothing was compiled since', () => {
    prepare(RUNTIME);
    expect(exec()).toBe(PREPARED);
    utimesSync(compiled(), 0, 0); // a copy
    expect(exec()).toBe(PREPARED);
    for (const changed of ['changed', 'other sources']) {
      writeFileSync(compiled(), changed);
      utimesSync(compiled(), 0, 0);
      expect(exec()).toBe('modules');
    }
    rmSync(compiled());
    expect(exec()).toBe('modules');
  });

  it('is run by exec of other versions of Node, which keep what they compiled of it', () => {
    prepare('v0.0.0 pdp11');
    expect(exec()).toBe(PREPARED);
    expect(existsSync(join(cache(), 'bootlab', 'compile'))).toBe('enableCompileCache' in module);
  });

  it('is run by boot in the process that gives memory back, which needs no system of modules but the older one', () => {
    prepare(RUNTIME);
    const boot = join(folder, 'dist', 'prepared', 'boot');
    mkdirSync(boot);
    writeFileSync(
      join(boot, 'boot.cjs'),
      asScript(`exports.bootProcess = async (args, { version, build }) => {
        const hasOlder = process.mainModule !== undefined;
        const arenas = process.env.MALLOC_ARENA_MAX;
        process.stdout.write(JSON.stringify({ args, version, folder: build.folder, arenas, hasOlder }));
        process.exitCode = 7;
      };`),
    );
    const start = () => {
      const env = { ...process.env, XDG_CACHE_HOME: cache(), NODE_OPTIONS: '' };
      const options = { encoding: 'utf8', env: { ...env, MALLOC_ARENA_MAX: undefined } } as const;
      return spawnSync(process.execPath, [join(folder, 'bin', 'bootlab.mjs'), 'boot', '--board', 'a b'], options);
    };
    const { stdout, stderr, status } = start();
    if (!IS_LEAN) return expect([stdout, stderr, status]).toEqual(['modules', '', 0]);
    expect([stderr, status]).toEqual(['', 7]);
    expect(JSON.parse(stdout)).toEqual({
      ...{ args: ['boot', '--board', 'a b'], version: '1.2.3', folder: join(folder, 'dist', 'prepared', '/') },
      ...{ arenas: '2', hasOlder: true },
    });
    writeFileSync(compiled(), 'other sources');
    expect(start().stdout).toBe('modules');
  });
});
