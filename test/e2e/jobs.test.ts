// What a person does with jobs in real Chromium against a whole lab: writes one, watches its steps, follows a failure to
// the lines that prove it, compares two runs. Every page is looked at by axe as well.
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { launchChromium, startLab, type Lab } from '../support/lab.js';
import { newPage, violations } from '../support/page-inspection.js';
import { describeWith } from '../support/requirements.js';

const repository = fileURLToPath(new URL('../..', import.meta.url));
const START_LIMIT_MS = 320_000;
const LIMIT_MS = 120_000;

const job = (name: string, second: string, more = ''): string => `name: ${name}
board: malta
images: { firmware: builtin:malta-selftest-el }
${more}steps:
  - { expect: 'alu +ok', name: ALU }
  - { expect: '${second}', name: multiplier }
  - { expect: PASS, name: all, format: regex, pattern: '^(?P<name>[a-z][a-z0-9 ]*?) +(?P<status>ok|bad)' }
`;

describeWith('chromium', 'jobs in the browser', () => {
  let lab: Lab;
  let browser: Browser;
  let page: Page;
  const ids: Record<string, string> = {};
  const errors: string[] = [];

  beforeAll(async () => {
    lab = await startLab(repository);
    browser = await launchChromium();
    page = await newPage(browser, errors);
    await page.goto(lab.signInUrl);
    await page.getByRole('heading', { name: 'Jobs', level: 1 }).waitFor();
    const token = /#token=(.+)$/.exec(lab.signInUrl)?.[1] ?? '';
    const run = async (text: string): Promise<{ id: string; groupId: string | null }> => {
      const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/yaml' };
      const answer = await fetch(`${lab.url}/api/v1/jobs?wait=100s`, { method: 'POST', headers, body: text });
      return (await answer.json()) as { id: string; groupId: string | null };
    };
    ids['good'] = (await run(job('nightly', 'multiply +ok'))).id;
    ids['bad'] = (await run(job('nightly', 'multiply +bad'))).id;
    // Its third step finds cases of no known status: its reason leads to their lines.
    const unknown = job('unclear', 'multiply +ok').replace("(?P<status>ok|bad)'", "(?P<status>o)'");
    ids['proven'] = (await run(unknown)).id;
    ids['group'] = (await run(job('sweep', 'multiply +ok', 'matrix: { cpu: [24Kf, 34Kf] }\n'))).groupId ?? '';
  }, START_LIMIT_MS);
  afterAll(() => Promise.all([browser?.close(), lab?.stop()]), 60_000);

  it(
    'shows the steps, and leads from one to its lines',
    async () => {
      await page.goto(`${lab.url}/jobs/${ids['good']}`);
      const steps = page.getByRole('region', { name: /^Steps/ }).getByRole('listitem');
      await steps.nth(2).waitFor();
      expect(await steps.count()).toBe(3);
      expect(await steps.first().innerText()).toMatch(/ALU\s+\d+ µs/);
      expect(await steps.nth(2).innerText()).toContain('14 passed');
      await steps.nth(1).getByRole('link').click();
      await page.waitForURL(/\/log\?console=uart0&line=3$/);
      expect(await page.locator('.log-row[data-marked]').innerText()).toMatch(/^3\s+0\.\d+\s+alu +ok$/);
    },
    LIMIT_MS,
  );

  it(
    'leads from the reason of a failure to the lines that prove it',
    async () => {
      await page.goto(`${lab.url}/jobs/${ids['proven']}`);
      await page.getByRole('link', { name: 'Show the lines' }).click();
      await page.waitForURL(/\/log\?console=uart0&line=\d+/);
      await page.locator('.log-row[data-marked]').first().waitFor();
    },
    LIMIT_MS,
  );

  it(
    'folds the log by step',
    async () => {
      await page.goto(`${lab.url}/jobs/${ids['good']}/log`);
      const lines = page.locator('.log-row:not(.log-step)');
      await lines.first().waitFor();
      expect(await lines.count()).toBe(18);
      await page.getByRole('button', { name: 'Fold steps' }).click();
      expect(await lines.count()).toBe(0);
      const heading = page.getByRole('button', { name: /^Passed 3 all/ });
      expect(await heading.getAttribute('aria-expanded')).toBe('false');
      await heading.click();
      expect(await lines.last().innerText()).toContain('SELFTEST: PASS');
    },
    LIMIT_MS,
  );

  it(
    'shows results as a tree, and leads from a failure to its history',
    async () => {
      await page.goto(`${lab.url}/jobs/${ids['bad']}/results`);
      await page.getByRole('radio', { name: 'Failed 1' }).check();
      await page.waitForURL(/show=bad/);
      expect(await page.locator('.case').allInnerTexts()).toEqual([expect.stringContaining('multiplier')]);
      await page.getByRole('link', { name: 'History of multiplier' }).click();
      await page.getByRole('heading', { name: 'multiplier', level: 1 }).waitFor();
      await page.locator('tbody tr').first().waitFor();
      const outcomes = await page.locator('tbody tr td:first-child').allInnerTexts();
      expect(outcomes.slice(-2)).toEqual(['Fail', 'Pass']);
    },
    LIMIT_MS,
  );

  it(
    'takes results of another tool, and says what is wrong with a file that is none',
    async () => {
      await page.goto(`${lab.url}/jobs/${ids['proven']}/results`);
      const add = page.getByLabel('Add JUnit');
      await add.setInputFiles({ name: 'none.xml', mimeType: 'text/xml', buffer: Buffer.from('<html/>') });
      await page.getByText('The document has no test case').waitFor();
      const document = '<testsuite name="rig"><testcase name="lights up"/></testsuite>';
      await add.setInputFiles({ name: 'rig.xml', mimeType: 'text/xml', buffer: Buffer.from(document) });
      await page.locator('.case', { hasText: 'lights up' }).waitFor();
    },
    LIMIT_MS,
  );

  it(
    'compares two jobs',
    async () => {
      await page.goto(`${lab.url}/compare?base=${ids['good']}&head=${ids['bad']}`);
      const regressions = page.locator('details', { hasText: 'Regressions' });
      expect(await regressions.locator('tbody').innerText()).toMatch(/multiplier/);
      await page.getByRole('button', { name: 'Swap' }).click();
      await page.locator('details', { hasText: 'Fixes' }).waitFor();
    },
    LIMIT_MS,
  );

  it(
    'shows a matrix, and finds jobs by what stands in the address',
    async () => {
      await page.goto(`${lab.url}/groups/${ids['group']}`);
      await page.getByText('2 of 2 jobs passed').waitFor();
      await page.getByRole('link', { name: 'Show as list' }).click();
      const jobs = page.locator('.jobs-table tbody tr'); // the matrix is a table as well
      await jobs.nth(1).waitFor();
      expect(await jobs.count()).toBe(2);
      await page.goto(`${lab.url}/jobs?name=night&outcome=fail&state=ended`);
      await jobs.first().waitFor();
      expect(await jobs.count()).toBe(1);
    },
    LIMIT_MS,
  );

  it(
    'checks a job while it is written, and starts it',
    async () => {
      await page.goto(`${lab.url}/submit?from=${ids['good']}&as=yaml`);
      await page.getByText('The lab takes this job.').waitFor();
      const editor = page.getByRole('textbox', { name: 'Job file, YAML' });
      await editor.click();
      await page.keyboard.press('Control+Home');
      await page.keyboard.type('cpu: 68000x\nmemmory: 1G\n');
      await page.getByText('1 mistake').waitFor();
      expect(await page.locator('.check-errors').innerText()).toMatch(/2:1 memmory Unknown key/);
      expect(await page.locator('.cm-lintRange-error').count()).toBeGreaterThan(0);
      expect(await page.getByRole('button', { name: 'Start job' }).isDisabled()).toBe(true);
      await page.keyboard.press('Control+Home');
      for (let line = 0; line < 2; line++) await page.keyboard.press('Control+Shift+K');
      await page.getByText('The lab takes this job.').waitFor();
      await page.getByRole('button', { name: 'Start job' }).click();
      await page.waitForURL(/\/jobs\/[0-9a-f-]{36}$/);
      await page.getByRole('status', { name: 'Job status' }).getByText('Passed').waitFor({ timeout: LIMIT_MS });
    },
    LIMIT_MS,
  );

  it(
    'has nothing serious to show to axe, in both themes and on a phone',
    async () => {
      const paths = [
        '/jobs',
        `/jobs/${ids['bad']}`,
        `/jobs/${ids['proven']}`,
        `/jobs/${ids['proven']}/results`,
        `/jobs/${ids['good']}/log?line=5`,
        `/jobs/${ids['good']}/results`,
        `/jobs/${ids['good']}/definition`,
        '/matrix',
        `/groups/${ids['group']}`,
        `/compare?base=${ids['good']}&head=${ids['bad']}`,
        '/history?suite=steps&name=ALU',
        '/submit?as=yaml',
      ];
      const found: string[] = [];
      for (const [scheme, width] of [
        ['light', 390],
        ['dark', 1360],
      ] as const) {
        await page.emulateMedia({ colorScheme: scheme });
        await page.setViewportSize({ width, height: 860 });
        for (const path of paths) {
          await page.goto(lab.url + path);
          await page.locator('h1').waitFor();
          await page.waitForLoadState('networkidle').catch(() => undefined); // pages that follow something never are
          for (const violation of await violations(page)) found.push(`${path}: ${violation}`);
        }
      }
      expect(found).toEqual([]);
      expect(errors).toEqual([]);
    },
    3 * LIMIT_MS,
  );
});
