import { describe, expect, it } from '@jest/globals';
import { Scheduler } from '../../core/index.js';
import { testDevice } from '../../testkit/device-suite.js';
import { mc146818 } from './mc146818.js';

const SECOND = 1_000_000_000;
const MILLISECOND = 1_000_000;
const MICROSECOND = 1000;

const Cmos = {
  SECONDS: 0,
  SECONDS_ALARM: 1,
  MINUTES: 2,
  MINUTES_ALARM: 3,
  HOURS: 4,
  HOURS_ALARM: 5,
  WEEKDAY: 6,
  DAY: 7,
  MONTH: 8,
  YEAR: 9,
  A: 10,
  B: 11,
  C: 12,
  D: 13,
} as const;

function setUp(start = '2026-01-01T00:00:00Z') {
  const scheduler = new Scheduler();
  const rtc = mc146818({ scheduler, name: 'rtc' }, { startSeconds: Date.parse(start) / 1000 });
  const select = (address: number): void => rtc.ports.write(0, 1, address);
  const read = (address: number): number => {
    select(address);
    return rtc.ports.read(1, 1);
  };
  const write = (address: number, value: number): void => {
    select(address);
    rtc.ports.write(1, 1, value);
  };
  const pass = (durationNs: number): void => {
    const endNs = scheduler.nowNs + durationNs;
    while (scheduler.nextDeadlineNs <= endNs) {
      scheduler.setTime(scheduler.nextDeadlineNs);
      scheduler.fireDue();
    }
    scheduler.setTime(endNs);
  };
  const time = (): string =>
    [Cmos.YEAR, Cmos.MONTH, Cmos.DAY, Cmos.HOURS, Cmos.MINUTES, Cmos.SECONDS]
      .map((address) => read(address).toString(16))
      .join(' ');
  return { rtc, read, write, pass, time, scheduler };
}

describe('time', () => {
  it('shows the configured start and runs with virtual time, weekday included', () => {
    const { pass, time, read } = setUp('2026-12-31T23:59:58Z');
    expect([time(), read(Cmos.WEEKDAY)]).toEqual(['26 12 31 23 59 58', 5]);
    pass(2 * SECOND - 1);
    expect(time()).toBe('26 12 31 23 59 59');
    pass(1);
    expect([time(), read(Cmos.WEEKDAY)]).toEqual(['27 1 1 0 0 0', 6]);
  });

  it('knows leap years', () => {
    const { pass, time } = setUp('2028-02-28T23:59:59Z');
    pass(SECOND);
    expect(time()).toBe('28 2 29 0 0 0');
  });

  it('can be set: SET stops updates, bytes are taken in the chosen format', () => {
    const { read, write, pass } = setUp();
    write(Cmos.B, 0x84); // SET, binary, 12 hours
    write(Cmos.HOURS, 0x80 | 11);
    write(Cmos.MINUTES, 59);
    write(Cmos.SECONDS, 59);
    pass(3 * SECOND);
    expect(read(Cmos.SECONDS)).toBe(59);
    write(Cmos.B, 0x04);
    pass(SECOND);
    expect([read(Cmos.HOURS), read(Cmos.MINUTES), read(Cmos.DAY)]).toEqual([12, 0, 2]); // 12 AM
  });

  it('makes the first update half a second after the divider is released', () => {
    const { read, write, pass } = setUp();
    write(Cmos.A, 0x70);
    pass(5 * SECOND);
    expect(read(Cmos.SECONDS)).toBe(0);
    write(Cmos.A, 0x20);
    pass(SECOND / 2 - 1);
    expect(read(Cmos.SECONDS)).toBe(0);
    pass(1);
    expect(read(Cmos.SECONDS)).toBe(1);
  });
});

