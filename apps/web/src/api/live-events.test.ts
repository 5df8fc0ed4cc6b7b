import { afterEach, beforeEach, expect, it, jest } from '@jest/globals';
import { LiveEvents, type Source } from './live-events.js';

class FakeSource implements Source {
  readyState = 0;
  onopen: ((event: Event) => void) | null = null;
  onerror: ((event: Event) => void) | null = null;
  closed = false;
  private job: () => void = () => undefined;

  addEventListener(type: string, listener: () => void): void {
    if (type === 'job') this.job = listener;
  }
  close(): void {
    this.closed = true;
  }
  opens(): void {
    this.readyState = 1;
    this.onopen?.(new Event('open'));
  }
  /** The line breaks; the browser tries again by itself, or gives up. */
  breaks(forGood = false): void {
    this.readyState = forGood ? 2 : 0;
    this.onerror?.(new Event('error'));
  }
  happens(): void {
    this.job();
  }
}

let sources: FakeSource[];
let changes: number;
let live: LiveEvents;
beforeEach(() => {
  jest.useFakeTimers();
  sources = [];
  changes = 0;
  live = new LiveEvents({
    openSource: () => {
      const source = new FakeSource();
      sources.push(source);
      return source;
    },
    onChange: () => changes++,
  });
});
afterEach(() => {
  live.close();
  jest.useRealTimers();
});
const source = () => sources.at(-1) ?? new FakeSource();

it('tells of a change at once, and of many as of few', () => {
  live.open();
  expect(live.live).toBe(false);
  source().opens();
  expect(live.live).toBe(true);
  jest.advanceTimersByTime(1);
  expect(changes).toBe(1); // something may have happened before
  for (let i = 0; i < 100; i++) {
    source().happens();
    jest.advanceTimersByTime(10);
  }
  jest.advanceTimersByTime(500);
  expect(changes).toBe(3);
});

it('says when it is down, and has the lists asked for once it is back', () => {
  const states: boolean[] = [];
  live.subscribe(() => states.push(live.live));
  live.open();
  source().opens();
  jest.advanceTimersByTime(1000);
  source().breaks();
  expect(live.live).toBe(false);
  source().opens();
  jest.advanceTimersByTime(1000);
  expect(states).toEqual([true, false, true]);
  expect([changes, sources.length]).toEqual([2, 1]);
});

it('opens another stream where the browser gives up, ever less often', () => {
  live.open();
  for (const [tries, waitMs] of [
    [2, 1000],
    [3, 2000],
    [4, 4000],
  ]) {
    source().breaks(true);
    jest.advanceTimersByTime((waitMs ?? 0) - 1);
    expect(sources).toHaveLength((tries ?? 0) - 1);
    jest.advanceTimersByTime(1);
    expect(sources).toHaveLength(tries ?? 0);
  }
  source().opens();
  expect(live.live).toBe(true);
});

it('hears nothing more once it is closed', () => {
  live.open();
  const first = source();
  first.opens();
  first.happens();
  live.close();
  jest.advanceTimersByTime(5000);
  expect([first.closed, live.live, changes, sources.length]).toEqual([true, false, 0, 1]);
  live.open();
  expect(sources).toHaveLength(2);
});
