import { describe, expect, it } from '@jest/globals';
import { Scheduler } from '../../core/index.js';
import { testDevice } from '../../testkit/device-suite.js';
import { Oscillator } from '../oscillator.js';
import { i8254 } from './i8254.js';

const clock = new Oscillator(1_193_182);
/** Cycles of quiet before a test, so that its first access does not fall on cycle 0. */
const FIRST_CYCLE = 1000;

function setUp() {
  const scheduler = new Scheduler();
  const pit = i8254({ scheduler, name: 'pit' }, {});
  let cycle = FIRST_CYCLE;
  scheduler.setTime(clock.timeOf(cycle));
  const write = (port: number, ...values: number[]): void =>
    values.forEach((value) => pit.counters.write(port, 1, value));
  const read = (port: number): number => pit.counters.read(port, 1);
  const pass = (cycles: number): void => {
    cycle += cycles;
    const endNs = clock.timeOf(cycle);
    while (scheduler.nextDeadlineNs <= endNs) {
      scheduler.setTime(scheduler.nextDeadlineNs);
      scheduler.fireDue();
    }
    scheduler.setTime(endNs);
  };
  /** Output of counter 0 in the following cycles, H and L as the data sheet's diagrams show it. */
  const wave = (cycles: number): string => {
    let text = '';
    for (let i = 0; i < cycles; i++) {
      pass(1);
      text += pit.out0.level ? 'H' : 'L';
    }
    return text;
  };
  const gate2 = (level: number): void => pit.systemControl.write(0, 1, level);
  /** Output of counter 2, whose gate software can move. */
  const wave2 = (cycles: number): string => {
    let text = '';
    for (let i = 0; i < cycles; i++) {
      pass(1);
      text += pit.systemControl.read(0, 1) & 0x20 ? 'H' : 'L';
    }
    return text;
  };
  const count = (counter: number): number => {
    write(3, counter << 6);
    return read(counter) | (read(counter) << 8);
  };
  return { scheduler, pit, write, read, pass, wave, gate2, wave2, count };
}

describe('output of each mode', () => {
  it('mode 0: low until N + 1 cycles after the count was written, then high', () => {
    const { pit, write, wave } = setUp();
    write(3, 0x10);
    expect(pit.out0.level).toBe(false);
    write(0, 4);
    expect(wave(8)).toBe('LLLLHHHH');
    write(0, 2); // a new count drops the output
    expect(pit.out0.level).toBe(false);
    expect(wave(4)).toBe('LLHH');
  });

  it('mode 1: each rising gate starts a low pulse of N cycles', () => {
    const { write, gate2, wave2 } = setUp();
    write(3, 0x92);
    write(2, 3);
    expect(wave2(3)).toBe('HHH');
    gate2(1);
    expect(wave2(6)).toBe('LLLHHH');
    gate2(0);
    gate2(1);
    expect(wave2(2)).toBe('LL');
    gate2(0);
    gate2(1); // retriggered
    expect(wave2(5)).toBe('LLLHH');
  });

  it('mode 2: one low cycle in N; a new count waits for the end of the period', () => {
    const { write, wave } = setUp();
    write(3, 0x14);
    write(0, 4);
    expect(wave(9)).toBe('HHHLHHHLH');
    write(0, 3);
    expect(wave(9)).toBe('HHLHHLHHL');
  });

  it('mode 3: a square wave, the high half longer for odd counts', () => {
    const even = setUp();
    even.write(3, 0x16);
    even.write(0, 4);
    expect(even.wave(9)).toBe('HHLLHHLLH');
    const odd = setUp();
    odd.write(3, 0x16);
    odd.write(0, 5);
    expect(odd.wave(11)).toBe('HHHLLHHHLLH');
  });

  it('mode 3: a new count takes over at the next half', () => {
    const { write, wave } = setUp();
    write(3, 0x16);
    write(0, 8);
    expect(wave(2)).toBe('HH');
    write(0, 4);
    expect(wave(8)).toBe('HHLLHHLL');
  });

  it('mode 4: one low cycle N + 1 cycles after the count', () => {
    const { write, wave } = setUp();
    write(3, 0x18);
    write(0, 3);
    expect(wave(7)).toBe('HHHLHHH');
  });

  it('mode 5: the same after a rising gate', () => {
    const { write, gate2, wave2 } = setUp();
    write(3, 0x9a);
    write(2, 3);
    expect(wave2(6)).toBe('HHHHHH');
    gate2(1);
    expect(wave2(6)).toBe('HHHLHH');
  });

  it('a low gate stops modes 0 and 4 and silences modes 2 and 3', () => {
    const { write, gate2, wave2 } = setUp();
    gate2(1);
    write(3, 0x90);
    write(2, 4);
    expect(wave2(3)).toBe('LLL');
    gate2(0);
    expect(wave2(5)).toBe('LLLLL');
    gate2(1);
    expect(wave2(3)).toBe('LHH');
    write(3, 0x96);
    write(2, 4);
    expect(wave2(3)).toBe('HHL');
    gate2(0);
    expect(wave2(3)).toBe('HHH');
    gate2(1);
    expect(wave2(5)).toBe('HHLLH');
  });
});

