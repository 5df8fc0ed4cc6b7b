// Who may import whom. The table below is the architecture; ARCHITECTURE.md draws it.
import { createNodeResolver, importX } from 'eslint-plugin-import-x';

/**
 * Inside libs/emulator: each folder, and the folders it may import besides itself.
 * boards → hw → memory → core; targets → jit/ir → core; accel → jit, targets, memory; machine puts them together. No device knows a CPU, no target
 * knows a device, nothing knows a board but the board itself.
 */
const EMULATOR_IMPORTS = {
  core: [],
  memory: ['core'],
  fp: ['core'],
  'jit/ir': ['core'],
  'jit/wasm': ['core', 'jit/ir'],
  jit: ['core', 'memory'],
  targets: ['core', 'fp', 'jit/ir'],
  hw: ['core', 'memory'],
  boards: ['core', 'memory', 'hw'],
  accel: ['core', 'memory', 'fp', 'jit', 'targets'],
  machine: ['core', 'memory', 'hw', 'boards', 'accel'],
  backends: ['core'],
  threads: ['core', 'jit', 'accel', 'targets'],
  debug: ['core', 'memory', 'targets'],
  user: ['core', 'memory', 'fp', 'jit', 'targets', 'accel'],
};

/** The folders of libs/emulator that may use Node; everything else also runs in a browser. */
const EMULATOR_ON_NODE = ['backends', 'threads', 'user', 'testkit'];

/** What a guest can observe is a pure function of its inputs, so these may not read the host's clock or dice. */
const EMULATOR_DETERMINISTIC = ['core', 'memory', 'fp', 'jit', 'targets', 'hw', 'boards'];

const TESTS = ['**/*.test.ts', '**/*.test.tsx', '**/*.test-support.ts'];
/** What helps tests, and what runs at build time. */
const WITH_TEST_KITS = ['**/src/testing/**', 'apps/cli/src/start/**'];
const emulator = 'libs/emulator';

const emulatorZones = Object.entries(EMULATOR_IMPORTS).map(([folder, allowed]) => ({
  target: `./${emulator}/${folder}`,
  from: `./${emulator}`,
  except: [folder, ...allowed].map((name) => `./${name}`),
  message: `${folder}/ may import ${['itself', ...allowed].join(', ')} and nothing else of the emulator (eslint/boundaries.mjs).`,
}));

const houseZones = [
  { target: './libs', from: './apps', message: 'Libraries never import applications.' },
  {
    target: './libs/emulator',
    from: './libs/lab',
    message: 'The emulator knows nothing of jobs, queues, HTTP or databases.',
  },
  ...['api', 'worker', 'web', 'cli'].map((app) => ({
    target: `./apps/${app}`,
    from: './apps',
    except: [`./${app}`],
    message: 'Applications share code through libs/, never with each other.',
  })),
];

/** Import specifiers that reach past a package's public folders. */
const deepImports = {
  regex: '^(@bootlab/(emulator|lab)/[^/]+/.|(\\.\\./)+libs/)',
  message: 'Import a library through its index: @bootlab/emulator, @bootlab/emulator/<folder>, @bootlab/lab.',
};
const nodeModules = {
  regex: '^(node:|fs$|path$|os$|crypto$|child_process$|worker_threads$|net$|http$)',
  message: `This code also runs in a browser: no node: modules outside ${EMULATOR_ON_NODE.join('/, ')}/.`,
};
const testKits = {
  regex: '^@bootlab/(emulator/testkit|lab/testing)$',
  message: 'Tests, benchmarks and the build use the test kits; the product never loads them.',
};

/** @param {...{ regex: string, message: string }} patterns @returns {import('eslint').Linter.RulesRecord} */
const restrictImports = (...patterns) => ({ 'no-restricted-imports': ['error', { patterns }] });

/** @type {import('eslint').Linter.Config[]} */
export const boundaries = [
  {
    files: ['libs/**/*.ts', 'apps/**/*.ts', 'apps/**/*.tsx'],
    plugins: { 'import-x': importX },
    settings: {
      'import-x/resolver-next': [
        createNodeResolver({
          extensions: ['.ts', '.tsx', '.js', '.mjs', '.json'],
          extensionAlias: { '.js': ['.ts', '.tsx', '.js'] },
        }),
      ],
    },
    rules: {
      'import-x/no-restricted-paths': ['error', { zones: [...houseZones, ...emulatorZones] }],
      ...restrictImports(deepImports, testKits),
    },
  },
  { files: [...TESTS, ...WITH_TEST_KITS], rules: restrictImports(deepImports) },
  {
    files: [`${emulator}/**/*.ts`, 'apps/web/src/**/*.{ts,tsx}'],
    ignores: [...EMULATOR_ON_NODE.map((folder) => `${emulator}/${folder}/**`), ...TESTS],
    rules: restrictImports(deepImports, testKits, nodeModules),
  },
  {
    files: EMULATOR_DETERMINISTIC.map((folder) => `${emulator}/${folder}/**/*.ts`),
    ignores: TESTS,
    rules: {
      'no-restricted-properties': [
        'error',
        ...[
          ['Date', 'now'],
          ['Math', 'random'],
          ['performance', 'now'],
        ].map(([object, property]) => ({
          object,
          property,
          message: 'Guests see virtual time only; a run is a pure function of its inputs (docs/decisions).',
        })),
      ],
      'no-restricted-globals': ['error', 'process', 'Buffer', 'window', 'document', 'setTimeout', 'setInterval'],
    },
  },
  // A test may build its scene from any folder.
  { files: TESTS, rules: { 'import-x/no-restricted-paths': 'off' } },
];
