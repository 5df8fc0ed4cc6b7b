// 8254 programmable interval timer with the PC's system control port B (0x61) around its counter 2.
// Intel, "8254 Programmable Interval Timer", order number 231164-005, sections "Control Word Format", "Read-Back
// Command" and "Status Byte"; port 0x61: Intel, "82371AB (PIIX4)", order number 290562-001, register NMISC (NMI status
// and control).
import type { DeviceBuilder } from '../device.js';
import { defineDevice } from '../device.js';
import { Oscillator } from '../oscillator.js';
import { bit, bits, registerMap } from '../registers.js';
import { Counter, initialCounter } from './i8254-counter.js';

/** A twelfth of the PC's 14.31818 MHz crystal. */
const CLOCK_HZ = 1_193_182;
/** Counter 1 asks for a DRAM refresh every 18 cycles (15.1 µs); software times short waits by the toggling bit. */
const REFRESH_CYCLES = 18;

const COUNTERS = registerMap({
  COUNTER0: { offset: 0 },
  COUNTER1: { offset: 1 },
  COUNTER2: { offset: 2 },
  CONTROL: { offset: 3, access: 'wo', fields: { BCD: bit(0), M: bits(3, 1), RW: bits(5, 4), SC: bits(7, 6) } },
});

const SYSTEM_CONTROL = registerMap({
  NMISC: {
    offset: 0,
    fields: {
      TIM_CNT2_EN: bit(0),
      SPKR_DAT_EN: bit(1),
      PCI_SERR_EN: bit(2),
      IOCHK_EN: bit(3),
      REF_TOGGLE: bit(4, 'ro'),
      TMR2_OUT_STS: bit(5, 'ro'),
      IOCHK_NMI_STS: bit(6, 'ro'),
      SERR_NMI_STS: bit(7, 'ro'),
    },
  },
});

/** Cycles after which missed edges of the output no longer matter: two of the longest periods. */
const LONGEST_CATCH_UP = 2 * 0x10000;

/** SC value of the read-back command. */
const READ_BACK = 3;
/** RW values of the control word. */
const Access = { Latch: 0, LowByte: 1, HighByte: 2, LowThenHigh: 3 } as const;

/** Bus side of one counter: byte order of reads and writes, latches, BCD. */
function createChannel(device: DeviceBuilder, index: number, gate: boolean, cycleNow: () => number) {
  const group = `counter${index}`;
  const counter = new Counter(device.state(initialCounter(gate), { group }));
  const port = device.state(
    {
      access: Access.LowThenHigh,
      bcd: false,
      lowByte: 0,
      highByteIsNext: false,
      readsHighNext: false,
      /** Latched values, -1 for none. */
      latchedCount: -1,
      latchedStatus: -1,
    },
    { group },
  );

  const fromBus = (written: number): number => {
    if (!port.bcd) return written || 0x10000;
    const decimal = [12, 8, 4, 0].reduce((value, shift) => value * 10 + ((written >>> shift) & 15), 0);
    return decimal || 10_000;
  };
  const toBus = (value: number): number => {
    if (!port.bcd) return value;
    return [1000, 100, 10, 1].reduce((bcd, digit) => (bcd << 4) | (Math.floor(value / digit) % 10), 0);
  };
  const currentCount = (): number => toBus(counter.value(cycleNow(), port.bcd ? 10_000 : 0x10000));

  return {
    counter,

    program(mode: number, access: number, bcd: boolean): void {
      Object.assign(port, {
        access,
        bcd,
        highByteIsNext: false,
        readsHighNext: false,
        latchedCount: -1,
        latchedStatus: -1,
      });
      // Modes 6 and 7 are 2 and 3 with a don't-care bit set.
      counter.program(mode > 5 ? mode - 4 : mode, cycleNow());
    },

    latchCount(): void {
      if (port.latchedCount < 0) port.latchedCount = currentCount();
    },

    latchStatus(): void {
      if (port.latchedStatus >= 0) return;
      const output = counter.output(cycleNow());
      port.latchedStatus =
        (output ? 0x80 : 0) |
        (counter.isWaiting ? 0x40 : 0) |
        (port.access << 4) |
        (counter.mode << 1) |
        (port.bcd ? 1 : 0);
    },

    write(byte: number): void {
      const cycle = cycleNow();
      if (port.access === Access.LowByte) {
        counter.writeCount(fromBus(byte), cycle);
      } else if (port.access === Access.HighByte) {
        counter.writeCount(fromBus(byte << 8), cycle);
      } else if (!port.highByteIsNext) {
        port.lowByte = byte;
        port.highByteIsNext = true;
        counter.beginCount(cycle);
      } else {
        port.highByteIsNext = false;
        counter.writeCount(fromBus((byte << 8) | port.lowByte), cycle);
      }
    },

    read(): number {
      if (port.latchedStatus >= 0) {
        const status = port.latchedStatus;
        port.latchedStatus = -1;
        return status;
      }
      const count = port.latchedCount >= 0 ? port.latchedCount : currentCount();
      const high = port.access === Access.HighByte || (port.access === Access.LowThenHigh && port.readsHighNext);
      if (port.access === Access.LowThenHigh) port.readsHighNext = !port.readsHighNext;
      if (!port.readsHighNext) port.latchedCount = -1;
      return (high ? count >>> 8 : count) & 0xff;
    },
  };
}