describe('a listener that is served late', () => {
  it('hears a strobe that began and ended meanwhile', () => {
    const { pit, write, scheduler } = setUp();
    write(3, 0x18);
    write(0, 100);
    const levels: boolean[] = [];
    pit.out0.connect((level) => levels.push(level));
    scheduler.setTime(clock.timeOf(FIRST_CYCLE + 150));
    write(0, 100); // a driver that programs the next event before the alarm was delivered
    expect(levels).toEqual([true, false, true]);
    scheduler.fireDue();
    scheduler.setTime(clock.timeOf(FIRST_CYCLE + 300));
    scheduler.fireDue();
    expect(levels).toEqual([true, false, true, false, true]);
  });

  it('hears at least one edge of a rate generator, however late', () => {
    const { pit, write, scheduler } = setUp();
    write(3, 0x14);
    write(0, 2);
    let rising = 0;
    pit.out0.connect((level) => (level ? rising++ : undefined));
    scheduler.setTime(3600e9);
    scheduler.fireDue();
    expect(rising).toBeGreaterThan(1);
  });
});

describe('reading', () => {
  it('latches a count until it is read, while counting goes on', () => {
    const { write, read, pass, count } = setUp();
    write(3, 0x34);
    write(0, 0x00, 0x10);
    pass(1);
    expect(count(0)).toBe(0x1000);
    write(3, 0x00);
    pass(100);
    write(3, 0x00); // ignored: the first latch was not read
    expect([read(0), read(0)]).toEqual([0x00, 0x10]);
    expect(count(0)).toBe(0x1000 - 100);
  });

  it('counts down by two in mode 3', () => {
    const { write, pass, count } = setUp();
    write(3, 0x36);
    write(0, 0x00, 0x00); // 65536
    pass(1);
    expect(count(0)).toBe(0);
    pass(3);
    expect(count(0)).toBe(0xfffa);
  });

  it('counts in decimal when told to', () => {
    const { write, pass, count } = setUp();
    write(3, 0x31);
    write(0, 0x00, 0x20);
    pass(2);
    expect(count(0)).toBe(0x1999);
  });

  it('goes on below zero in mode 0, as delay loops expect', () => {
    const { write, pass, count } = setUp();
    write(3, 0x30);
    write(0, 2, 0);
    pass(4);
    expect(count(0)).toBe(0xffff);
  });

  it('reads back status and count of several counters', () => {
    const { write, read, pass } = setUp();
    write(3, 0x34, 0xe2); // program counter 0, then latch its status
    expect(read(0)).toBe(0xf4); // output high, null count, two bytes, mode 2, binary
    write(0, 5, 0);
    pass(1);
    write(3, 0xc2); // status and count
    expect([read(0), read(0), read(0)]).toEqual([0xb4, 5, 0]);
  });
});

describe('system control port', () => {
  it('shows refresh toggling every 15 µs and counter 2', () => {
    const { pit, pass } = setUp();
    const toggle = (): number => pit.systemControl.read(0, 1) & 0x10;
    const first = toggle();
    pass(18);
    expect(toggle()).not.toBe(first);
    pit.systemControl.write(0, 1, 0xff);
    expect(pit.systemControl.read(0, 1) & 0xcf).toBe(0x0f);
  });
});

testDevice('i8254', {
  resetValues: { counters: { COUNTER0: 0, COUNTER2: 0 } },
  create: (context) => i8254(context, {}),
  longestPauseNs: 20_000,
});
