// The web page without a mouse, in real Chromium against a whole lab: everything that a job needs is reached with Tab, is seen
// where it has the focus, and does what its keys say.
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { Job } from '@bootlab/lab';
import type { Browser, Locator, Page, Route } from 'playwright-core';
import { ECHO } from '../support/echo-guest.js';
import { Keyboard } from '../support/keyboard.js';
import { launchChromium, startLab, waitForScreen, type Lab } from '../support/lab.js';
import { newPage } from '../support/page-inspection.js';
import { describeWith } from '../support/requirements.js';

const repository = fileURLToPath(new URL('../..', import.meta.url));
const START_LIMIT_MS = 320_000;
const LIMIT_MS = 120_000;
const SCREEN_LIMIT_MS = 30_000;

describeWith('chromium', 'by keyboard alone', () => {
  let lab: Lab;
  let browser: Browser;
  let page: Page;
  let keyboard: Keyboard;
  const errors: string[] = [];

  beforeAll(async () => {
    lab = await startLab(repository);
    browser = await launchChromium();
    page = await newPage(browser, errors);
    keyboard = new Keyboard(page);
    // Choosers are intercepted from the first listener on, but not at once: a key may be faster than that.
    page.on('filechooser', () => undefined);
    await page.goto(lab.signInUrl);
    await page.getByRole('heading', { name: 'Jobs', level: 1 }).waitFor();
  }, START_LIMIT_MS);
  afterAll(() => Promise.all([browser?.close(), lab?.stop()]), 60_000);

  const link = (name: string | RegExp): Locator => page.getByRole('link', { name, exact: true });
  const button = (name: string): Locator => page.getByRole('button', { name, exact: true });
  const typed = (): Locator => page.locator('.terminal-host:not([hidden]) textarea');
  const status = (text: string): Promise<void> =>
    page.getByRole('status', { name: 'Job status' }).getByText(text).waitFor({ timeout: LIMIT_MS });

  const file = (name: string) => ({ name, mimeType: 'application/octet-stream', buffer: Buffer.from(name) });

  it(
    'fills in the form, and is led to the field that is wrong',
    async () => {
      await keyboard.tabTo(link('New job'));
      await keyboard.press('Enter');
      const preset = page.getByRole('button', { name: /^Interactive Linux shell/ });
      await preset.waitFor();
      await keyboard.tabTo(preset);
      await keyboard.press('Space');
      const kernel = page.getByRole('group', { name: 'Kernel', exact: true });
      await keyboard.tabTo(kernel.locator('input[type=file]'));
      const chooser = page.waitForEvent('filechooser');
      await keyboard.press('Space');
      await (await chooser).setFiles({ name: 'echo.elf', mimeType: 'application/x-elf', buffer: Buffer.from(ECHO) });
      await keyboard.arrivesAt(button('Remove echo.elf'));
      // What is added is reached, and when it is removed the keyboard is not lost with it.
      for (const [add, remove] of [
        ['Add a drive', 'Remove drive 1'],
        ['Wait for text', 'Remove step 1'],
      ] as const) {
        await keyboard.tabTo(button(add));
        await keyboard.press('Enter');
        await keyboard.tabTo(button(remove), 'Shift+Tab');
        await keyboard.press('Enter');
        await keyboard.arrivesAt(button(add));
      }
      await keyboard.tabTo(page.getByRole('radio', { name: 'Wall' }), 'Shift+Tab');
      await keyboard.tabTo(page.getByLabel('Time-out'));
      await keyboard.type('soon');
      await keyboard.tabTo(page.getByLabel('Name'));
      await keyboard.type('by keyboard');
      await keyboard.tabTo(button('Start job'));
      await keyboard.press('Enter');
      const initrd = page.getByRole('group', { name: 'Initrd', exact: true });
      await keyboard.arrivesAt(initrd.locator('input[type=file]')); // the preset wants one
      await keyboard.tabTo(initrd.getByRole('radio', { name: 'Upload' }), 'Shift+Tab');
      await keyboard.press('ArrowLeft');
      await keyboard.arrivesAt(initrd.getByRole('radio', { name: 'None' }));
      await keyboard.press('Enter');
      await keyboard.arrivesAt(page.getByLabel('Time-out'));
      await keyboard.press('Control+A');
      await keyboard.type('10m');
      await keyboard.press('Enter'); // starts the job from any field
      await page.waitForURL(/\/jobs\/[0-9a-f-]{36}$/);
    },
    LIMIT_MS,
  );

  it(
    'types into the console, Tab included, and gets out of it',
    async () => {
      await keyboard.arrivesAt(typed());
      await waitForScreen(page, /^>/, SCREEN_LIMIT_MS);
      await keyboard.type('hello\t');
      await keyboard.type('there');
      await waitForScreen(page, /^>hello +there/, SCREEN_LIMIT_MS);
      await keyboard.press('Control+F6');
      await keyboard.arrivesAt(button('Tell the guest this size'));
      await keyboard.tabTo(typed());
      await keyboard.press('Control+F6');
    },
    LIMIT_MS,
  );

  it(
    'goes through the parts of the job',
    async () => {
      for (const part of ['Definition', 'Log', 'Console']) {
        await keyboard.tabTo(
          page.getByRole('navigation', { name: 'Parts of the job' }).getByRole('link', { name: part }),
          'Shift+Tab',
        );
        await keyboard.press('Enter');
        if (part !== 'Console')
          await page.getByRole('link', { name: part }).and(page.locator('[aria-current="page"]')).waitFor();
      }
      await keyboard.arrivesAt(typed());
    },
    LIMIT_MS,
  );

  it(
    'cancels the job, and is not lost when it has ended',
    async () => {
      await keyboard.press('Control+F6');
      await keyboard.tabTo(button('Cancel job'), 'Shift+Tab');
      await keyboard.press('Enter');
      const dialog = page.getByRole('dialog');
      await keyboard.arrivesAt(dialog.getByRole('button', { name: 'Keep it running' }));
      await keyboard.press('Escape');
      await keyboard.arrivesAt(button('Cancel job'));
      await keyboard.press('Enter');
      await keyboard.tabTo(dialog.getByRole('button', { name: 'Cancel job' }));
      await keyboard.press('Enter');
      await status('Cancelled');
      await keyboard.arrivesAt(page.getByRole('heading', { name: 'by keyboard', level: 1 }));
      await keyboard.tabTo(typed());
      await keyboard.press('Tab'); // goes to no guest any more
      expect(await keyboard.isFocused(typed())).toBe(false);
    },
    LIMIT_MS,
  );

  it(
    'opens a job from the list',
    async () => {
      await keyboard.tabTo(
        page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Jobs' }),
        'Shift+Tab',
      );
      await keyboard.press('Enter');
      await page.waitForURL(/\/jobs$/);
      await keyboard.tabTo(link('by keyboard'));
      await keyboard.press('Enter');
      await page.getByRole('heading', { name: 'by keyboard', level: 1 }).waitFor();
      expect(errors).toEqual([]);
    },
    LIMIT_MS,
  );

  it(
    'writes a job as text, and starts it',
    async () => {
      await keyboard.tabTo(link('New job'));
      await keyboard.press('Enter');
      await link('YAML').waitFor();
      await keyboard.tabTo(link('YAML'));
      await keyboard.press('Enter');
      const editor = page.getByRole('textbox', { name: 'Job file, YAML' });
      await editor.waitFor();
      await keyboard.tabTo(editor);
      await keyboard.press('Control+Home');
      await keyboard.type('cpu: 24Kf\n');
      await page.getByText('The lab takes this job.').waitFor();
      await keyboard.tabTo(button('Start job'));
      await keyboard.press('Enter');
      await page.waitForURL(/\/jobs\/[0-9a-f-]{36}$/);
      await status('Passed');
      expect(errors).toEqual([]);
    },
    LIMIT_MS,
  );

  it(
    'reaches everything in the form for programs',
    async () => {
      await page.goto(`${lab.url}/submit?as=program`);
      await button('Start job').waitFor();
      await keyboard.tabTo(page.getByLabel('Arguments'));
      await keyboard.type('-c');
      await keyboard.tabTo(page.getByLabel('Test results'));
      await keyboard.tabTo(button('Start job'));
      await keyboard.press('Enter');
      await keyboard.arrivesAt(
        page.getByRole('group', { name: 'Program', exact: true }).locator('[aria-invalid="true"]'),
      );
    },
    LIMIT_MS,
  );

  it(
    'is not lost with the row of what it removes',
    async () => {
      await page.goto(`${lab.url}/settings/tokens`);
      const revoke = page.getByRole('button', { name: /^Revoke / });
      const dialog = page.getByRole('dialog');
      for (const name of ['one', 'two']) {
        await keyboard.tabTo(page.getByLabel('Name'), name === 'one' ? 'Tab' : 'Shift+Tab');
        await keyboard.type(name);
        await keyboard.press('Enter');
        await button(`Revoke ${name}`).waitFor();
      }
      // Each time the next one has it; the last is the token that this page is signed in with.
      await keyboard.tabTo(revoke.first());
      for (let left = await revoke.count(); left > 1; left--) {
        const next = (await revoke.nth(1).getAttribute('aria-label')) ?? '';
        await keyboard.press('Enter');
        await keyboard.arrivesAt(dialog.getByRole('button', { name: 'Keep it' }));
        await keyboard.tabTo(dialog.getByRole('button', { name: 'Revoke' }));
        await keyboard.press('Enter');
        await keyboard.arrivesAt(button(next));
        expect(await revoke.count()).toBe(left - 1);
      }
      // Other words take the place of the last row, or nothing does.
      await page.goto(`${lab.url}/settings/badges`);
      await keyboard.tabTo(page.getByLabel('Label'));
      await keyboard.press('Enter');
      await keyboard.tabTo(button('Delete the badge boot'));
      await keyboard.press('Enter');
      await keyboard.tabTo(dialog.getByRole('button', { name: 'Delete' }));
      await keyboard.press('Enter');
      await keyboard.arrivesAt(page.getByRole('heading', { name: 'Badges', exact: true }));
      await page.goto(`${lab.url}/settings/members`);
      await keyboard.tabTo(page.getByLabel('For whom'));
      await keyboard.type('Ada');
      await keyboard.press('Enter');
      await keyboard.tabTo(button('Withdraw the invitation for Ada'));
      await keyboard.press('Enter');
      await keyboard.arrivesAt(page.getByRole('heading', { name: 'Settings', level: 1 }));
      expect(errors).toEqual([]);
    },
    LIMIT_MS,
  );

  it(
    'is not lost with a file that it takes from a job as text',
    async () => {
      await page.goto(`${lab.url}/submit?as=yaml`);
      await page.getByLabel(/^Add files/).setInputFiles(['a', 'b', 'c'].map(file));
      await keyboard.tabTo(button('Remove b'));
      for (const next of ['c', 'a']) {
        await keyboard.press('Enter'); // the one below, and in the last row the one above
        await keyboard.arrivesAt(button(`Remove ${next}`));
      }
      await keyboard.press('Enter');
      await keyboard.arrivesAt(page.getByRole('heading', { name: 'Files', exact: true }));
    },
    LIMIT_MS,
  );

  it(
    'is not lost with an image on its way into the library',
    async () => {
      await page.goto(`${lab.url}/images`);
      const held: Route[] = [];
      await page.route('**/*', (route) =>
        route.request().method() === 'PATCH' ? void held.push(route) : route.continue(),
      );
      const upload = page.getByLabel(/^Upload images/);
      await upload.setInputFiles(file('slow.img'));
      await keyboard.tabTo(button('Pause slow.img'));
      await keyboard.press('Enter');
      await keyboard.arrivesAt(button('Go on with slow.img'));
      await keyboard.press('Enter');
      await keyboard.arrivesAt(button('Pause slow.img'));
      await page.unroute('**/*');
      for (const route of held) await route.continue().catch(() => undefined); // the first is given up by the page
      await keyboard.arrivesAt(button('Dismiss slow.img'));
      await upload.setInputFiles(file('second.img'));
      await keyboard.press('Enter');
      await keyboard.arrivesAt(button('Dismiss second.img'));
      await keyboard.press('Enter');
      await keyboard.arrivesAt(page.getByRole('heading', { name: 'Images', level: 1 }));
      expect(errors).toEqual([]);
    },
    LIMIT_MS,
  );

  it(
    'is not lost with a file of a job that it deletes',
    async () => {
      const id = await jobWithFiles(['a.img', 'b.img']);
      await page.goto(`${lab.url}/jobs/${id}/files`);
      await button('Delete a.img').waitFor();
      await keyboard.tabTo(button('Delete a.img'));
      const remove = async (): Promise<void> => {
        await keyboard.press('Enter');
        await keyboard.tabTo(page.getByRole('dialog').getByRole('button', { name: 'Delete' }));
        await keyboard.press('Enter');
      };
      await remove();
      await keyboard.arrivesAt(button('Delete b.img'));
      await remove();
      // Their rows stay, and say what became of them.
      await page.getByText('Not there: It was deleted by a maintainer').nth(1).waitFor();
      await keyboard.arrivesAt(page.getByRole('heading', { name: 'with files', level: 1 }));
      expect(errors).toEqual([]);
    },
    LIMIT_MS,
  );

  /** A job that has ended, and has left these. @returns its id */
  async function jobWithFiles(names: readonly string[]): Promise<string> {
    const form = new FormData();
    const spec = {
      name: 'with files',
      board: 'malta',
      images: { firmware: 'builtin:malta-selftest-el', drives: names.map((name) => `upload:${name}`) },
      artifacts: names.map((as, drive) => ({ drive, as })),
    };
    form.set('spec', JSON.stringify(spec));
    for (const name of names) form.set(name, new Blob([Buffer.alloc(64 * 1024, name)]), name);
    const headers = { authorization: `Bearer ${new URL(lab.signInUrl).hash.replace('#token=', '')}` };
    const ask = async (path: string, init: RequestInit = {}): Promise<Job> =>
      (await (await fetch(`${lab.url}/api/v1/jobs${path}`, { ...init, headers })).json()) as Job;
    const { id } = await ask('', { method: 'POST', body: form });
    expect(await ask(`/${id}?wait=60s`)).toMatchObject({ state: 'ended', artifacts: names.map((name) => ({ name })) });
    return id;
  }
});
