// A person who has no mouse: what can be reached with Tab, whether it is seen there, and what keys do.
import type { Locator, Page } from 'playwright-core';

/** More stops than any page here has. */
const MOST_STOPS = 60;

/** What has the focus, in words; and why a person could not see that, where it cannot be seen. */
interface Focused {
  readonly what: string;
  readonly unseen: string | undefined;
}

export class Keyboard {
  constructor(private readonly page: Page) {}

  async press(key: string): Promise<void> {
    await this.page.keyboard.press(key);
  }

  async type(text: string): Promise<void> {
    await this.page.keyboard.type(text);
  }

  /**
   * Presses Tab until an element has the focus.
   * @throws when it is never reached, or when somewhere on the way nobody could see where the focus is
   */
  async tabTo(target: Locator, key: 'Tab' | 'Shift+Tab' = 'Tab'): Promise<void> {
    const way: string[] = [];
    for (let stop = 0; stop < MOST_STOPS; stop++) {
      await this.press(key);
      const { what, unseen } = await this.focused();
      way.push(what);
      if (unseen !== undefined) throw new Error(`the focus cannot be seen on ${what}: ${unseen}`);
      if (await this.isFocused(target)) return;
    }
    throw new Error(`${String(target)} is not reached with ${key}; the way was ${way.join(' → ')}`);
  }

  async isFocused(target: Locator): Promise<boolean> {
    const [element] = await target.all();
    return (await element?.evaluate((node) => node === document.activeElement)) ?? false;
  }

  /** Waits until an element has the focus, which it gets without Tab. @throws when it cannot be seen there */
  async arrivesAt(target: Locator): Promise<void> {
    await target.waitFor({ state: 'attached' });
    const deadline = Date.now() + 10_000;
    while (!(await this.isFocused(target))) {
      if (Date.now() > deadline)
        throw new Error(`the focus is not on ${String(target)}, ${(await this.focused()).what} has it`);
      await this.page.waitForTimeout(20);
    }
    const { what, unseen } = await this.focused();
    if (unseen !== undefined) throw new Error(`the focus cannot be seen on ${what}: ${unseen}`);
  }

  focused(): Promise<Focused> {
    return this.page.evaluate(() => {
      const element = document.activeElement;
      // After the last stop the browser's own controls would come.
      if (!element || element === document.body) return { what: 'the page', unseen: undefined };
      const words = element.getAttribute('aria-label') ?? element.textContent.trim().slice(0, 40);
      const what = `${element.tagName.toLowerCase()} "${words || element.id || element.className}"`;
      // What is marked may be the control itself, what stands for a hidden one, or what it is in.
      const marks = [element, element.nextElementSibling];
      for (let around = element.parentElement; around && around !== document.body; around = around.parentElement)
        marks.push(around);
      const mark = marks.find((candidate) => {
        if (!candidate) return false;
        const { outlineStyle, outlineWidth, outlineColor } = getComputedStyle(candidate);
        const transparent = /^rgba\(.*, 0\)$/.test(outlineColor);
        const { width, height } = candidate.getBoundingClientRect();
        return outlineStyle !== 'none' && parseFloat(outlineWidth) >= 1 && !transparent && width > 8 && height > 8;
      });
      if (!mark) return { what, unseen: 'it has no outline' };
      const { left, top, right, bottom } = mark.getBoundingClientRect();
      const [x, y] = [
        (Math.max(left, 0) + Math.min(right, innerWidth)) / 2,
        (Math.max(top, 0) + Math.min(bottom, innerHeight)) / 2,
      ];
      if (right <= 0 || bottom <= 0 || left >= innerWidth || top >= innerHeight)
        return { what, unseen: 'it is out of view' };
      const over = document.elementFromPoint(x, y);
      const covered = over && !mark.contains(over) && !over.contains(mark) && !mark.parentElement?.contains(over);
      return { what, unseen: covered ? `it is covered by ${over.tagName} ${over.className}` : undefined };
    });
  }
}