describe('update in progress', () => {
  it('rises 244 µs before the 1984 µs update cycle and falls when the new second is there', () => {
    const { read, pass } = setUp();
    pass(SECOND - 2228 * MICROSECOND - 1);
    expect(read(Cmos.A)).toBe(0x26);
    pass(1);
    expect(read(Cmos.A)).toBe(0xa6);
    pass(2228 * MICROSECOND - 1);
    expect([read(Cmos.A), read(Cmos.SECONDS)]).toEqual([0xa6, 0]);
    pass(1);
    expect([read(Cmos.A), read(Cmos.SECONDS)]).toEqual([0x26, 1]);
  });

  it('stays low while SET', () => {
    const { read, write, pass } = setUp();
    write(Cmos.B, 0x82);
    pass(SECOND - MILLISECOND);
    expect(read(Cmos.A)).toBe(0x26);
  });
});

describe('interrupts', () => {
  it('periodic: 976.5625 µs for RS 0110; reading C acknowledges', () => {
    const { rtc, read, write, pass } = setUp();
    write(Cmos.B, 0x42);
    pass(976_562);
    expect(rtc.irq.level).toBe(false);
    pass(1);
    expect(rtc.irq.level).toBe(true);
    expect(read(Cmos.C)).toBe(0xc0);
    expect([rtc.irq.level, read(Cmos.C)]).toEqual([false, 0]);
    let interrupts = 0;
    rtc.irq.connect((level) => (level ? interrupts++ : undefined));
    for (let i = 0; i < 1024; i++) {
      pass(976_563);
      read(Cmos.C);
    }
    expect(interrupts).toBe(1024);
  });

  it('periodic: RS 1 and 2 repeat the rates of 8 and 9', () => {
    const { rtc, write, pass } = setUp();
    write(Cmos.A, 0x21);
    write(Cmos.B, 0x42);
    pass(3_906_249);
    expect(rtc.irq.level).toBe(false);
    pass(1);
    expect(rtc.irq.level).toBe(true);
  });

  it('update ended: once a second', () => {
    const { rtc, read, write, pass } = setUp();
    write(Cmos.A, 0x20);
    write(Cmos.B, 0x12);
    pass(SECOND);
    expect([rtc.irq.level, read(Cmos.C) & 0x90]).toEqual([true, 0x90]);
    write(Cmos.B, 0x92);
    expect(read(Cmos.B)).toBe(0x82); // SET clears UIE
  });

  it('alarm: when the alarm bytes match, "don\'t care" bytes always do', () => {
    const { rtc, read, write, pass } = setUp('2026-01-01T06:29:00Z');
    write(Cmos.SECONDS_ALARM, 0x05);
    write(Cmos.MINUTES_ALARM, 0x30);
    write(Cmos.HOURS_ALARM, 0xff);
    read(Cmos.C);
    write(Cmos.B, 0x22);
    pass(65 * SECOND - 1);
    expect(rtc.irq.level).toBe(false);
    pass(1);
    expect([rtc.irq.level, read(Cmos.C)]).toEqual([true, 0xf0]);
    pass(3600 * SECOND);
    expect(rtc.irq.level).toBe(true);
  });

  it('flags appear without being enabled', () => {
    const { rtc, read, pass } = setUp();
    pass(SECOND);
    expect([rtc.irq.level, read(Cmos.C)]).toEqual([false, 0x50]);
  });
});

describe('memory', () => {
  it('keeps 114 bytes and the time through a reset, interrupt enables not', () => {
    const { rtc, read, write, pass } = setUp();
    write(0x0e, 0xaa);
    write(0x7f, 0x55);
    write(Cmos.B, 0x72);
    pass(7 * SECOND);
    rtc.reset();
    expect([read(0x0e), read(0x7f), read(Cmos.B), read(Cmos.SECONDS), read(Cmos.D)]).toEqual([
      0xaa, 0x55, 0x02, 7, 0x80,
    ]);
    expect(rtc.irq.level).toBe(false);
  });
});

testDevice('mc146818', {
  resetValues: { control: { C: 0, D: 0x80 } },
  create: (context) => mc146818(context, { startSeconds: 1_767_225_600 }),
  handlers: ({ ports }) => [{ handler: ports, sizeBytes: ports.sizeBytes }],
  longestPauseNs: SECOND,
});
