#!/usr/bin/env node
// `npm test`: prepares the machine, builds, runs Jest, and sums up. Arguments other than --all go to Jest.
//   --all   also the slow suites (*.slow.test.ts)
// The last line is "N passed, N failed"; the exit status says the same.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from './build.mjs';

const repository = dirname(dirname(fileURLToPath(import.meta.url)));
const require = createRequire(import.meta.url);
const jestArguments = process.argv.slice(2).filter((argument) => argument !== '--all');
const all = process.argv.includes('--all');

/** @param {string[]} args @param {Record<string, string>} environment */
const node = (args, environment = {}) =>
  spawnSync(process.execPath, args, { cwd: repository, stdio: 'inherit', env: { ...process.env, ...environment } })
    .status;

const setup = node([join(repository, 'scripts', 'setup-tests.mjs')]);
if (setup !== 0) process.exit(1);
if (!build('inherit').ok) process.exit(1);

const report = join(repository, 'test-results', 'jest.json');
mkdirSync(dirname(report), { recursive: true });
rmSync(report, { force: true });
const jest = join(dirname(require.resolve('jest/package.json')), 'bin', 'jest.js');
const status = node([jest, '--json', `--outputFile=${report}`, ...jestArguments], {
  NODE_OPTIONS: [process.env.NODE_OPTIONS, '--experimental-vm-modules', '--disable-warning=ExperimentalWarning']
    .filter(Boolean)
    .join(' '),
  ...(all && { BOOTLAB_TEST_ALL: '1' }),
});

if (!existsSync(report)) {
  console.error(`npm test: Jest ended with status ${status} and left no report at ${report}`);
  process.exit(1);
}
/**
 * @typedef {{ status: string, fullName: string }} Assertion
 * @typedef {{ numPassedTests: number, numFailedTests: number, numRuntimeErrorTestSuites: number,
 *   testResults: { assertionResults: Assertion[] }[] }} Report
 */
const { testResults, numPassedTests, numFailedTests, numRuntimeErrorTestSuites } = /** @type {Report} */ (
  JSON.parse(readFileSync(report, 'utf8'))
);
const notRun = testResults.flatMap(({ assertionResults }) =>
  assertionResults.filter((test) => test.status === 'pending').map((test) => test.fullName),
);
if (notRun.length > 0) console.log(`\nNot run on this machine:\n${notRun.map((name) => `  ${name}`).join('\n')}`);
const failed = numFailedTests + numRuntimeErrorTestSuites;
console.log(`${numPassedTests} passed, ${failed} failed`);
process.exit(status === 0 && failed === 0 ? 0 : 1);
