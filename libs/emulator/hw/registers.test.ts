import { describe, expect, it } from '@jest/globals';
import { Scheduler } from '../core/index.js';
import { defineDevice } from './device.js';
import { bit, bits, RegisterBank, registerMap } from './registers.js';

const LAYOUT = registerMap({
  CTRL: {
    offset: 0,
    width: 4,
    fields: { EN: bit(0), MODE: bits(5, 4, 'rw', 2), BUSY: bit(8, 'ro', 1), KEY: bits(31, 24, 'wo') },
  },
  STAT: { offset: 4, width: 2, fields: { DONE: bit(0, 'w1c', 1), ERR: bit(8, 'rc', 1) } },
  LOW: { offset: 8 },
  HIGH: { offset: 9, access: 'ro', reset: 0x5a },
});

describe('register access kinds', () => {
  it('reads reset values and hides write-only bits', () => {
    const bank = new RegisterBank('test', LAYOUT);
    expect(bank.read(0, 4)).toBe(0x0000_0120);
    bank.write(0, 4, 0xffff_ffff);
    expect(bank.read(0, 4)).toBe(0x0000_0131);
    expect(bank.reg.CTRL.KEY).toBe(0xff);
  });

  it('clears w1c bits by writing ones and rc bits by reading', () => {
    const bank = new RegisterBank('test', LAYOUT);
    bank.write(4, 2, 0x0000);
    expect(bank.read(4, 2)).toBe(0x0101);
    bank.write(4, 2, 0xffff);
    expect(bank.read(4, 2)).toBe(0);
  });

  it('lets the device set fields without running behaviour', () => {
    const bank = new RegisterBank('test', LAYOUT);
    let writes = 0;
    bank.behave({ CTRL: { fields: { MODE: { write: () => writes++ } } } });
    bank.reg.CTRL.MODE = 3;
    expect([bank.reg.CTRL.value, writes]).toEqual([0x130, 0]);
  });
});

describe('partial, wide and undefined accesses', () => {
  it('touches only the covered byte lanes', () => {
    const bank = new RegisterBank('test', LAYOUT);
    const seen: number[] = [];
    bank.behave({ CTRL: { fields: { EN: { write: (value) => seen.push(value) } } } });
    bank.write(3, 1, 0x77);
    expect([bank.reg.CTRL.KEY, bank.reg.CTRL.MODE, seen.length]).toEqual([0x77, 2, 0]);
    bank.write(0, 1, 0x01);
    expect([bank.reg.CTRL.EN, bank.reg.CTRL.KEY, seen]).toEqual([1, 0x77, [1]]);
    expect(bank.read(1, 1)).toBe(0x01);
  });

  it('sends a wide access to every register it covers, undefined bytes reading as declared', () => {
    const bank = new RegisterBank('test', LAYOUT, { undefinedByte: 0xff });
    bank.write(8, 4, 0x1234_5678);
    expect(bank.read(8, 4)).toBe(0xffff_5a78);
    expect(bank.read(0x1000, 4)).toBe(0xffff_ffff);
  });

  it('spaces registers by regShift, in the low-order lanes of either byte order', () => {
    const layout = registerMap({ A: { offset: 0, reset: 0x11 }, B: { offset: 1, reset: 0x22 } });
    const little = new RegisterBank('test', layout, { regShift: 3, undefinedByte: 0xff });
    expect([little.read(8, 4), little.read(8, 1), little.read(11, 1), little.read(16, 1)]).toEqual([
      0x22, 0x22, 0, 0xff,
    ]);
    const big = new RegisterBank('test', layout, { regShift: 3, byteOrder: 'big' });
    expect([big.read(8, 4), big.read(8, 1), big.read(11, 1)]).toEqual([0x22, 0, 0x22]);
    big.write(8, 4, 0x99);
    expect(big.reg.B.value).toBe(0x99);
  });

  it('repeats a data port for wide accesses and leaves its neighbours alone', () => {
    const bank = new RegisterBank(
      'test',
      registerMap({ DATA: { offset: 0, width: 2, port: true }, ERROR: { offset: 1, reset: 7 } }),
    );
    let next = 0x1000;
    bank.behave({ DATA: { read: () => next++ } });
    expect([bank.read(0, 2), bank.read(0, 4), bank.read(1, 1)]).toEqual([0x1000, 0x1002_1001, 7]);
  });
});

describe('registers that share an offset', () => {
  it('are chosen by direction, bank bit and written value', () => {
    const bank = new RegisterBank(
      'test',
      registerMap({
        READ: { offset: 0, access: 'ro', reset: 1 },
        INIT: { offset: 0, access: 'wo' },
        COMMAND: { offset: 0, access: 'wo' },
        SELECT: { offset: 1 },
        BANKED: { offset: 2, reset: 8 },
        OTHER: { offset: 2, reset: 9 },
      }),
    );
    bank.behave({
      INIT: { when: (written) => ((written ?? 0) & 0x10) !== 0 },
      BANKED: { when: () => bank.reg.SELECT.value === 1 },
    });
    bank.write(0, 1, 0x13);
    bank.write(0, 1, 0x0a);
    bank.write(0, 2, 0x0111);
    expect([bank.read(0, 1), bank.reg.INIT.value, bank.reg.COMMAND.value]).toEqual([1, 0x11, 0x0a]);
    expect(bank.read(2, 1)).toBe(8);
    bank.write(1, 1, 0);
    expect(bank.read(2, 1)).toBe(9);
  });
});

describe('defineDevice', () => {
  const counter = defineDevice({
    type: 'counter',
    title: 'a counter for this test',
    stateVersion: 3,
    create(device, { step = 1 }: { step?: number }) {
      const bank = device.registers('io', { COUNT: { offset: 0, width: 4 } });
      const state = device.state({ expirations: 0 });
      const irq = device.line('irq');
      const timer = device.timer('tick', () => {
        state.expirations += step;
        irq.set(true);
      });
      bank.behave({
        COUNT: { read: () => state.expirations, write: (value) => timer.arm(device.scheduler.nowNs + value) },
      });
      return { bank, irq };
    },
  });

  it('saves and restores registers, state, timers and lines by name', () => {
    const scheduler = new Scheduler();
    const device = counter({ scheduler, name: 'c0' }, { step: 2 });
    device.bank.write(0, 4, 100);
    const saved = device.saveState();
    expect(saved).toEqual({
      type: 'counter',
      version: 3,
      fields: {
        registers: { io: { COUNT: 100 } },
        timers: { tick: 100 },
        lines: { irq: false },
        state: { expirations: 0 },
      },
    });
    const twinScheduler = new Scheduler();
    const twin = counter({ scheduler: twinScheduler, name: 'twin' }, { step: 2 });
    twin.restoreState(saved);
    twinScheduler.setTime(100);
    twinScheduler.fireDue();
    expect([twin.irq.level, twin.bank.read(0, 4)]).toEqual([true, 2]);
    twin.reset();
    expect([twin.irq.level, twin.bank.read(0, 4)]).toEqual([false, 0]);
  });

  it('refuses a state of another type or version', () => {
    const device = counter({ scheduler: new Scheduler(), name: 'c0' }, {});
    expect(() => device.restoreState({ ...device.saveState(), version: 2 })).toThrow(
      'counter v2 does not fit counter v3',
    );
  });
});
