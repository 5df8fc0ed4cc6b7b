// Unit tests stand beside the code; they run on the TypeScript sources (ESM, swc), so no build is needed for them.
// End-to-end and conformance tests live in test/ and use what `npm run build` made.

const transform = {
  '^.+\\.tsx?$': [
    '@swc/jest',
    {
      jsc: {
        target: 'es2023',
        parser: { syntax: 'typescript', tsx: false, decorators: true },
        transform: { legacyDecorator: true, decoratorMetadata: true },
      },
      module: { type: 'es6' },
      sourceMaps: 'inline',
    },
  ],
};

const base = {
  rootDir: import.meta.dirname ?? new URL('.', import.meta.url).pathname,
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts', '.tsx'],
  transform,
  modulePathIgnorePatterns: ['/dist/', '/dist-types/'],
  testPathIgnorePatterns: ['/node_modules/', '/dist/', '/dist-types/'],
};

const toSources = {
  '^@bootlab/emulator$': '<rootDir>/libs/emulator/index.ts',
  '^@bootlab/emulator/(.+)$': '<rootDir>/libs/emulator/$1/index.ts',
  '^@bootlab/lab$': '<rootDir>/libs/lab/src/index.ts',
  '^@bootlab/lab/(.+)$': '<rootDir>/libs/lab/src/$1/index.ts',
};
const stripJs = { '^(\\.{1,2}/.*)\\.js$': '$1' };

export default {
  projects: [
    {
      ...base,
      displayName: 'unit',
      testMatch: ['<rootDir>/{libs,apps,scripts}/**/*.test.{ts,tsx}'],
      moduleNameMapper: { ...toSources, ...stripJs },
    },
    {
      ...base,
      displayName: 'house',
      testMatch: ['<rootDir>/test/**/*.test.ts'],
      moduleNameMapper: stripJs,
    },
  ],
};
