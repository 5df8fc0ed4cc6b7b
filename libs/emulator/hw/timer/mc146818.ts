// MC146818 real-time clock with CMOS memory behind an index/data port pair.
// Motorola, "MC146818 Real-Time Clock Plus RAM (RTC)", ADI-856R2, 1988: sections "Time, Calendar, and Alarm
// Locations" (tables 2 and 3), "Update Cycle" (table 6), "Registers"; address ports and 128 bytes: Intel, "82371AB
// (PIIX4)", order number 290562-001, registers RTCI and RTCD.
//
// Time is the configured start plus virtual time. Flags are brought up to date when somebody looks, so that a clock
// nobody listens to costs no events; the timer runs only for enabled interrupts.
import { defineDevice } from '../device.js';
import { Oscillator } from '../oscillator.js';
import { bit, bits, registerMap } from '../registers.js';
import type { CalendarFormat } from './mc146818-calendar.js';
import { addSeconds, alarmMatches, encodeTime } from './mc146818-calendar.js';

const TIME_BASE_HZ = 32_768;
const NS_PER_SECOND = 1_000_000_000;
/** Table 6, 32.768 kHz time base: the update cycle takes 1984 µs, and UIP announces it 244 µs before. */
const UPDATE_IN_PROGRESS_NS = (1984 + 244) * 1000;
/** DV 2:0 that lets the divider run from a 32.768 kHz crystal, and the two that hold it in reset. */
const DIVIDER_RUNS = 2;
const DIVIDER_RESET = 6;
/** Released from reset, the divider makes its first update half a second later. */
const FIRST_UPDATE_NS = NS_PER_SECOND / 2;
/** Any alarm that can match does so within a day. */
const SECONDS_PER_DAY = 86_400;

const PORTS = registerMap({
  INDEX: { offset: 0, access: 'wo', fields: { ADDRESS: bits(6, 0), NMI_DISABLE: bit(7) } },
  DATA: { offset: 1 },
});

/** Bytes 0 to 9 hold the time and the alarm; the rest of the 128 is memory. */
const REG_A = 10;
const REG_C = 12;
const REG_D = 13;
const CONTROL = registerMap({
  A: { offset: 0, reset: 0x26, fields: { RS: bits(3, 0), DV: bits(6, 4), UIP: bit(7, 'ro') } },
  B: {
    offset: 1,
    reset: 0x02,
    fields: { DSE: bit(0), H24: bit(1), DM: bit(2), SQWE: bit(3), UIE: bit(4), AIE: bit(5), PIE: bit(6), SET: bit(7) },
  },
  C: { offset: 2, fields: { UF: bit(4, 'rc'), AF: bit(5, 'rc'), PF: bit(6, 'rc'), IRQF: bit(7, 'ro') } },
  D: { offset: 3, fields: { VRT: bit(7, 'ro', 1) } },
});

export interface Mc146818Properties {
  /** Unix seconds that the clock shows at virtual time 0. */
  readonly startSeconds: number;
}

