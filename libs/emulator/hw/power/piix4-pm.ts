// Power management I/O block of the PIIX4 (function 3): ACPI registers, power-management timer, soft off.
// Intel, "82371AB PCI-to-ISA / IDE Xcelerator (PIIX4)", order number 290562-001, April 1997, chapter 7 (power management
// I/O space registers) and sections 11.6.1 (SCI generation) and 11.6.2 (power management timer).
//
// The block shows up on the bus where function 3's PMBASE puts it. Decision: setting SUS_EN with the type "soft off"
// powers off at once. The part waits for the CPU's stop-grant special cycle first; nothing runs between the two that
// could notice, and a CPU model without a stop-clock pin would never send one.
import { defineDevice } from '../device.js';
import { Oscillator } from '../oscillator.js';
import { bit, bits, registerMap } from '../registers.js';

/** A quarter of the 14.31818 MHz crystal. */
const TIMER_HZ = 3_579_545;
const TIMER_MODULUS = 2 ** 24;
/** The timer's status bit marks every change of its most significant bit, 23. */
const TIMER_HALF = 2 ** 23;

/** SUS_TYP encoding (PMCNTRL 12:10) of soft off, the only suspend state that a board here reacts to. */
const SOFT_OFF = 0;

const REGISTERS = registerMap({
  PMSTS: {
    offset: 0x00,
    width: 2,
    access: 'w1c',
    fields: {
      TMROF_STS: bit(0),
      BM_STS: bit(4),
      GBL_STS: bit(5),
      PWRBTN_STS: bit(8),
      RTC_STS: bit(10),
      RSM_STS: bit(15),
    },
  },
  PMEN: { offset: 0x02, width: 2, fields: { TMROF_EN: bit(0), GBL_EN: bit(5), PWRBTN_EN: bit(8), RTC_EN: bit(10) } },
  PMCNTRL: {
    offset: 0x04,
    width: 2,
    fields: { SCI_EN: bit(0), BRLD_EN_BM: bit(1), GBL_RLS: bit(2, 'wo'), SUS_TYP: bits(12, 10), SUS_EN: bit(13, 'wo') },
  },
  PMTMR: { offset: 0x08, width: 4, access: 'ro' },
  GPSTS: {
    offset: 0x0c,
    width: 2,
    access: 'w1c',
    fields: { THRM_STS: bit(0), RI_STS: bit(10), LID_STS: bit(11), GPI_STS: bit(9) },
  },
  GPEN: {
    offset: 0x0e,
    width: 2,
    fields: { THRM_EN: bit(0), USB_EN: bit(8), GPI_EN: bit(9), RI_EN: bit(10), LID_EN: bit(11) },
  },
  PCNTRL: { offset: 0x10, width: 4 },
  PLVL2: { offset: 0x14, access: 'ro' },
  PLVL3: { offset: 0x15, access: 'ro' },
  GLBSTS: { offset: 0x18, width: 2, access: 'w1c' },
  DEVSTS: { offset: 0x1c, width: 4, access: 'w1c' },
  GLBEN: { offset: 0x20, width: 2 },
  GLBCTL: { offset: 0x28, width: 4 },
  DEVCTL: { offset: 0x2c, width: 4 },
  GPIREG: { offset: 0x30, width: 4, access: 'ro', reset: 0x003f_ffff },
  GPOREG: { offset: 0x34, width: 4, reset: 0x7fff_bfff },
});

export interface Piix4PmProperties {
  /** Called when the guest switches the machine off. */
  readonly powerOff: () => void;
}

export const piix4Pm = defineDevice({
  type: 'piix4-pm',
  title: 'PIIX4 power management',
  stateVersion: 1,

  create(device, { powerOff }: Piix4PmProperties) {
    const clock = new Oscillator(TIMER_HZ);
    const registers = device.registers('io', REGISTERS);
    const { PMSTS, PMEN, PMCNTRL } = registers.reg;
    /** System control interrupt, to IRQ 9. */
    const sci = device.line('sci');
    /** Changes of timer bit 23 that the status bit has accounted for. */
    const seen = device.state({ timerChanges: 0 }, { survivesReset: true });
    const overflow = device.timer('timer-overflow', () => refresh());
    const timerChanges = (): number => Math.floor(clock.cyclesAt(device.scheduler.nowNs) / TIMER_HALF);

    /** Brings the timer status up to date, drives SCI, and wakes for the next overflow if somebody waits for it. */
    function refresh(): void {
      const changes = timerChanges();
      if (changes > seen.timerChanges) PMSTS.TMROF_STS = 1;
      seen.timerChanges = changes;
      sci.set(PMCNTRL.SCI_EN === 1 && (PMSTS.value & PMEN.value) !== 0);
      if (PMEN.TMROF_EN && !PMSTS.TMROF_STS) overflow.arm(clock.timeOf((changes + 1) * TIMER_HALF));
      else overflow.disarm();
    }

    registers.behave({
      PMSTS: {
        read: () => {
          refresh();
          return PMSTS.value;
        },
        write: refresh,
      },
      PMEN: { write: refresh },
      PMCNTRL: {
        write: refresh,
        fields: {
          SUS_EN: {
            write: (enter) => {
              PMCNTRL.SUS_EN = 0;
              if (enter && PMCNTRL.SUS_TYP === SOFT_OFF) powerOff();
            },
          },
        },
      },
      PMTMR: { read: () => clock.cyclesAt(device.scheduler.nowNs) % TIMER_MODULUS },
    });
    device.onReset(() => {
      seen.timerChanges = timerChanges();
    });

    return {
      registers,
      sci,
      /** Someone presses the power button: the operating system is asked to shut down. */
      pressPowerButton(): void {
        PMSTS.PWRBTN_STS = 1;
        refresh();
      },
    };
  },
});

export type Piix4Pm = ReturnType<typeof piix4Pm>;
