import { describe, expect, it } from '@jest/globals';
import { InputQueue, Scheduler, Timer } from './index.js';

describe('Scheduler', () => {
  it('fires timers in the order of their deadlines, and of arming where those are equal', () => {
    const scheduler = new Scheduler();
    const fired: string[] = [];
    const timer = (name: string): Timer => new Timer(scheduler, name, (deadline) => fired.push(`${name}@${deadline}`));
    const [a, b, c, d] = [timer('a'), timer('b'), timer('c'), timer('d')];
    a.arm(20);
    b.arm(10);
    c.arm(20);
    d.arm(30);
    expect(scheduler.nextDeadlineNs).toBe(10);
    scheduler.setTime(20);
    scheduler.fireDue();
    expect(fired).toEqual(['b@10', 'a@20', 'c@20']);
    expect(scheduler.nextDeadlineNs).toBe(30);
  });

  it('fires a timer that a callback arms for the same instant', () => {
    const scheduler = new Scheduler();
    let rounds = 0;
    const timer: Timer = new Timer(scheduler, 'again', (deadline) => {
      if (++rounds < 3) timer.arm(deadline);
    });
    timer.arm(5);
    scheduler.setTime(5);
    scheduler.fireDue();
    expect(rounds).toBe(3);
    expect(timer.armed).toBe(false);
  });

  it('forgets a disarmed timer and moves a re-armed one', () => {
    const scheduler = new Scheduler();
    const fired: number[] = [];
    const moved = new Timer(scheduler, 'moved', (deadline) => fired.push(deadline));
    const gone = new Timer(scheduler, 'gone', () => fired.push(-1));
    moved.arm(10);
    gone.arm(10);
    moved.arm(40);
    gone.disarm();
    expect(scheduler.nextDeadlineNs).toBe(40);
    scheduler.setTime(100);
    scheduler.fireDue();
    expect(fired).toEqual([40]);
  });

  it('refuses to go back in time', () => {
    const scheduler = new Scheduler();
    scheduler.setTime(10);
    expect(() => scheduler.setTime(9)).toThrow('virtual time ran backwards');
  });
});

describe('InputQueue', () => {
  it('delivers input at its stamp, in order, and keeps a log that can be replayed', () => {
    const scheduler = new Scheduler();
    const input = new InputQueue(scheduler);
    const seen: string[] = [];
    input.attach('uart0', (data) => seen.push(`${scheduler.nowNs}:${new TextDecoder().decode(data)}`));
    const type = (text: string, tNs?: number): void => input.push('uart0', new TextEncoder().encode(text), tNs);
    type('a', 100);
    type('b', 50); // stamps never go back: it joins behind
    type('c', 200);
    for (const t of [100, 200]) {
      scheduler.setTime(t);
      scheduler.fireDue();
    }
    expect(seen).toEqual(['100:a', '100:b', '200:c']);
    expect(input.log.map(({ tNs, target }) => [tNs, target])).toEqual([
      [100, 'uart0'],
      [100, 'uart0'],
      [200, 'uart0'],
    ]);
  });

  it('keeps its own copy of the bytes', () => {
    const scheduler = new Scheduler();
    const input = new InputQueue(scheduler);
    let seen = 0;
    input.attach('uart0', (data) => (seen = data[0] ?? -1));
    const bytes = Uint8Array.of(7);
    input.push('uart0', bytes);
    bytes[0] = 9;
    scheduler.fireDue();
    expect(seen).toBe(7);
  });

  it('names the inputs that exist when asked for another', () => {
    const input = new InputQueue(new Scheduler());
    input.attach('uart0', () => undefined);
    expect(() => input.push('uart9', Uint8Array.of(1))).toThrow("no input named 'uart9'; there are: uart0");
  });
});
