// Accounts in real Chromium against a whole lab: in through an OpenID provider, a new password by link, and out for good.
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { Browser, Page, Route } from 'playwright-core';
import { launchChromium, startLab, type Lab } from '../support/lab.js';
import { OIDC_CLIENT, startOidcProvider, type OidcProvider } from '../support/oidc.js';
import { inspectPage, newPage } from '../support/page-inspection.js';
import { describeWith } from '../support/requirements.js';

const repository = fileURLToPath(new URL('../..', import.meta.url));
const START_LIMIT_MS = 320_000;
const LIMIT_MS = 120_000;
const PASSWORD = 'correct horse battery staple';
const NEW_PASSWORD = 'another horse, another battery';

describeWith('chromium', 'accounts', () => {
  let provider: OidcProvider;
  let lab: Lab;
  let browser: Browser;
  /** Signed in with the administrator's token. */
  let operator: Page;
  const errors: string[] = [];

  beforeAll(async () => {
    provider = await startOidcProvider();
    lab = await startLab(repository, (url) => {
      provider.serve(url);
      return {
        BOOTLAB_PUBLIC_URL: url,
        BOOTLAB_OIDC_ISSUER: provider.issuer,
        BOOTLAB_OIDC_CLIENT_ID: OIDC_CLIENT.id,
        BOOTLAB_OIDC_CLIENT_SECRET: OIDC_CLIENT.secret,
        BOOTLAB_OIDC_NAME: 'House login',
        BOOTLAB_SIGN_IN_LIMIT: '1000', // all these people sit at one address
      };
    });
    browser = await launchChromium();
    operator = await newPage(browser, errors);
    await operator.goto(lab.signInUrl);
    await operator.getByRole('heading', { name: 'Jobs', level: 1 }).waitFor();
  }, START_LIMIT_MS);

  afterAll(async () => {
    await Promise.all([browser?.close(), lab?.stop()]);
    provider?.stop();
  }, 60_000);

  const inspect = (page: Page, name: string) => inspectPage(page, repository, `accounts-${name}`);
  const settings = (page: Page, section: string) => page.goto(`${lab.url}/settings/${section}`);
  const secret = async (page: Page): Promise<string> => (await page.getByTestId('secret').innerText()).trim();
  const seesJobs = (page: Page) => page.getByRole('heading', { name: 'Jobs', level: 1 }).waitFor();

  async function invitation(): Promise<string> {
    await settings(operator, 'members');
    await operator.getByLabel('For whom').fill('Somebody');
    await operator.getByRole('button', { name: 'Make link' }).click();
    return secret(operator);
  }

  /** From the lab's button through the provider's two pages and back. */
  async function throughProvider(page: Page, login: string): Promise<void> {
    await page.getByRole('button', { name: 'Continue with House login' }).click();
    await page.waitForURL(`${provider.issuer}/**`);
    // The library's pages name their fields by placeholder alone.
    await page.getByPlaceholder('Enter any login').fill(login);
    await page.getByPlaceholder('and password').fill('any');
    await page.getByRole('button', { name: 'Sign-in' }).click();
    await page.getByRole('button', { name: 'Continue' }).click();
    await page.waitForURL(`${lab.url}/**`);
  }

  async function signIn(page: Page, login: string, password: string): Promise<void> {
    await page.goto(lab.url);
    await page.getByLabel('Login').fill(login);
    await page.getByLabel('Password', { exact: true }).last().fill(password);
    await page.getByRole('button', { name: 'Sign in' }).click();
  }

  it(
    'come through the button of the OpenID provider: by invitation, and from then on alone',
    async () => {
      const grace = await newPage(browser, errors);
      await grace.goto(lab.url);
      await grace.getByRole('button', { name: 'Continue with House login' }).waitFor();
      await inspect(grace, 'sign-in');
      await throughProvider(grace, 'grace');
      await grace.getByText('There is no account for you in this lab').waitFor();
      expect(grace.url()).toBe(`${lab.url}/`);
      await inspect(grace, 'not-invited');
      await grace.context().clearCookies(); // else the provider lets her through without asking

      await grace.goto(await invitation());
      await grace.getByRole('heading', { name: 'Join default' }).waitFor();
      await throughProvider(grace, 'grace');
      await seesJobs(grace);
      await settings(grace, 'account');
      await grace.getByText('grace-example', { exact: true }).first().waitFor();

      await grace.getByRole('button', { name: 'Sign out' }).click();
      await grace.getByRole('heading', { name: 'Sign in' }).waitFor();
      await grace.context().clearCookies();
      await grace.reload();
      await throughProvider(grace, 'grace');
      await seesJobs(grace);
      await grace.context().close();
    },
    LIMIT_MS,
  );

  it(
    'say so when their person turns back at the provider',
    async () => {
      const page = await newPage(browser, errors);
      await page.goto(lab.url);
      await page.getByRole('button', { name: 'Continue with House login' }).click();
      await page.waitForURL(`${provider.issuer}/**`);
      await page.getByRole('link', { name: 'Cancel' }).click();
      await page.getByText('You ended the sign-in before it was complete').waitFor();
      await page.reload();
      await page.getByRole('heading', { name: 'Sign in' }).waitFor();
      expect(await page.getByText('You ended the sign-in').count()).toBe(0);
      await page.context().close();
    },
    LIMIT_MS,
  );

  it(
    'are not called impossible by a lab that is only asked too often',
    async () => {
      const page = await newPage(browser, errors);
      const link = await invitation();
      await page.route('**/api/v1/invitations/view', (route) =>
        route.fulfill({
          status: 429,
          contentType: 'application/problem+json',
          body: JSON.stringify({
            type: 'about:blank',
            title: 'Too Many Requests',
            status: 429,
            detail: 'Too many attempts to sign in',
            errors: [{ field: 'token', message: 'Too many attempts to sign in', mend: 'Wait 7 seconds.' }],
          }),
        }),
      );
      await page.goto(link);
      await page.getByText('Too many attempts to sign in. Wait 7 seconds.').waitFor();
      await inspect(page, 'too-often');
      await page.unroute('**/api/v1/invitations/view');
      await page.getByRole('button', { name: 'Try again' }).click();
      await page.getByRole('heading', { name: 'Join default' }).waitFor();
      await page.context().close();
    },
    LIMIT_MS,
  );

  it(
    'get a new password by a link, once; browsers that were signed in are so no more',
    async () => {
      const ada = await newPage(browser, errors);
      await ada.goto(await invitation());
      await ada.getByLabel('Login').fill('ada');
      await ada.getByLabel('Name', { exact: true }).fill('Ada Lovelace');
      await ada.getByLabel('Password').fill(PASSWORD);
      await ada.getByRole('button', { name: 'Join' }).click();
      await seesJobs(ada);

      await settings(operator, 'lab');
      await operator.getByRole('button', { name: 'Make a password link for ada' }).click();
      const link = await secret(operator);
      await inspect(operator, 'password-link');
      const elsewhere = await newPage(browser, errors);
      await elsewhere.goto(link);
      await elsewhere.getByRole('heading', { name: 'Set a new password' }).waitFor();
      await elsewhere.getByText('For ada.').waitFor();
      await inspect(elsewhere, 'new-password');
      await elsewhere.getByLabel('Password').fill('short');
      await elsewhere.getByRole('button', { name: 'Set password' }).click();
      await elsewhere.locator('.field-error').waitFor();
      await elsewhere.getByLabel('Password').fill(NEW_PASSWORD);
      await elsewhere.getByRole('button', { name: 'Set password' }).click();
      await seesJobs(elsewhere);

      await ada.reload();
      await ada.getByRole('heading', { name: 'Sign in' }).waitFor();
      await signIn(ada, 'ada', PASSWORD);
      await ada.getByText('There is nobody with this login and password').waitFor();
      await signIn(ada, 'ada', NEW_PASSWORD);
      await seesJobs(ada);
      const late = await newPage(browser, errors);
      await late.goto(link);
      await late.getByText('This link lets nobody in').waitFor();
      for (const page of [ada, elsewhere, late]) await page.context().close();
    },
    LIMIT_MS,
  );

  it(
    'say why an invitation is not withdrawn, and why a browser is not signed out',
    async () => {
      const refuse = (route: Route): Promise<void> =>
        route.request().method() === 'DELETE'
          ? route.fulfill({
              status: 503,
              contentType: 'application/problem+json',
              body: JSON.stringify({ title: 'Unavailable', status: 503, detail: 'The database is away', errors: [] }),
            })
          : route.continue();
      const [ada, other] = [await newPage(browser, errors), await newPage(browser, errors)];
      for (const page of [ada, other]) {
        await signIn(page, 'ada', NEW_PASSWORD);
        await seesJobs(page);
      }
      await settings(ada, 'account');
      await ada.route('**/api/v1/me/sessions/*', refuse);
      const browsers = ada.getByRole('region', { name: 'Browsers' });
      await browsers
        .getByRole('button', { name: /^Sign out .*Chrome/ })
        .first()
        .click();
      await browsers.getByText('The database is away').waitFor();
      await inspect(ada, 'browsers');
      await Promise.all([ada, other].map((page) => page.context().close()));

      await invitation();
      await operator.route('**/api/v1/invitations/*', refuse);
      const invitations = operator.getByRole('region', { name: 'Open invitations' });
      await invitations.getByRole('button', { name: 'Withdraw the invitation for Somebody' }).first().click();
      await invitations.getByText('The database is away').waitFor();
      await operator.unroute('**/api/v1/invitations/*');
    },
    LIMIT_MS,
  );

  it(
    'are deleted by their person, who types login and password; nothing signs in to them again',
    async () => {
      const ada = await newPage(browser, errors);
      await signIn(ada, 'ada', NEW_PASSWORD);
      await seesJobs(ada);
      await settings(ada, 'account');
      const form = ada.getByRole('region', { name: 'Delete account' });
      const button = form.getByRole('button', { name: 'Delete my account' });
      expect(await button.isDisabled()).toBe(true);
      await form.getByLabel('Type “ada”').fill('ad');
      expect(await button.isDisabled()).toBe(true);
      await form.getByLabel('Type “ada”').fill('ada');
      await form.getByLabel('Your password').fill(PASSWORD);
      await button.click();
      await form.getByText('This is not your password').waitFor();
      await inspect(ada, 'delete');
      await form.getByLabel('Your password').fill(NEW_PASSWORD);
      await button.click();
      await ada.getByRole('heading', { name: 'Sign in' }).waitFor();
      await signIn(ada, 'ada', NEW_PASSWORD);
      await ada.getByText('There is nobody with this login and password').waitFor();
      await ada.context().close();
    },
    LIMIT_MS,
  );

  it(
    'without a password of the lab are deleted by their login alone',
    async () => {
      const grace = await newPage(browser, errors);
      await grace.goto(lab.url);
      await throughProvider(grace, 'grace');
      await seesJobs(grace);
      await settings(grace, 'account');
      const form = grace.getByRole('region', { name: 'Delete account' });
      await form.getByLabel('Type “grace-example”').fill('grace-example');
      expect(await form.getByLabel('Your password').count()).toBe(0);
      await form.getByRole('button', { name: 'Delete my account' }).click();
      await grace.getByRole('heading', { name: 'Sign in' }).waitFor();
      await grace.context().clearCookies();
      await grace.reload();
      await throughProvider(grace, 'grace');
      await grace.getByText('There is no account for you in this lab').waitFor();
      await grace.context().close();
    },
    LIMIT_MS,
  );

  it('break no rule of the content security policy, and throw nothing', () => {
    expect(errors).toEqual([]);
  });
});
