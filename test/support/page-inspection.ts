// What every page has to stand: both themes, a wide screen and a phone, and axe's rules.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from '@jest/globals';
import axe from 'axe-core';
import type { Browser, Page } from 'playwright-core';

const WIDE = { width: 1360, height: 860 };
const SCREENS = { wide: WIDE, phone: { width: 390, height: 844 } };

/**
 * Photographs the page in both themes and on both screens.
 * @throws when it is wider than a screen, a phone hides what is to be pressed, or axe finds something serious
 */
export async function inspectPage(page: Page, repository: string, name: string): Promise<void> {
  const folder = join(repository, 'test-results', 'e2e');
  mkdirSync(folder, { recursive: true });
  for (const theme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme: theme, reducedMotion: 'reduce' });
    for (const [screen, viewport] of Object.entries(SCREENS)) {
      await page.setViewportSize(viewport);
      await page.screenshot({ path: join(folder, `${name}-${theme}-${screen}.png`), fullPage: true });
      // Nothing is wider than the screen but what scrolls by itself.
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      expect([name, screen, overflow]).toEqual([name, screen, 0]);
      // In light the phone is left out: its colours are those of the wide screen.
      if (theme === 'light' && screen === 'phone') continue;
      expect({ page: `${name}, ${theme}, ${screen}`, found: await violations(page) }).toMatchObject({ found: [] });
      if (screen === 'phone')
        expect({ page: name, outOfSight: await outOfSight(page) }).toMatchObject({ outOfSight: [] });
    }
    await page.setViewportSize(WIDE);
  }
  await page.emulateMedia({ colorScheme: null, reducedMotion: null });
}

/** Buttons of tables that a phone shows only to who scrolls sideways, and the tab that is shown, when it is not in view. */
function outOfSight(page: Page): Promise<string[]> {
  return page.evaluate(() =>
    [...document.querySelectorAll('.cards-on-phone button, .cards-on-phone select, .tabs [aria-current="page"]')]
      .filter((element) => {
        const { left, right } = element.getBoundingClientRect();
        return left < 0 || right > window.innerWidth;
      })
      .map((element) => element.getAttribute('aria-label') ?? element.textContent),
  );
}

/** What axe finds on the page that is serious. */
export async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axe.source); // not as a script of the page: its policy would rightly refuse that
  const found = await page.evaluate(async () => {
    const { violations: all } = await (window as unknown as { axe: typeof axe }).axe.run();
    return all.map(({ id, impact, nodes }) => ({ id, impact, where: nodes.map(({ target }) => String(target)) }));
  });
  return found
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, where }) => `${id}: ${where.join(', ')}`);
}

/** A page of a browser of its own; what it throws, and what its policy refuses, goes to `errors`. */
export async function newPage(browser: Browser, errors: string[]): Promise<Page> {
  const context = await browser.newContext({ viewport: WIDE, permissions: ['clipboard-read', 'clipboard-write'] });
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  page.on('pageerror', (error) => errors.push(error.message));
  page.on('console', (message) => {
    if (/Content.Security.Policy/i.test(message.text())) errors.push(message.text());
  });
  return page;
}
