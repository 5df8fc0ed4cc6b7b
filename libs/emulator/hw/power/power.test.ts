import { describe, expect, it } from '@jest/globals';
import { Scheduler } from '../../core/index.js';
import { testDevice } from '../../testkit/device-suite.js';
import { piix4Pm } from './piix4-pm.js';
import { resetControl } from './reset-control.js';

const PMSTS = 0x00;
const PMEN = 0x02;
const PMCNTRL = 0x04;
const PMTMR = 0x08;
/** 2^23 cycles of 3.579545 MHz, rounded up to a nanosecond. */
const TIMER_HALF_NS = Math.ceil((2 ** 23 * 1e9) / 3_579_545);

function setUp() {
  const scheduler = new Scheduler();
  let switchedOff = 0;
  const pm = piix4Pm({ scheduler, name: 'pm' }, { powerOff: () => switchedOff++ });
  const pass = (durationNs: number): void => {
    scheduler.setTime(scheduler.nowNs + durationNs);
    scheduler.fireDue();
  };
  return { pm, pass, io: pm.registers, switchedOff: () => switchedOff };
}

describe('PIIX4 power management', () => {
  it('switches off when SUS_EN is written with the type soft off, and only then', () => {
    const { io, switchedOff } = setUp();
    io.write(PMCNTRL, 2, 5 << 10);
    io.write(PMCNTRL, 2, (1 << 13) | (5 << 10));
    expect(switchedOff()).toBe(0);
    io.write(PMCNTRL, 2, 1 << 13);
    expect(switchedOff()).toBe(1);
    expect(io.read(PMCNTRL, 2)).toBe(0); // SUS_EN is write-only
  });

  it('switches off for byte writes as well, the type kept from before', () => {
    const { io, switchedOff } = setUp();
    io.write(PMCNTRL + 1, 1, 0x20);
    expect(switchedOff()).toBe(1);
  });

  it('counts 3.579545 MHz in 24 bits', () => {
    const { io, pass } = setUp();
    pass(1e9);
    expect(io.read(PMTMR, 4)).toBe(3_579_545);
    pass(4e9);
    expect(io.read(PMTMR, 4)).toBe((5 * 3_579_545) % 2 ** 24);
  });

  it('raises SCI at every change of timer bit 23 until the status is cleared', () => {
    const { pm, io, pass } = setUp();
    io.write(PMCNTRL, 2, 1);
    io.write(PMEN, 2, 1);
    pass(TIMER_HALF_NS - 1);
    expect(pm.sci.level).toBe(false);
    pass(1);
    expect([pm.sci.level, io.read(PMSTS, 2)]).toEqual([true, 1]);
    io.write(PMSTS, 2, 1);
    expect([pm.sci.level, io.read(PMSTS, 2)]).toEqual([false, 0]);
    pass(TIMER_HALF_NS);
    expect(pm.sci.level).toBe(true);
  });

  it('reports the power button', () => {
    const { pm, io } = setUp();
    io.write(PMCNTRL, 2, 1);
    io.write(PMEN, 2, 0x100);
    pm.pressPowerButton();
    expect([pm.sci.level, io.read(PMSTS, 2)]).toEqual([true, 0x100]);
  });
});

describe('reset control register', () => {
  it('resets when RCPU rises, hard or soft as SRST says', () => {
    const resets: string[] = [];
    const { registers } = resetControl(
      { scheduler: new Scheduler(), name: 'rc' },
      { reset: (kind) => resets.push(kind) },
    );
    registers.write(0, 1, 0x02);
    registers.write(0, 1, 0x06);
    registers.write(0, 1, 0x06);
    registers.write(0, 1, 0x00);
    registers.write(0, 1, 0x04);
    expect(resets).toEqual(['hard', 'soft']);
  });
});

testDevice('piix4Pm', {
  resetValues: { io: { PMSTS: 0, PMEN: 0, PMCNTRL: 0, GPSTS: 0 } },
  create: (context) => piix4Pm(context, { powerOff: () => undefined }),
  stimulate: (pm) => pm.pressPowerButton(),
  longestPauseNs: 1e9,
});

testDevice('resetControl', {
  resetValues: { io: { RC: 0 } },
  create: (context) => resetControl(context, { reset: () => undefined }),
});