export const i8254 = defineDevice({
  type: 'i8254',
  title: '8254 programmable interval timer',
  stateVersion: 1,

  create(device) {
    const clock = new Oscillator(CLOCK_HZ);
    const cycleNow = (): number => clock.cyclesAt(device.scheduler.nowNs);
    const counters = device.registers('counters', COUNTERS, { undefinedByte: 0xff });
    const systemControl = device.registers('systemControl', SYSTEM_CONTROL);
    const out0 = device.line('out0');
    const channel0 = createChannel(device, 0, true, cycleNow);
    const channel1 = createChannel(device, 1, true, cycleNow);
    const channel2 = createChannel(device, 2, false, cycleNow);
    const channels = [channel0, channel1, channel2];
    /** The cycle up to which the wire of counter 0 shows its output. */
    const wire = device.state({ cycle: 0 });
    const edge = device.timer('out0-edge', () => {
      catchUp();
      followOutput();
    });

    /**
     * Brings the wire of counter 0 up to the present, through every edge on the way: the CPU may come by a little later
     * than a strobe of one cycle lasts, and an edge-triggered listener must hear it nevertheless.
     */
    function catchUp(): void {
      const cycle = cycleNow();
      let edgeCycle = channel0.counter.nextEdge(Math.max(wire.cycle, cycle - LONGEST_CATCH_UP));
      for (; edgeCycle <= cycle; edgeCycle = channel0.counter.nextEdge(edgeCycle)) {
        out0.set(channel0.counter.output(edgeCycle));
      }
      wire.cycle = cycle;
    }

    /** After counter 0 may have changed: its level now, and the next change as an alarm. */
    function followOutput(): void {
      const cycle = cycleNow();
      out0.set(channel0.counter.output(cycle));
      const next = channel0.counter.nextEdge(cycle);
      if (next === Infinity) edge.disarm();
      else edge.arm(clock.timeOf(next));
    }

    function readBack(command: number): void {
      for (const [index, channel] of channels.entries()) {
        if (!(command & (2 << index))) continue;
        if (!(command & 0x20)) channel.latchCount();
        if (!(command & 0x10)) channel.latchStatus();
      }
    }

    function control(written: number): void {
      catchUp();
      const { SC, RW, M, BCD } = counters.reg.CONTROL;
      if (SC === READ_BACK) return readBack(written);
      const channel = channels[SC];
      if (RW === Access.Latch) channel?.latchCount();
      else channel?.program(M, RW, BCD === 1);
      followOutput();
    }

    const read0 = (): number => {
      catchUp();
      return channel0.read();
    };
    const write0 = (byte: number): void => {
      catchUp();
      channel0.write(byte);
      followOutput();
    };
    counters.behave({
      COUNTER0: { read: read0, write: write0 },
      COUNTER1: { read: channel1.read, write: channel1.write },
      COUNTER2: { read: channel2.read, write: channel2.write },
      CONTROL: { write: control },
    });
    systemControl.behave({
      NMISC: {
        fields: {
          TIM_CNT2_EN: { write: (enabled) => channel2.counter.setGate(enabled === 1, cycleNow()) },
          REF_TOGGLE: { read: () => Math.floor(cycleNow() / REFRESH_CYCLES) % 2 },
          TMR2_OUT_STS: { read: () => (channel2.counter.output(cycleNow()) ? 1 : 0) },
        },
      },
    });
    device.onReset(() => {
      wire.cycle = cycleNow();
      followOutput();
    });

    return { counters, systemControl, out0 };
  },
});

export type I8254 = ReturnType<typeof i8254>;
