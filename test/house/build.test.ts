// Labs that tests start must not build again what other tests are reading: `scripts/build.mjs` remembers what was built.
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { cpSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

interface Builder {
  isBuilt(): boolean;
  build(output: 'pipe'): { ok: boolean; output: string };
}

const OUTPUTS = ['libs/emulator', 'libs/lab', 'apps/api', 'apps/worker', 'apps/web'].map((folder) => `${folder}/dist`);
const SOURCES = ['prisma/schema.prisma', 'libs/lab/job.ts', 'libs/lab/job.test.ts', 'tsconfig.base.json'];

let root: string;
let builder: Builder;
beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'bootlab-build-'));
  cpSync(fileURLToPath(new URL('../../scripts/build.mjs', import.meta.url)), join(root, 'scripts', 'build.mjs'));
  for (const file of ['package-lock.json', ...SOURCES]) write(file, '{}');
  buildBy(`mkdir -p ${OUTPUTS.join(' ')} && echo made`);
  builder = (await import(join(root, 'scripts', 'build.mjs'))) as Builder;
});
afterEach(() => rmSync(root, { recursive: true }));

function write(file: string, text: string): void {
  mkdirSync(join(root, file, '..'), { recursive: true });
  writeFileSync(join(root, file), text);
}
const buildBy = (command: string): void => write('package.json', JSON.stringify({ scripts: { build: command } }));

/** As if somebody saved it a while after the build. */
function change(file: string): void {
  const later = Date.now() / 1000 + 60;
  utimesSync(join(root, file), later, later);
}

it('what was built is built until a source changes', () => {
  expect(builder.isBuilt()).toBe(false);
  expect(builder.build('pipe')).toEqual({ ok: true, output: expect.stringContaining('made') });
  expect(builder.isBuilt()).toBe(true);
  change('libs/lab/job.test.ts');
  change('libs/lab/dist');
  expect(builder.isBuilt()).toBe(true);
  change('libs/lab/job.ts');
  expect(builder.isBuilt()).toBe(false);
});

it('a part that is missing is not built', () => {
  builder.build('pipe');
  rmSync(join(root, 'apps/web/dist'), { recursive: true });
  expect(builder.isBuilt()).toBe(false);
});

it('a build that fails is none, and says why', () => {
  buildBy(`mkdir -p ${OUTPUTS.join(' ')} && echo 'no such thing' >&2 && exit 1`);
  expect(builder.build('pipe')).toEqual({ ok: false, output: expect.stringContaining('no such thing') });
  expect(builder.isBuilt()).toBe(false);
});