export const mc146818 = defineDevice({
  type: 'mc146818',
  title: 'MC146818 real-time clock and CMOS memory',
  stateVersion: 1,
  deviceTree: () => ({ compatible: ['motorola,mc146818'] }),

  create(device, { startSeconds }: Mc146818Properties) {
    const { scheduler } = device;
    const timeBase = new Oscillator(TIME_BASE_HZ);
    const ports = device.registers('ports', PORTS, { undefinedByte: 0xff });
    const control = device.registers('control', CONTROL, { survivesReset: true });
    const { A, B, C } = control.reg;
    const irq = device.line('irq');
    const battery = device.state(
      {
        bytes: new Uint8Array(128),
        /** Virtual time at which the divider chain began its current count; updates happen at whole seconds from here. */
        dividerStartNs: 0,
        /** Up to here flags and time are up to date. */
        settledNs: 0,
      },
      { survivesReset: true },
    );
    const alarm = device.timer('interrupt', () => refresh());

    const format = (): CalendarFormat => ({ binary: B.DM === 1, hours24: B.H24 === 1 });
    const isRunning = (): boolean => A.DV === DIVIDER_RUNS;
    const updatesAt = (timeNs: number): number => Math.floor((timeNs - battery.dividerStartNs) / NS_PER_SECOND);
    /** Cycles of the 32.768 kHz time base per periodic interrupt (table 5), 0 for none. */
    const periodCycles = (): number => (A.RS === 0 ? 0 : A.RS < 3 ? 1 << (A.RS + 6) : 1 << (A.RS - 1));
    const periodsAt = (timeNs: number): number =>
      Math.floor(timeBase.cyclesAt(Math.max(timeNs - battery.dividerStartNs, 0)) / periodCycles());

    /** Brings time and flags up to the present. */
    function settle(): void {
      const nowNs = scheduler.nowNs;
      if (isRunning()) {
        if (periodCycles() > 0 && periodsAt(nowNs) > periodsAt(battery.settledNs)) C.PF = 1;
        const updates = updatesAt(nowNs) - updatesAt(battery.settledNs);
        if (updates > 0 && !B.SET) update(updates);
      }
      battery.settledNs = nowNs;
    }

    function update(seconds: number): void {
      C.UF = 1;
      const { bytes } = battery;
      // Step by second only where the alarm may match, which is periodic by day.
      const inSteps = C.AF ? 0 : Math.min(seconds, SECONDS_PER_DAY);
      if (seconds > inSteps) addSeconds(bytes, seconds - inSteps, format());
      for (let step = 0; step < inSteps; step++) {
        addSeconds(bytes, 1, format());
        if (alarmMatches(bytes)) C.AF = 1;
      }
    }

    /** Settles, drives the interrupt line and wakes for the next event that an enabled interrupt waits for. */
    function refresh(): void {
      settle();
      const active = (C.PF && B.PIE) || (C.AF && B.AIE) || (C.UF && B.UIE);
      C.IRQF = active ? 1 : 0;
      irq.set(C.IRQF === 1);
      alarm.disarm();
      if (!isRunning() || active) return;
      let nextNs = Infinity;
      if (B.PIE && periodCycles() > 0) {
        const nextCycle = (periodsAt(scheduler.nowNs) + 1) * periodCycles();
        nextNs = battery.dividerStartNs + timeBase.timeOf(nextCycle);
      }
      if ((B.UIE || B.AIE) && !B.SET) {
        nextNs = Math.min(nextNs, battery.dividerStartNs + (updatesAt(scheduler.nowNs) + 1) * NS_PER_SECOND);
      }
      if (nextNs !== Infinity) alarm.arm(nextNs);
    }

    /** UIP: from 244 µs before an update cycle until its end, when the new time is there. */
    function updateInProgress(): number {
      if (!isRunning() || B.SET) return 0;
      const untilUpdate = battery.dividerStartNs + (updatesAt(scheduler.nowNs) + 1) * NS_PER_SECOND - scheduler.nowNs;
      return untilUpdate <= UPDATE_IN_PROGRESS_NS ? 1 : 0;
    }

    control.behave({
      A: {
        fields: {
          UIP: { read: updateInProgress },
          DV: {
            write: (divider, previous) => {
              if (divider === DIVIDER_RUNS && previous >= DIVIDER_RESET) {
                battery.dividerStartNs = scheduler.nowNs + FIRST_UPDATE_NS - NS_PER_SECOND;
              }
            },
          },
        },
      },
      B: {
        fields: {
          SET: {
            write: (set) => {
              if (set) B.UIE = 0; // "cleared when the SET bit goes high"
            },
          },
        },
      },
    });

    function readByte(address: number): number {
      if (address < REG_A || address > REG_D) {
        settle();
        return battery.bytes[address] ?? 0;
      }
      // Software polls A for a second at a time; only C shows flags and changes when it is read.
      if (address !== REG_C) return control.read(address - REG_A, 1);
      refresh();
      const value = control.read(address - REG_A, 1);
      refresh();
      return value;
    }

    function writeByte(address: number, value: number): void {
      settle();
      if (address < REG_A || address > REG_D) battery.bytes[address] = value;
      else if (address < REG_D - 1) control.write(address - REG_A, 1, value);
      refresh();
    }

    ports.behave({
      DATA: {
        read: () => readByte(ports.reg.INDEX.ADDRESS),
        write: (value) => writeByte(ports.reg.INDEX.ADDRESS, value),
      },
    });

    encodeTime(battery.bytes, startSeconds, format());
    battery.settledNs = scheduler.nowNs;
    battery.dividerStartNs = 0;
    device.onReset(() => {
      settle();
      B.PIE = B.AIE = B.UIE = B.SQWE = 0;
      C.value = 0;
      refresh();
    });

    return { ports, irq };
  },
});

export type Mc146818 = ReturnType<typeof mc146818>;
