import { describe, expect, it } from '@jest/globals';
import type { ComponentState } from '../core/index.js';
import { Scheduler } from '../core/index.js';
import { AddressSpace } from '../memory/index.js';
import { ns16550 } from './char/index.js';
import { i8259Pair } from './intc/index.js';
import { i8254, mc146818 } from './timer/index.js';

/** The ISA parts of a PC-style board on one bus, and a driver that serves interrupts as a kernel would. */
function setUp() {
  const scheduler = new Scheduler();
  const isa = new AddressSpace('isa', 0x10000);
  const pic = i8259Pair({ scheduler, name: 'pic' }, {});
  const pit = i8254({ scheduler, name: 'pit' }, {});
  const rtc = mc146818({ scheduler, name: 'rtc' }, { startSeconds: 0 });
  const sent: number[] = [];
  const console = {
    hasInput: false,
    receive: () => -1,
    onInput: () => undefined,
    transmit: (byte: number) => sent.push(byte),
  };
  const uart = ns16550({ scheduler, name: 'uart' }, { console });
  isa.mapMmio('pic1', 0x20, 2, pic.master);
  isa.mapMmio('pic2', 0xa0, 2, pic.slave);
  isa.mapMmio('pit', 0x40, 4, pit.counters);
  isa.mapMmio('rtc', 0x70, 2, rtc.ports);
  isa.mapMmio('uart', 0x3f8, 8, uart.registers);
  pit.out0.connect(pic.input(0));
  uart.irq.connect(pic.input(4));
  rtc.irq.connect(pic.input(8));

  const out = (port: number, ...values: number[]): void =>
    values.forEach((value) => isa.write(port, 1, value, 'little'));
  const inb = (port: number): number => isa.read(port, 1, 'little');
  const devices = { pic, pit, rtc, uart };
  return { scheduler, devices, sent, out, inb };
}
type Machine = ReturnType<typeof setUp>;

function program({ out }: Machine): void {
  out(0x20, 0x11);
  out(0x21, 0x20, 0x04, 0x01, 0x00);
  out(0xa0, 0x11);
  out(0xa1, 0x28, 0x02, 0x01, 0x00);
  out(0x43, 0x34);
  out(0x40, 0x9c, 0x2e); // 11932 cycles: 100 Hz
  out(0x70, 0x0a);
  out(0x71, 0x2a); // 64 Hz
  out(0x70, 0x0b);
  out(0x71, 0x42);
  out(0x3fb, 0x03);
  out(0x3f9, 0x02); // transmitter empty
}

/** Runs to a virtual time, serving interrupts; returns them as `time in ms: vector`. */
function serve(machine: Machine, untilNs: number): string[] {
  const { scheduler, devices, out, inb } = machine;
  const served: string[] = [];
  for (;;) {
    while (devices.pic.intr.level) {
      const vector = devices.pic.acknowledge();
      served.push(`${(scheduler.nowNs / 1e6).toFixed(1)}: ${vector.toString(16)}`);
      if (vector === 0x24 && (inb(0x3fa) & 0x0f) === 0x02 && machine.sent.length < 3) out(0x3f8, 0x41);
      if (vector === 0x28) {
        out(0x70, 0x0c);
        inb(0x71);
        out(0xa0, 0x20);
      }
      out(0x20, 0x20);
    }
    if (scheduler.nextDeadlineNs > untilNs) return served;
    scheduler.setTime(scheduler.nextDeadlineNs);
    scheduler.fireDue();
  }
}

describe('the interrupt path of a PC-style board', () => {
  it('delivers timer, real-time clock and serial interrupts in time and order', () => {
    const machine = setUp();
    program(machine);
    expect(serve(machine, 41e6)).toEqual([
      '0.0: 24',
      '0.0: 24',
      '0.0: 24',
      '0.0: 24',
      '10.0: 20',
      '15.6: 28',
      '20.0: 20',
      '30.0: 20',
      '31.3: 28',
      '40.0: 20',
    ]);
    expect(machine.sent).toEqual([0x41, 0x41, 0x41]);
  });

  it('goes on the same after a restore, in whatever order the parts are restored', () => {
    const original = setUp();
    program(original);
    serve(original, 25e6);
    const saved = Object.entries(original.devices).map(([name, device]): [string, ComponentState] => [
      name,
      device.saveState(),
    ]);
    const expected = serve(original, 200e6);
    expect(expected.length).toBeGreaterThan(20);
    for (const order of [saved, saved.toReversed()]) {
      const twin = setUp();
      twin.sent.push(0x41, 0x41, 0x41);
      twin.scheduler.setTime(25e6);
      for (const [name, state] of order) twin.devices[name as keyof Machine['devices']].restoreState(state);
      expect(serve(twin, 200e6)).toEqual(expected);
    }
  });
});
