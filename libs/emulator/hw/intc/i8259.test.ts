import { describe, expect, it } from '@jest/globals';
import { Scheduler } from '../../core/index.js';
import { testDevice } from '../../testkit/device-suite.js';
import { i8259Pair } from './i8259.js';

/** A pair initialized as PC software does: vectors 0x20 and 0x28, slave on IR2, normal EOI, nothing masked. */
function setUp({ icw4 = 0x01 } = {}) {
  const pic = i8259Pair({ scheduler: new Scheduler(), name: 'pic' }, {});
  const bankOf = { master: pic.master, slave: pic.slave, elcr: pic.elcr } as const;
  const write = (bank: keyof typeof bankOf, offset: number, ...values: number[]): void => {
    for (const value of values) bankOf[bank].write(offset, 1, value);
  };
  const read = (bank: keyof typeof bankOf, offset: number): number => bankOf[bank].read(offset, 1);
  write('master', 0, 0x11);
  write('master', 1, 0x20, 0x04, icw4);
  write('slave', 0, 0x11);
  write('slave', 1, 0x28, 0x02, 0x01);
  const raise = (irq: number): void => pic.input(irq)(true);
  const lower = (irq: number): void => pic.input(irq)(false);
  const pulse = (irq: number): void => {
    lower(irq);
    raise(irq);
  };
  return { pic, write, read, raise, lower, pulse };
}
const NON_SPECIFIC_EOI = 0x20;

describe('fully nested mode', () => {
  it('acknowledges with the vector, lets only more important inputs interrupt, and ends with EOI', () => {
    const { pic, write, read, raise } = setUp();
    raise(4);
    expect(pic.intr.level).toBe(true);
    expect(pic.acknowledge()).toBe(0x24);
    expect(pic.intr.level).toBe(false);
    raise(5);
    expect(pic.intr.level).toBe(false);
    raise(1);
    expect([pic.intr.level, pic.acknowledge()]).toEqual([true, 0x21]);
    write('master', 0, 0x0b);
    expect(read('master', 0)).toBe(0x12);
    write('master', 0, NON_SPECIFIC_EOI, NON_SPECIFIC_EOI);
    expect([read('master', 0), pic.acknowledge()]).toEqual([0, 0x25]);
  });

  it('passes the slave through IR2 and wants an EOI for both', () => {
    const { pic, write, raise, pulse } = setUp();
    raise(14);
    expect(pic.acknowledge()).toBe(0x2e);
    pulse(14);
    expect(pic.intr.level).toBe(false);
    write('slave', 0, NON_SPECIFIC_EOI);
    expect(pic.intr.level).toBe(false); // IR2 is still in service at the master
    write('master', 0, NON_SPECIFIC_EOI);
    expect([pic.intr.level, pic.acknowledge()]).toEqual([true, 0x2e]);
  });

  it('masks by OCW1, which reads back', () => {
    const { pic, write, read, raise } = setUp();
    write('master', 1, 0xef);
    raise(3);
    expect([pic.intr.level, read('master', 1)]).toEqual([false, 0xef]);
    write('master', 0, 0x0a);
    expect(read('master', 0)).toBe(0x08);
    write('master', 1, 0);
    expect(pic.intr.level).toBe(true);
  });
});

