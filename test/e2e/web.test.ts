// The web page in real Chromium against a whole lab: what a person does, from the form to the end of the job.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { launchChromium, startLab, submitLinuxShell, waitForScreen, type Lab } from '../support/lab.js';
import { describeWith, guest } from '../support/requirements.js';

const repository = fileURLToPath(new URL('../..', import.meta.url));
const START_LIMIT_MS = 320_000;
const BOOT_LIMIT_MS = 240_000;
const SHELL_LIMIT_MS = 20_000;
const PROMPT = /^\/root # *\n*$/m;

/** A browser of its own for every person: nothing is shared but the lab. */
class Person {
  private constructor(
    readonly page: Page,
    private readonly context: BrowserContext,
    private readonly errors: string[],
  ) {}

  static async atTheLab(browser: Browser, lab: Lab): Promise<Person> {
    const context = await browser.newContext({ viewport: { width: 1360, height: 860 } });
    const page = await context.newPage();
    const errors: string[] = [];
    page.on('pageerror', (error) => errors.push(error.message));
    await page.goto(lab.signInUrl);
    await page.getByRole('heading', { name: 'Jobs', level: 1 }).waitFor();
    return new Person(page, context, errors);
  }

  async photograph(name: string): Promise<void> {
    const folder = join(repository, 'test-results', 'e2e');
    mkdirSync(folder, { recursive: true });
    await this.page.screenshot({ path: join(folder, `${name}.png`) });
  }

  async type(text: string): Promise<void> {
    await this.page.locator('.terminal-host:not([hidden]) textarea').focus();
    await this.page.keyboard.type(text);
  }

  /** Waits for the end of the job that is shown; returns its outcome as the page names it. */
  async outcome(limitMs: number): Promise<string> {
    const status = this.page.getByLabel('Job status');
    await status.getByText(/Passed|Failed|Timed out|Infrastructure|Cancelled/).waitFor({ timeout: limitMs });
    return status.innerText();
  }

  /** Leaves; the page must not have thrown anything. */
  async leave(): Promise<void> {
    await this.context.close();
    expect(this.errors).toEqual([]);
  }
}

describeWith('chromium', 'the web page', () => {
  let lab: Lab;
  let browser: Browser;

  beforeAll(async () => {
    lab = await startLab(repository);
    browser = await launchChromium();
  }, START_LIMIT_MS);

  afterAll(async () => {
    await Promise.all([browser?.close(), lab?.stop()]);
  }, 60_000);

  it('takes the token out of the address and keeps the person signed in', async () => {
    const person = await Person.atTheLab(browser, lab);
    expect(person.page.url()).not.toContain('token');
    await person.page.reload();
    await person.page.getByRole('heading', { name: 'Jobs', level: 1 }).waitFor();
    await person.leave();
  }, 30_000);

  it('refuses a wrong token in words', async () => {
    const page = await browser.newPage();
    await page.goto(lab.url);
    await page.getByRole('radio', { name: 'Token' }).check();
    await page.getByLabel('Access token').fill('not-the-token');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByText('The lab does not know this token').waitFor();
    await page.close();
  }, 30_000);

  it('runs the self-test that comes with the board in one click', async () => {
    const person = await Person.atTheLab(browser, lab);
    await person.photograph('no-jobs-yet');
    await person.page.getByRole('button', { name: 'Run the self-test' }).click();
    expect(await person.outcome(60_000)).toContain('Passed');
    await person.page.getByText('Read only: the job ended').waitFor();
    await person.photograph('self-test');
    await person.page.getByRole('link', { name: 'Log' }).click();
    await person.page.locator('.log-row').first().waitFor();
    await person.photograph('self-test-log');
    await person.leave();
  }, 90_000);

  it('shows at its field what the lab says is wrong', async () => {
    const person = await Person.atTheLab(browser, lab);
    const { page } = person;
    await page.goto(`${lab.url}/submit`);
    await page
      .getByRole('group', { name: 'Kernel', exact: true })
      .locator('input[type=file]')
      .setInputFiles({ name: 'notes.txt', mimeType: 'text/plain', buffer: Buffer.from('this is no kernel') });
    await page.getByRole('button', { name: 'Start job' }).click();
    await page.getByRole('group', { name: 'Kernel', exact: true }).locator('.field-error').waitFor();
    await person.photograph('field-error');
    await person.leave();
  }, 30_000);

  it('shows the board from its declaration', async () => {
    const person = await Person.atTheLab(browser, lab);
    await person.page.getByRole('link', { name: 'Boards' }).click();
    await person.page.getByRole('link', { name: /Malta/ }).click();
    await person.page.getByRole('heading', { name: 'Devices' }).waitFor();
    expect(await person.page.locator('.device-table tbody tr').count()).toBeGreaterThan(5);
    await person.photograph('board');
    await person.leave();
  }, 30_000);

  describeWith('malta-el', 'with Debian on a Malta board', () => {
    let ada: Person;

    beforeAll(async () => {
      ada = await Person.atTheLab(browser, lab);
    }, 30_000);

    it(
      'boots from the form to a shell, and runs what is typed',
      async () => {
        await submitLinuxShell(ada.page, lab, guest('malta-el'), 'Debian on Malta');
        await waitForScreen(ada.page, PROMPT, BOOT_LIMIT_MS);
        await ada.type('echo $((6 * 7)) $(uname -m)\n');
        await waitForScreen(ada.page, /^42 mips$/m, SHELL_LIMIT_MS);
        await ada.photograph('debian-shell');
      },
      BOOT_LIMIT_MS + SHELL_LIMIT_MS,
    );

    it('shows a second watcher everything so far, and either may type', async () => {
      const grace = await Person.atTheLab(browser, lab);
      await grace.page.goto(ada.page.url());
      await waitForScreen(grace.page, /^42 mips$/m, SHELL_LIMIT_MS);
      await grace.type('echo grace was $((40 + 2 - 41)) here\n');
      const seen = /^grace was 1 here$/m;
      await Promise.all([ada, grace].map(({ page }) => waitForScreen(page, seen, SHELL_LIMIT_MS)));
      await ada.type('echo so was $((3 - 2)) ada\n');
      await Promise.all([ada, grace].map(({ page }) => waitForScreen(page, /^so was 1 ada$/m, SHELL_LIMIT_MS)));
      await grace.leave();
    }, 90_000);

    it('passes when the guest powers off, and the console stays to be read', async () => {
      await ada.type('poweroff -f\n');
      expect(await ada.outcome(SHELL_LIMIT_MS)).toContain('Passed');
      await ada.page.getByText('Read only: the job ended').waitFor();
      await waitForScreen(ada.page, /poweroff -f/, SHELL_LIMIT_MS);
      await ada.photograph('debian-ended');
      await ada.page.getByRole('link', { name: 'Log' }).click();
      await ada.page.getByLabel('Search the log').fill('BOOT-OK');
      await ada.page.locator('.log-row mark').first().waitFor();
      await ada.photograph('debian-log');
      await ada.leave();
    }, 60_000);
  });
});
