import { describe, expect, it } from '@jest/globals';
import { Scheduler } from '../../core/index.js';
import { VirtualClock } from './clock.js';
import { IntervalTimer } from './timers.js';

function setUp(): { scheduler: Scheduler; clock: VirtualClock; timer: IntervalTimer; fired: [number, number][] } {
  const scheduler = new Scheduler();
  const clock = new VirtualClock(scheduler, 1_000_000n);
  const fired: [number, number][] = [];
  const timer = new IntervalTimer(clock, (overrun) => fired.push([clock.monotonicNs(), overrun]));
  return { scheduler, clock, timer, fired };
}

describe('the virtual clock', () => {
  it('counts from its epoch and jumps when nothing runs', () => {
    const { clock } = setUp();
    expect(clock.skipTo(500)).toBe(0);
    expect(clock.monotonicNs()).toBe(500);
    expect(clock.realtimeNs()).toBe(1_000_500n);
    clock.skipTo(100); // never back
    expect(clock.monotonicNs()).toBe(500);
  });
});

describe('an interval timer', () => {
  it('fires once, shows what is left until then, and nothing after', () => {
    const { clock, timer, fired } = setUp();
    timer.arm(100, 0);
    clock.skipTo(40);
    clock.fireDue();
    expect(timer.setting).toEqual({ remainingNs: 60, intervalNs: 0 });
    clock.skipTo(clock.nextDeadlineNs);
    clock.fireDue();
    expect(fired).toEqual([[100, 0]]);
    expect(timer.setting).toEqual({ remainingNs: 0, intervalNs: 0 });
    expect(clock.nextDeadlineNs).toBe(Infinity);
  });

  it('goes on periodically, and counts the periods that passed while nobody looked', () => {
    const { clock, timer, fired } = setUp();
    timer.arm(100, 10);
    clock.skipTo(100);
    clock.fireDue();
    clock.skipTo(145);
    clock.fireDue();
    expect(fired).toEqual([
      [100, 0],
      [145, 3],
    ]);
    expect(timer.setting).toEqual({ remainingNs: 5, intervalNs: 10 });
  });

  it('does not fire once disarmed', () => {
    const { clock, timer, fired } = setUp();
    timer.arm(100, 10);
    timer.disarm();
    clock.skipTo(1000);
    clock.fireDue();
    expect(fired).toEqual([]);
  });
});
