import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { ESLint, type Linter } from 'eslint';
import tseslint from 'typescript-eslint';
import { boundaries } from '../../eslint/boundaries.mjs';

const repository = fileURLToPath(new URL('../..', import.meta.url));

/** ESLint with the import directions alone: no type information, so a made-up line in a real file is checked fast. */
const eslint = new ESLint({
  cwd: repository,
  overrideConfigFile: true,
  overrideConfig: [
    { files: ['**/*.ts', '**/*.tsx'], languageOptions: { parser: tseslint.parser } },
    ...boundaries,
  ] as Linter.Config[],
});

/** The rules that `line` breaks when it stands in `file`. */
async function rulesBroken(file: string, line: string): Promise<(string | null)[]> {
  const [result] = await eslint.lintText(`${line}\n`, { filePath: join(repository, file) });
  return result?.messages.map((message) => message.ruleId) ?? [];
}

const importing = (specifier: string): string => `import * as anything from '${specifier}';`;

describe('import directions', () => {
  it.each([
    ['a device knows no CPU', 'libs/emulator/hw/index.ts', '../targets/index.js'],
    ['a device knows no board', 'libs/emulator/hw/index.ts', '../boards/index.js'],
    ['core knows nothing but itself', 'libs/emulator/core/index.ts', '../memory/index.js'],
    ['memory knows no device', 'libs/emulator/memory/index.ts', '../hw/index.js'],
    ['the IR knows no lowering', 'libs/emulator/jit/ir/index.ts', '../wasm/index.js'],
    ['a target knows no device', 'libs/emulator/targets/index.ts', '../hw/index.js'],
    ['the emulator knows no lab', 'libs/emulator/index.ts', '../lab/src/index.js'],
    ['libraries never import applications', 'libs/lab/src/index.ts', '../../../apps/api/src/main.js'],
    ['applications never import each other', 'apps/api/src/main.ts', '../../worker/src/main.js'],
  ])('%s', async (_rule, file, specifier) => {
    expect(await rulesBroken(file, importing(specifier))).toEqual(['import-x/no-restricted-paths']);
  });

  it.each([
    ['a folder of the emulator is imported by its index', 'apps/cli/src/main.ts', '@bootlab/emulator/hw/device.js'],
    ['a library is imported by its name', 'apps/cli/src/main.ts', '../../../libs/lab/src/index.js'],
    ['no product loads a test kit', 'apps/cli/src/main.ts', '@bootlab/emulator/testkit'],
    ['nor does a library', 'libs/lab/src/index.ts', '@bootlab/lab/testing'],
    ['a device runs in a browser', 'libs/emulator/hw/index.ts', 'node:fs'],
    ['so does the emulator’s entry', 'libs/emulator/index.ts', 'node:worker_threads'],
    ['and the web application', 'apps/web/src/main.tsx', 'node:fs'],
  ])('%s', async (_rule, file, specifier) => {
    expect(await rulesBroken(file, importing(specifier))).toEqual(['no-restricted-imports']);
  });

  it('nothing a guest can see reads the host’s clock or dice', async () => {
    const line = 'export const now = Date.now() + Math.random() + performance.now();';
    expect(await rulesBroken('libs/emulator/hw/index.ts', line)).toEqual(Array(3).fill('no-restricted-properties'));
  });

  it.each([
    ['libs/emulator/boards/index.ts', '../hw/index.js'],
    ['libs/emulator/hw/index.ts', '../core/index.js'],
    ['libs/emulator/jit/wasm/index.ts', '../ir/index.js'],
    ['libs/emulator/backends/index.ts', 'node:fs'],
    ['apps/cli/src/main.ts', '@bootlab/emulator/backends'],
    ['apps/cli/src/main.ts', 'node:fs'],
    ['apps/cli/src/main.test.ts', '@bootlab/emulator/testkit'],
    ['apps/cli/src/start/learn-code.ts', '@bootlab/emulator/testkit'],
    ['apps/api/src/testing/test-api.ts', '@bootlab/lab/testing'],
  ])('%s may import %s', async (file, specifier) => {
    expect(await rulesBroken(file, importing(specifier))).toEqual([]);
  });

  it('is part of what `npm run lint` enforces', async () => {
    const config = (await new ESLint({ cwd: repository }).calculateConfigForFile(
      join(repository, 'libs/emulator/hw/index.ts'),
    )) as Linter.Config;
    expect(config.rules?.['import-x/no-restricted-paths']).toEqual([2, expect.anything()]);
  });
});