describe('triggering', () => {
  it('needs a new edge after an acknowledge in edge mode', () => {
    const { pic, write, raise, pulse } = setUp();
    raise(4);
    pic.acknowledge();
    write('master', 0, NON_SPECIFIC_EOI);
    expect(pic.intr.level).toBe(false);
    pulse(4);
    expect(pic.intr.level).toBe(true);
  });

  it('asks again for as long as the level is there where ELCR says level', () => {
    const { pic, write, raise, lower } = setUp();
    write('elcr', 1, 0x04); // IRQ 10
    raise(10);
    expect(pic.acknowledge()).toBe(0x2a);
    write('slave', 0, NON_SPECIFIC_EOI);
    write('master', 0, NON_SPECIFIC_EOI);
    expect(pic.intr.level).toBe(true);
    lower(10);
    expect(pic.intr.level).toBe(false);
  });

  it('keeps IRQ 0, 1, 2, 8 and 13 edge-triggered whatever ELCR is given', () => {
    const { write, read } = setUp();
    write('elcr', 0, 0xff);
    write('elcr', 1, 0xff);
    expect([read('elcr', 0), read('elcr', 1)]).toEqual([0xf8, 0xde]);
  });

  it('answers IR7 without putting it in service when the request went away', () => {
    const { pic, write, read, raise, lower } = setUp();
    raise(3);
    lower(3);
    expect(pic.acknowledge()).toBe(0x27);
    write('master', 0, 0x0b);
    expect(read('master', 0)).toBe(0);
  });
});

describe('other modes', () => {
  it('rotates priorities on EOI and by the set-priority command', () => {
    const { pic, write, raise } = setUp();
    raise(0);
    pic.acknowledge();
    write('master', 0, 0xa0); // rotate on non-specific EOI: IR0 is last now
    raise(7);
    raise(6);
    raise(1);
    expect(pic.acknowledge()).toBe(0x21);
    write('master', 0, NON_SPECIFIC_EOI, 0xc0 | 6); // IR6 is last, IR7 first
    expect(pic.acknowledge()).toBe(0x27);
  });

  it('ends interrupts by itself in AEOI mode, rotating if told', () => {
    const { pic, write, read, raise, pulse } = setUp({ icw4: 0x03 });
    write('master', 0, 0x80);
    raise(3);
    expect(pic.acknowledge()).toBe(0x23);
    write('master', 0, 0x0b);
    expect(read('master', 0)).toBe(0);
    pulse(3);
    raise(5);
    expect(pic.acknowledge()).toBe(0x25);
  });

  it('special mask mode lets less important inputs through while a masked one is in service', () => {
    const { pic, write, raise } = setUp();
    raise(4);
    pic.acknowledge();
    raise(6);
    write('master', 1, 0x10);
    expect(pic.intr.level).toBe(false);
    write('master', 0, 0x68);
    expect([pic.intr.level, pic.acknowledge()]).toEqual([true, 0x26]);
    write('master', 0, 0x48);
    expect(pic.intr.level).toBe(false);
  });

  it('special fully nested mode lets a slave interrupt its own service', () => {
    const { pic, raise } = setUp({ icw4: 0x11 });
    raise(15);
    expect(pic.acknowledge()).toBe(0x2f);
    raise(9);
    expect([pic.intr.level, pic.acknowledge()]).toEqual([true, 0x29]);
  });

  it('answers a poll with the input and puts it in service', () => {
    const { pic, write, read, raise } = setUp();
    raise(5);
    write('master', 0, 0x0c);
    expect(read('master', 0)).toBe(0x85);
    expect(pic.intr.level).toBe(false);
    write('master', 0, 0x0c);
    expect(read('master', 0)).toBe(0);
  });
});

testDevice('i8259Pair', {
  resetValues: { master: { IMR: 0, STATUS: 0 }, slave: { IMR: 0 }, elcr: { ELCR1: 0, ELCR2: 0 } },
  create: (context) => {
    const pic = i8259Pair(context, {});
    // Acknowledge cycles arrive as reads, so that the suite compares vectors too.
    return Object.assign(pic, { acknowledgeCycle: { read: () => pic.acknowledge(), write: () => undefined } });
  },
  handlers: ({ master, slave, elcr, acknowledgeCycle }) =>
    [master, slave, elcr, acknowledgeCycle].map((handler) => ({ handler, sizeBytes: 2 })),
  stimulate: (pic, choice) => {
    const irq = (choice >>> 1) % 16;
    if (irq !== 2) pic.input(irq)((choice & 1) === 1);
  },
});
