// The image library in real Chromium against a whole lab: uploads that pause and survive a reload, imports, deletion.
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { Browser, Locator, Page } from 'playwright-core';
import { launchChromium, startLab, type Lab } from '../support/lab.js';
import { newPage } from '../support/page-inspection.js';
import { describeWith } from '../support/requirements.js';

const repository = fileURLToPath(new URL('../..', import.meta.url));
const START_LIMIT_MS = 320_000;
const LIMIT_MS = 90_000;
const FILE_BYTES = 3_000_000;
/** Slow enough to meet an upload in the middle. */
const SLOW_BYTES_PER_SECOND = 400_000;

describeWith('chromium', 'the image library', () => {
  let lab: Lab;
  let browser: Browser;
  let page: Page;
  let folder: string;
  let files: Server;
  const errors: string[] = [];

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'bootlab-images-'));
    files = createServer((request, response) => {
      if (request.url === '/initrd.gz') response.end(gzipSync('070701 an archive'));
      else response.writeHead(404).end();
    }).listen(0, '127.0.0.1');
    await once(files, 'listening');
    process.env['BOOTLAB_IMPORT_HOSTS'] = 'localhost';
    lab = await startLab(repository);
    browser = await launchChromium();
    page = await newPage(browser, errors);
    await page.goto(lab.signInUrl);
    await page.getByRole('heading', { name: 'Jobs', level: 1 }).waitFor();
    await page.goto(`${lab.url}/images`);
  }, START_LIMIT_MS);

  afterAll(async () => {
    files?.close();
    await Promise.all([browser?.close(), lab?.stop()]);
    rmSync(folder, { recursive: true, force: true });
  }, 60_000);

  const file = (name: string, bytes: Buffer): string => {
    const path = join(folder, name);
    writeFileSync(path, bytes);
    return path;
  };
  const transfers = (): Locator => page.getByRole('list', { name: 'Files on their way' });
  const transfer = (name: string): Locator => transfers().getByRole('listitem').filter({ hasText: name });
  const row = (name: string): Locator => page.getByRole('row').filter({ hasText: name });
  const choose = (path: string | string[]) => page.getByLabel(/^Upload images/).setInputFiles(path);
  const percent = async (name: string): Promise<number> =>
    Number(await transfer(name).getByRole('progressbar').getAttribute('aria-valuenow'));

  async function photograph(name: string): Promise<void> {
    const target = join(repository, 'test-results', 'e2e');
    mkdirSync(target, { recursive: true });
    await page.screenshot({ path: join(target, `${name}.png`), fullPage: true });
  }

  /** The line of the page; 0 is as fast as it goes. */
  async function slowDown(uploadThroughput: number): Promise<void> {
    const session = await page.context().newCDPSession(page);
    await session.send('Network.enable');
    const throughput = uploadThroughput === 0 ? -1 : uploadThroughput;
    await session.send('Network.emulateNetworkConditions', {
      offline: false,
      latency: 0,
      downloadThroughput: -1,
      uploadThroughput: throughput,
    });
  }

  async function until(condition: () => Promise<boolean>, what: string): Promise<void> {
    const deadline = Date.now() + 30_000;
    while (!(await condition())) {
      if (Date.now() > deadline) throw new Error(`waited in vain for ${what}`);
      await page.waitForTimeout(50);
    }
  }

  it(
    'stores a file and shows it',
    async () => {
      await choose(file('small.img', randomBytes(1000)));
      await transfer('small.img').getByText('Stored').waitFor();
      await row('small.img').waitFor();
      await transfer('small.img').getByRole('button', { name: 'Dismiss small.img' }).click();
      await transfers().waitFor({ state: 'hidden' });
    },
    LIMIT_MS,
  );

  it(
    'pauses an upload, goes on with it, and goes on after a reload',
    async () => {
      await slowDown(SLOW_BYTES_PER_SECOND);
      const path = file('disk.img', randomBytes(FILE_BYTES));
      await choose([path, file('second.img', randomBytes(500))]);
      await transfer('second.img').getByText('Waits for its turn').waitFor();
      await until(async () => (await percent('disk.img')) >= 10, 'a part of the upload');
      await photograph('images-uploading');
      await page.getByRole('button', { name: 'Pause disk.img' }).click();
      await transfer('disk.img').getByText('Paused').waitFor();
      await transfer('second.img').getByText('Stored').waitFor(); // the line is free for it
      await page.getByRole('button', { name: 'Go on with disk.img' }).click();
      await until(async () => (await percent('disk.img')) >= 40, 'more of the upload');

      page.once('dialog', (dialog) => void dialog.accept()); // "leave the page?"
      await page.reload();
      await transfer('disk.img').getByText('Choose the same file to go on').waitFor();
      await photograph('images-interrupted');
      await page.getByLabel('The file disk.img').setInputFiles(file('other.img', randomBytes(10)));
      await transfer('disk.img').getByText('That is another file.').waitFor();
      await slowDown(0);
      const patches: number[] = [];
      page.on('request', (request) => {
        if (request.method() === 'PATCH') patches.push(Number(request.headers()['upload-offset']));
      });
      await page.getByLabel('The file disk.img').setInputFiles(path);
      await transfer('disk.img').getByText('Stored').waitFor();
      expect(patches[0]).toBeGreaterThan(FILE_BYTES / 4); // not from the beginning
      await row('disk.img').waitFor();
    },
    LIMIT_MS,
  );

  it(
    'imports from an address, unpacks, and says why an import failed',
    async () => {
      const { port } = files.address() as AddressInfo;
      await page.getByLabel('Unpack compressed files').check();
      const url = page.getByLabel('Import from a URL', { exact: true });
      await url.fill(`http://localhost:${port}/initrd.gz`);
      await page.getByRole('button', { name: 'Import' }).click();
      await row('initrd').getByText('cpio').first().waitFor();
      await url.fill('http://169.254.169.254/latest/meta-data/');
      await page.getByRole('button', { name: 'Import' }).click();
      await transfer('meta-data').getByText('not on the public internet').waitFor();
      await url.fill('nonsense');
      await page.getByRole('button', { name: 'Import' }).click();
      await page.getByText('is no address').waitFor();
      await photograph('images-library');
      await page.setViewportSize({ width: 390, height: 844 });
      await photograph('images-library-phone');
      await page.setViewportSize({ width: 1360, height: 860 });
    },
    LIMIT_MS,
  );

  it(
    'shows where an image comes from, keeps it, gives it back and deletes it',
    async () => {
      await row('initrd').getByRole('link').first().click();
      await page.getByText(/Imported from .*unpacked from initrd\.gz/).waitFor();
      await page.getByRole('button', { name: 'Keep', exact: true }).click();
      await page.getByText('kept for good').waitFor();
      const download = page.waitForEvent('download');
      await page.getByRole('button', { name: 'Download' }).click();
      expect((await download).suggestedFilename()).toBe('initrd');
      await photograph('images-details');
      await page.getByRole('button', { name: 'Delete' }).click();
      const dialog = page.getByRole('dialog', { name: 'Delete initrd?' });
      await dialog.waitFor();
      await photograph('images-delete');
      await dialog.getByRole('button', { name: 'Delete', exact: true }).click();
      await page.getByRole('heading', { name: 'Images', level: 1 }).waitFor();
      await row('initrd').waitFor({ state: 'detached' });
      expect(errors).toEqual([]);
    },
    LIMIT_MS,
  );
});
