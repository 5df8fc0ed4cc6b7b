// What others see of jobs, in real Chromium against a whole lab: badges, webhooks, files that jobs leave behind, and lists that
// change by themselves.
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { Job } from '@bootlab/lab';
import { eventually } from '@bootlab/lab/testing';
import type { Browser, Page } from 'playwright-core';
import { launchChromium, startLab, type Lab } from '../support/lab.js';
import { inspectPage, newPage } from '../support/page-inspection.js';
import { describeWith } from '../support/requirements.js';

const repository = fileURLToPath(new URL('../..', import.meta.url));
const START_LIMIT_MS = 320_000;
const LIMIT_MS = 150_000;
const SELF_TEST = { board: 'malta', images: { firmware: 'builtin:malta-selftest-el' } };

describeWith('chromium', 'what others see of jobs', () => {
  let lab: Lab;
  let browser: Browser;
  let page: Page;
  let receiver: Server;
  /** What the receiver answers next; then 204. */
  let answers: number[] = [];
  const heard: string[] = [];
  const errors: string[] = [];

  beforeAll(async () => {
    receiver = createServer((request, response) => {
      void text(request).then((body) => {
        heard.push(body);
        response.writeHead(answers.shift() ?? 204).end();
      });
    }).listen(0, '127.0.0.1');
    await once(receiver, 'listening');
    lab = await startLab(repository, { BOOTLAB_WEBHOOK_HOSTS: receiverHost() });
    browser = await launchChromium();
    page = await newPage(browser, errors);
    await page.goto(lab.signInUrl);
    await page.getByRole('heading', { name: 'Jobs', level: 1 }).waitFor();
  }, START_LIMIT_MS);

  afterAll(async () => {
    await Promise.all([browser?.close(), lab?.stop()]);
    receiver?.close();
  }, 60_000);

  const receiverHost = (): string => `127.0.0.1:${(receiver.address() as AddressInfo).port}`;
  const inspect = (name: string) => inspectPage(page, repository, `integrations-${name}`);

  async function call<T>(path: string, init: RequestInit = {}): Promise<T> {
    const token = new URL(lab.signInUrl).hash.replace('#token=', '');
    const response = await fetch(`${lab.url}/api/v1${path}`, {
      ...init,
      headers: { authorization: `Bearer ${token}`, ...init.headers },
    });
    expect([path, response.ok]).toEqual([path, true]);
    return (await response.json()) as T;
  }
  const submit = (spec: object) =>
    call<Job>('/jobs', {
      method: 'POST',
      body: JSON.stringify({ ...SELF_TEST, ...spec }),
      headers: { 'content-type': 'application/json' },
    });
  const ended = ({ id }: Job) => call<Job>(`/jobs/${id}?wait=60s`);

  it(
    'shows a badge, with Markdown to copy, and its picture is that of the newest job',
    async () => {
      await page.goto(`${lab.url}/settings/badges`);
      await page.getByRole('heading', { name: 'No badges yet' }).waitFor();
      await inspect('no-badges');
      await page.getByLabel('Label').fill('malta [next]');
      await page.getByLabel('Job name').fill('nightly');
      await page.getByLabel('Board').selectOption('malta');
      await page.getByRole('button', { name: 'Make badge' }).click();
      const markdown = page.getByLabel('Markdown');
      await markdown.waitFor();
      await page.getByRole('button', { name: 'Copy Markdown' }).click();
      const copied = await page.evaluate(() => navigator.clipboard.readText());
      const [, label, picture = '', jobs = ''] = /^\[!\[(.*)\]\((.*)\)\]\((.*)\)$/.exec(copied) ?? [];
      expect([label, jobs]).toEqual(['malta \\[next\\]', `${lab.url}/jobs?name=nightly&board=malta`]);
      expect(await (await fetch(picture)).text()).toContain('no job yet');
      await ended(await submit({ name: 'nightly' }));
      expect(await (await fetch(picture)).text()).toContain('passed');
      await page.reload();
      await page.locator('.badge-item img').waitFor();
      expect(
        await page.locator('.badge-item img').evaluate((img: HTMLImageElement) => img.naturalWidth),
      ).toBeGreaterThan(20);
      await inspect('badges');
      await page.getByRole('button', { name: 'Delete the badge malta [next]' }).click();
      await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
      await page.getByRole('heading', { name: 'No badges yet' }).waitFor();
      expect((await fetch(picture)).status).toBe(404);
    },
    LIMIT_MS,
  );

  it(
    'makes a webhook whose key is shown once, and shows what it was sent, and sends it again',
    async () => {
      await page.goto(`${lab.url}/settings/webhooks`);
      await page.getByRole('heading', { name: 'No webhooks yet' }).waitFor();
      await page.getByLabel('Address').fill('ftp://example.org');
      await page.getByRole('button', { name: 'Make webhook' }).click();
      await page.locator('.field-error').first().waitFor();
      const url = `http://${receiverHost()}/hook`;
      await page.getByLabel('Address').fill(url);
      await page.getByRole('button', { name: 'Make webhook' }).click();
      const key = (await page.getByTestId('secret').innerText()).trim();
      expect(key.length).toBeGreaterThan(20);
      await inspect('webhook-made');
      await page.reload();
      await page.getByText(url).first().waitFor();
      expect(await page.content()).not.toContain(key);
      await page.getByRole('button', { name: `Log of ${url}` }).click();
      await page.getByRole('heading', { name: 'Nothing sent yet' }).waitFor();
      answers = [500];
      await ended(await submit({ name: 'told' }));
      await page.getByText('HTTP 500').waitFor({ timeout: 20_000 });
      await page.getByText('Delivered').waitFor({ timeout: 20_000 });
      expect(heard).toHaveLength(2);
      await page.locator('.delivery summary').click();
      await page.getByText('2 attempts').waitFor();
      await inspect('webhook-log');
      await page.getByRole('button', { name: 'Send it again' }).click();
      await eventually(() => heard.length === 3, 'the message once more');
      await page.getByRole('button', { name: 'Send a test' }).click();
      await page.getByText('ping', { exact: true }).waitFor();
      await page.getByRole('button', { name: `Switch off ${url}` }).click();
      await page.getByText('switched off').waitFor();
      await page.getByRole('button', { name: `Delete ${url}` }).click();
      await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
      await page.getByRole('heading', { name: 'No webhooks yet' }).waitFor();
    },
    LIMIT_MS,
  );

  it(
    'shows the files that a job left, which the browser saves, and what is missing',
    async () => {
      const form = new FormData();
      const drives = ['upload:disk'];
      const spec = { ...SELF_TEST, name: 'with a disk', images: { ...SELF_TEST.images, drives } };
      form.set('spec', JSON.stringify({ ...spec, artifacts: [{ disk: 'sda', as: 'output.img' }] }));
      form.set('disk', new Blob([Buffer.alloc(64 * 1024, 'disk')]), 'disk.img');
      const job = await ended(await call<Job>('/jobs', { method: 'POST', body: form }));
      await page.goto(`${lab.url}/jobs/${job.id}/files`);
      const saved = page.waitForEvent('download');
      await page.getByRole('link', { name: 'output.img' }).click();
      const download = await saved;
      expect(download.suggestedFilename()).toBe('output.img');
      expect(readFileSync(await download.path()).equals(Buffer.alloc(64 * 1024, 'disk'))).toBe(true);
      await inspect('files');
      await page.getByRole('button', { name: 'Delete output.img' }).click();
      await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
      await page.getByText('Not there: It was deleted by a maintainer').waitFor();
      await inspect('files-gone');
    },
    LIMIT_MS,
  );

  it(
    'shows a new job, and its end, within a second and without asking all the time',
    async () => {
      await page.goto(`${lab.url}/jobs`);
      await page.getByRole('link', { name: 'with a disk' }).first().waitFor();
      await page.waitForTimeout(1500);
      let asked = 0;
      page.on('request', (request) => (asked += /\/api\/v1\/jobs\?/.test(request.url()) ? 1 : 0));
      await page.waitForTimeout(6000);
      expect(asked).toBe(0);
      const submittedAt = performance.now();
      const job = await submit({ name: 'seen at once' });
      await page.getByRole('link', { name: 'seen at once' }).first().waitFor();
      expect(performance.now() - submittedAt).toBeLessThan(1500); // the submission itself is in it
      await ended(job);
      const endedAt = performance.now();
      await page.locator('tr', { hasText: 'seen at once' }).getByText('Passed').waitFor();
      expect(performance.now() - endedAt).toBeLessThan(1500);
    },
    LIMIT_MS,
  );

  it(
    'asks by itself while the stream of events is down',
    async () => {
      await page.route('**/api/v1/events*', (route) => route.abort());
      await page.reload();
      await page.getByRole('link', { name: 'seen at once' }).first().waitFor();
      await submit({ name: 'seen without a stream' });
      await page.getByRole('link', { name: 'seen without a stream' }).first().waitFor({ timeout: 5000 });
      await page.unroute('**/api/v1/events*');
    },
    LIMIT_MS,
  );

  it('breaks no rule of the content security policy, and throws nothing', () => {
    expect(errors).toEqual([]);
  });
});
