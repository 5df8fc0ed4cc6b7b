import js from '@eslint/js';
import { defineConfig } from 'eslint/config';
import prettier from 'eslint-config-prettier';
import globals from 'globals';
import tseslint from 'typescript-eslint';
import { boundaries } from './eslint/boundaries.mjs';

export default defineConfig(
  {
    ignores: [
      '**/dist/**',
      '**/dist-types/**',
      '**/generated/**',
      'test-results/**',
      '.bootlab/**',
      '.data/**',
      '.nx/**',
      'coverage/**',
    ],
  },
  js.configs.recommended,
  {
    files: ['**/*.ts', '**/*.tsx'],
    extends: [tseslint.configs.strict],
    languageOptions: { parserOptions: { project: './tsconfig.tests.json', tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/await-thenable': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': ['error', { checksVoidReturn: { attributes: false } }],
      '@typescript-eslint/no-unnecessary-type-assertion': 'error',
      '@typescript-eslint/only-throw-error': 'error',
      '@typescript-eslint/return-await': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      // Nest modules are classes with nothing but a decorator.
      '@typescript-eslint/no-extraneous-class': ['error', { allowWithDecorator: true }],
      eqeqeq: 'error',
      'no-console': 'error',
    },
  },
  // Programs that talk to a terminal.
  { files: ['apps/cli/**', 'scripts/**', 'test/bench/**', '**/*.test.ts'], rules: { 'no-console': 'off' } },
  {
    files: ['libs/emulator/**/*.ts'],
    rules: {
      // Typed arrays are read by computed index on every path that matters here.
      '@typescript-eslint/no-non-null-assertion': 'off',
      // Data sheets put several registers at one offset (a 16550's RBR, THR and DLL).
      '@typescript-eslint/no-duplicate-enum-values': 'off',
    },
  },
  { files: ['**/*.mjs', '**/*.cjs', '**/*.js'], languageOptions: { globals: globals.node } },
  { files: ['apps/web/**/*.js'], languageOptions: { globals: globals.browser } },
  ...boundaries,
  prettier,
);
