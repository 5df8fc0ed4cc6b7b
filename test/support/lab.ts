// A whole lab of one's own, as `npm start` makes it, and a real browser to use it with.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type Browser, type Page } from 'playwright-core';

export interface Lab {
  /** Without a slash at its end. */
  url: string;
  /** The link that `npm start` prints: opens the web page signed in. */
  signInUrl: string;
  /** Everything the lab has printed so far. */
  output(): string;
  stop(): Promise<void>;
}

/** A first start builds what is not built yet. */
const START_LIMIT_MS = 300_000;
const STOP_LIMIT_MS = 20_000;
const SIGN_IN_LINK = /(http:\/\/\S+)\/#token=\S+/;

/**
 * Starts a lab with an empty data folder on a free port.
 * @param repository the folder with package.json
 * @param environment further variables; a function is given the lab's address
 */
export async function startLab(
  repository: string,
  environment: Record<string, string> | ((url: string) => Record<string, string>) = {},
): Promise<Lab> {
  const dataFolder = await mkdtemp(join(tmpdir(), 'bootlab-lab-'));
  const port = await freePort();
  const env = {
    ...process.env,
    BOOTLAB_DATA: dataFolder,
    PORT: String(port),
    // The lab is to bring everything itself, and its Node must not inherit the test runner's options.
    DATABASE_URL: undefined,
    REDIS_URL: undefined,
    BLOB_URL: undefined,
    NODE_OPTIONS: undefined,
    ...(typeof environment === 'function' ? environment(`http://127.0.0.1:${port}`) : environment),
  };
  // What `npm run` would use: the Node that came with the dependencies.
  const ownNode = join(repository, 'node_modules', '.bin', 'node');
  const lab = spawn(existsSync(ownNode) ? ownNode : process.execPath, [join(repository, 'scripts', 'start.mjs')], {
    cwd: repository,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [lab.stdout, lab.stderr]) stream.on('data', (data: Buffer) => (output += data.toString()));
  const stop = async (): Promise<void> => {
    await end(lab);
    await rm(dataFolder, { recursive: true, force: true });
  };
  const deadline = Date.now() + START_LIMIT_MS;
  for (;;) {
    const [signInUrl, url] = SIGN_IN_LINK.exec(output) ?? [];
    if (signInUrl !== undefined && url !== undefined) return { url, signInUrl, output: () => output, stop };
    if (lab.exitCode !== null || Date.now() > deadline) {
      await stop();
      throw new Error(`the lab did not start:\n${output}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGINT');
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_LIMIT_MS);
  await exited;
  clearTimeout(timer);
}

/** A TCP port of 127.0.0.1 that nobody listens on at present. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('a TCP server has no port');
  server.close();
  await once(server, 'close');
  return address.port;
}

/** Debian's Chromium; as root and in containers it has no sandbox of its own. */
export async function launchChromium(): Promise<Browser> {
  return chromium.launch({
    executablePath: process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium',
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--no-first-run',
    ],
  });
}

/** Submits the Linux guest through the form, as a person would; the page then shows the job. */
export async function submitLinuxShell(
  page: Page,
  lab: Lab,
  guest: { kernel: string; initrd: string },
  name: string,
): Promise<void> {
  await page.goto(`${lab.url}/submit`);
  await page.getByRole('button', { name: 'Interactive Linux shell' }).click();
  for (const [role, file] of [
    ['Kernel', guest.kernel],
    ['Initrd', guest.initrd],
  ] as const) {
    const field = page.getByRole('group', { name: role, exact: true });
    await field.locator('input[type=file]').setInputFiles(file);
  }
  await page.getByLabel('Kernel command line').fill('console=ttyS0 corpus=shell');
  await page.getByLabel('Name').fill(name);
  await page.getByRole('button', { name: 'Start job' }).click();
  await page.waitForURL(/\/jobs\/[0-9a-f-]{36}$/);
}

/** The rows that a console's terminal shows now. */
export async function screenText(page: Page, uart = 'uart0'): Promise<string> {
  const rows = page.locator(`.terminal-host[data-uart="${uart}"] .xterm-rows > div`);
  const texts = await rows.allInnerTexts();
  return texts.map((text) => text.replaceAll('\u00a0', ' ').trimEnd()).join('\n');
}

/** Waits until a console shows the pattern. @throws Error with what it shows instead */
export async function waitForScreen(page: Page, pattern: RegExp, limitMs: number, uart = 'uart0'): Promise<string> {
  const deadline = Date.now() + limitMs;
  for (;;) {
    const text = await screenText(page, uart);
    if (pattern.test(text)) return text;
    if (Date.now() > deadline)
      throw new Error(`after ${limitMs} ms ${uart} does not show ${String(pattern)}:\n${text}`);
    await page.waitForTimeout(50);
  }
}
