import { maltaGuest, MissingPrerequisite } from '@bootlab/emulator/testkit';
import type { Page } from 'playwright-core';
import { launchChromium, startLab, submitLinuxShell, waitForScreen } from '../support/lab.js';

const BOOT_LIMIT_MS = 300_000;
const ECHO_LIMIT_MS = 5_000;
/** A person types no faster; what is measured is each key's way, not a queue of keys. */
const PAUSE_MS = 60;
/** What the guest's shell prints when it waits for a command (test/guests/init starts it in /root). */
const PROMPT = /^\/root # *\n*$/m;
const LETTERS = 'abcdefghijklmnopqrstuvwxyz';

/**
 * Round trips of single key presses: browser, API, worker, guest shell and back until the terminal's text has changed.
 * Milliseconds, in the order typed. Brings a lab of its own up and down.
 * @throws MissingPrerequisite what is missing, and what to do
 */
export async function measureConsoleEcho(options: { keys: number; repositoryFolder: string }): Promise<number[]> {
  const lab = await startLab(options.repositoryFolder);
  try {
    const browser = await launchChromium().catch((error: unknown) => {
      throw new MissingPrerequisite(`Chromium does not start: ${String(error)}`, 'Run `npm run setup`.');
    });
    try {
      const page = await browser.newPage();
      await page.goto(lab.signInUrl);
      await page.getByRole('heading', { name: 'Jobs' }).waitFor(); // signed in
      await submitLinuxShell(page, lab, maltaGuest('little'), 'console echo');
      await waitForScreen(page, PROMPT, BOOT_LIMIT_MS);
      await page.locator('.terminal-host[data-uart="uart0"] textarea').focus();
      const times: number[] = [];
      for (let key = 0; key < options.keys; key++) {
        const letter = LETTERS.charAt(key % LETTERS.length);
        times.push(await pressAndAwaitEcho(page, letter));
        // A line that stays short of the terminal's width redraws nothing but the new letter.
        if (letter === 'z') await clearLine(page);
        await page.waitForTimeout(PAUSE_MS);
      }
      return times;
    } finally {
      await browser.close();
    }
  } finally {
    await lab.stop();
  }
}

/**
 * The browser itself takes both times, from the key event to the change of the terminal's text in the page. It is told
 * what to watch before the key is pressed: scripts and key events reach a page on different ways.
 */
async function pressAndAwaitEcho(page: Page, letter: string): Promise<number> {
  const watch = await page.evaluateHandle(
    ([expected, limitMs]) => {
      const rows = document.querySelector('.terminal-host[data-uart="uart0"] .xterm-rows');
      if (!rows) throw new Error('the page shows no terminal');
      const count = (): number => (rows.textContent ?? '').split(expected).length;
      const before = count();
      const echoed = new Promise<number>((resolve, reject) => {
        let pressedAt = 0;
        addEventListener('keydown', () => (pressedAt = performance.now()), { capture: true, once: true });
        const timer = setTimeout(() => reject(new Error(`no echo of "${expected}" in ${limitMs} ms`)), limitMs);
        const observer = new MutationObserver(() => {
          if (pressedAt === 0 || count() === before) return;
          observer.disconnect();
          clearTimeout(timer);
          resolve(performance.now() - pressedAt);
        });
        observer.observe(rows, { childList: true, subtree: true, characterData: true });
      });
      return { echoed };
    },
    [letter, ECHO_LIMIT_MS] as const,
  );
  await page.keyboard.press(letter);
  const ms = await watch.evaluate(({ echoed }) => echoed);
  await watch.dispose();
  return ms;
}

/** Ctrl+U empties the shell's line (busybox ash, as readline). */
async function clearLine(page: Page): Promise<void> {
  await page.keyboard.press('Control+u');
  await waitForScreen(page, PROMPT, ECHO_LIMIT_MS);
}
