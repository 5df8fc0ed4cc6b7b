// People in real Chromium against a whole lab: from the operator's link over an invitation to tokens, quotas and the
// audit log. Every page is looked at by axe and photographed, light and dark, on a wide screen and on a phone.
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { launchChromium, startLab, type Lab } from '../support/lab.js';
import { inspectPage, newPage } from '../support/page-inspection.js';
import { describeWith } from '../support/requirements.js';

const repository = fileURLToPath(new URL('../..', import.meta.url));
const START_LIMIT_MS = 320_000;
const LIMIT_MS = 150_000;
const PASSWORD = 'correct horse battery staple';

describeWith('chromium', 'people', () => {
  let lab: Lab;
  let browser: Browser;
  /** Signed in with the administrator's token. */
  let operator: Page;
  /** Comes by invitation. */
  let ada: Page;
  const errors: string[] = [];

  beforeAll(async () => {
    lab = await startLab(repository);
    browser = await launchChromium();
    [operator, ada] = await Promise.all([newPage(browser, errors), newPage(browser, errors)]);
  }, START_LIMIT_MS);

  afterAll(async () => {
    await Promise.all([browser?.close(), lab?.stop()]);
  }, 60_000);

  const inspect = (page: Page, name: string) => inspectPage(page, repository, `people-${name}`);

  const settings = async (page: Page, section: string, title: string): Promise<void> => {
    await page.goto(`${lab.url}/settings/${section}`);
    await page.getByRole('region', { name: title, exact: true }).waitFor();
    await page.waitForFunction(() => document.querySelector('.loading') === null);
  };
  const secret = async (page: Page): Promise<string> => (await page.getByTestId('secret').innerText()).trim();

  it(
    'shows who is not signed in the way in, and keeps nothing of a token in the browser',
    async () => {
      await operator.goto(lab.url);
      await operator.getByRole('heading', { name: 'Sign in' }).waitFor();
      await inspect(operator, 'sign-in');
      await operator.goto(lab.signInUrl);
      await operator.getByRole('heading', { name: 'Jobs', level: 1 }).waitFor();
      const token = new URL(lab.signInUrl).hash.replace('#token=', '');
      const kept = await operator.evaluate(() => JSON.stringify({ ...localStorage }) + document.cookie);
      expect(kept).not.toContain(token);
      expect(kept).not.toContain('bootlab=');
      await settings(operator, 'account', 'You');
      await operator.getByText('You are signed in with a token').waitFor();
    },
    LIMIT_MS,
  );

  it(
    'lets somebody in by a link, who makes an account with what is wrong shown at its field',
    async () => {
      await settings(operator, 'members', 'Invite somebody');
      await operator.getByLabel('For whom').fill('Ada, kernel team');
      await operator.getByLabel('Role', { exact: true }).selectOption('Admin');
      await operator.getByRole('button', { name: 'Make link' }).click();
      await operator.getByTestId('secret').waitFor();
      const link = await secret(operator);
      await inspect(operator, 'invite');
      await ada.goto(link);
      await ada.getByRole('heading', { name: 'Join default' }).waitFor();
      await inspect(ada, 'invitation');
      await ada.getByLabel('Login').fill('ada');
      await ada.getByLabel('Name', { exact: true }).fill('Ada Lovelace');
      await ada.getByLabel('Password').fill('short');
      await ada.getByRole('button', { name: 'Join' }).click();
      await ada.locator('.field-error').waitFor();
      await ada.getByLabel('Password').fill(PASSWORD);
      await ada.getByRole('button', { name: 'Join' }).click();
      await ada.getByRole('heading', { name: 'Jobs', level: 1 }).waitFor();
      const stranger = await newPage(browser, errors);
      await stranger.goto(link);
      await stranger.getByText('This link lets nobody in').waitFor();
      await stranger.context().close();
    },
    LIMIT_MS,
  );

  it(
    'signs people out and in with their password, by keyboard alone',
    async () => {
      await ada.getByRole('button', { name: 'Sign out' }).click();
      await ada.getByRole('heading', { name: 'Sign in' }).waitFor();
      await ada.getByLabel('Login').focus();
      await ada.keyboard.type('ada');
      await ada.keyboard.press('Tab');
      await ada.keyboard.type('wrong password');
      await ada.keyboard.press('Enter');
      await ada.getByText('There is nobody with this login and password').waitFor();
      await ada.getByLabel('Password', { exact: true }).last().fill(PASSWORD);
      await ada.keyboard.press('Enter');
      await ada.getByRole('heading', { name: 'Jobs', level: 1 }).waitFor();
      await ada.reload();
      await ada.getByRole('heading', { name: 'Jobs', level: 1 }).waitFor();
    },
    LIMIT_MS,
  );

  it(
    'shows a token once, and what was made with it',
    async () => {
      await settings(ada, 'tokens', 'New token');
      await ada.getByLabel('Name', { exact: true }).fill('kernel CI');
      await ada.getByRole('button', { name: 'Make token' }).click();
      await ada.getByTestId('secret').waitFor();
      const token = await secret(ada);
      expect(token).toMatch(/^blt_/);
      await inspect(ada, 'tokens');
      const spec = { name: 'from CI', board: 'malta', images: { firmware: 'builtin:malta-selftest-el' } };
      const submitted = await fetch(`${lab.url}/api/v1/jobs`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify(spec),
      });
      expect(submitted.status).toBe(201);
      const { id } = (await submitted.json()) as { id: string };
      await ada.reload();
      await ada.getByText('kernel CI', { exact: true }).waitFor();
      expect(await ada.content()).not.toContain(token);
      await ada.getByRole('button', { name: 'Revoke kernel CI' }).click();
      await ada.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click();
      await ada.getByRole('button', { name: 'Revoke kernel CI' }).waitFor({ state: 'detached' });
      // The console comes through the cookie: nothing else says who watches.
      await ada.goto(`${lab.url}/jobs/${id}`);
      await ada.getByLabel('Job status').getByText('Passed').waitFor({ timeout: 60_000 });
    },
    LIMIT_MS,
  );

  it(
    'shows members, account, quota and the audit log',
    async () => {
      await settings(ada, 'members', 'Members');
      await ada.getByLabel('Role of ada').waitFor();
      await inspect(ada, 'members');
      await settings(ada, 'account', 'Browsers');
      await inspect(ada, 'account');
      await settings(ada, 'audit', 'Audit log');
      await ada.getByText('tokens.revoke').first().waitFor();
      await inspect(ada, 'audit');
      await ada.getByLabel('Action').fill('jobs.submit');
      await ada.getByText('tokens.revoke').first().waitFor({ state: 'detached' });
      await ada.getByText('ada (token kernel CI)').first().waitFor();
    },
    LIMIT_MS,
  );

  it(
    'lets operators set quotas, and look after projects and people',
    async () => {
      await settings(operator, 'usage', 'Quota');
      await operator.getByLabel('Boards at a time').fill('2');
      await operator.getByLabel('Storage, GiB').fill('plenty');
      await operator.getByRole('button', { name: 'Save' }).click();
      await operator.locator('.field-error').waitFor();
      await operator.getByLabel('Storage, GiB').fill('0.5');
      await operator.getByRole('button', { name: 'Save' }).click();
      await operator.getByText('0 of 2').waitFor();
      await inspect(operator, 'usage');
      await settings(operator, 'lab', 'New project');
      await operator.getByLabel('Name', { exact: true }).fill('second');
      await operator.getByRole('button', { name: 'Make project' }).click();
      await operator.getByRole('button', { name: 'second' }).waitFor();
      await operator.getByRole('button', { name: 'Make operator: ada' }).waitFor();
      await inspect(operator, 'lab');
      await operator.getByRole('banner').getByLabel('Project', { exact: true }).selectOption('second');
      await operator.getByRole('heading', { name: 'No jobs yet' }).waitFor();
    },
    LIMIT_MS,
  );

  it(
    'runs the API reference under the same policy',
    async () => {
      await operator.goto(`${lab.url}/api/docs`);
      await operator.getByRole('heading', { name: /Bootlab/ }).waitFor();
      await operator.getByText('/api/v1/tokens', { exact: true }).first().waitFor();
    },
    LIMIT_MS,
  );

  it('breaks no rule of the content security policy, and throws nothing', () => {
    expect(errors).toEqual([]);
  });
});
