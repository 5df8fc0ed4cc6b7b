// Unit tests stand beside the code and run on the TypeScript sources (ESM, swc), so they need no build.
// Tests of the whole stand in test/ and use what `npm run build` made.

/** @param {boolean} tsx */
const swc = (tsx) => [
  '@swc/jest',
  {
    jsc: {
      target: 'es2023',
      parser: { syntax: 'typescript', tsx, decorators: true },
      transform: { legacyDecorator: true, decoratorMetadata: true, react: { runtime: 'automatic' } },
    },
    module: { type: 'es6' },
    sourceMaps: 'inline',
  },
];

const base = {
  rootDir: import.meta.dirname,
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts', '.tsx'],
  transform: { '\\.ts$': swc(false), '\\.tsx$': swc(true) },
  testPathIgnorePatterns: [
    '/node_modules/',
    '/dist/',
    '/dist-types/',
    ...(process.env.BOOTLAB_TEST_ALL ? [] : ['\\.slow\\.test\\.tsx?$']),
  ],
};

// TypeScript's `./file.js` names file.ts.
const relative = { '^(\\.{1,2}/.*)\\.js$': '$1' };

export default {
  // Boards keep a core busy each; Jest's default of one core less leaves half of a small machine idle.
  maxWorkers: '100%',
  // Against a test that hangs, not against a busy machine.
  testTimeout: 60_000,
  projects: [
    {
      ...base,
      displayName: 'unit',
      testMatch: ['<rootDir>/{libs,apps}/**/*.test.{ts,tsx}'],
      moduleNameMapper: {
        '^@bootlab/emulator$': '<rootDir>/libs/emulator/index.ts',
        '^@bootlab/emulator/(.+)$': '<rootDir>/libs/emulator/$1/index.ts',
        '^@bootlab/lab$': '<rootDir>/libs/lab/src/index.ts',
        '^@bootlab/lab/(.+)$': '<rootDir>/libs/lab/src/$1/index.ts',
        ...relative,
      },
    },
    {
      ...base,
      displayName: 'house',
      testMatch: ['<rootDir>/test/**/*.test.ts'],
      moduleNameMapper: relative,
    },
  ],
};
