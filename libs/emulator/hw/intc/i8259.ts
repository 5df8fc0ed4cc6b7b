// Pair of 8259A programmable interrupt controllers as wired in PC south bridges: slave INT on master IR2.
// Intel, "8259A Programmable Interrupt Controller", order number 231468-003, December 1988 (sections "Initialization
// Command Words" and "Operation Command Words"); edge/level control registers: Intel, "82371AB PCI-to-ISA / IDE
// Xcelerator (PIIX4)", order number 290562-001, April 1997, registers ELCR1 and ELCR2.
//
// As in the PIIX4, ELCR replaces the LTIM bit of ICW1, and only the 8086 mode exists: an acknowledge gives one vector.
import type { LineSink } from '../../core/index.js';
import type { DeviceBuilder } from '../device.js';
import { defineDevice } from '../device.js';
import { bit, bits, registerMap } from '../registers.js';

/** The master's input that carries the slave's INT. */
const CASCADE_INPUT = 2;
/** Vector offset that an acknowledge gives when the request has gone: "default IR7". */
const SPURIOUS_LEVEL = 7;
/** What the bus reads when no controller drives it. */
const FLOATING_BUS = 0xff;

const REGISTERS = registerMap({
  /** Offset 0, read: IRR or ISR as OCW3 selected, or the answer to a poll. */
  STATUS: { offset: 0, access: 'ro' },
  ICW1: { offset: 0, access: 'wo', fields: { IC4: bit(0), SNGL: bit(1), ADI: bit(2), LTIM: bit(3), A7_5: bits(7, 5) } },
  OCW3: { offset: 0, access: 'wo', fields: { RR: bits(1, 0), P: bit(2), SMM: bits(6, 5) } },
  OCW2: { offset: 0, access: 'wo', fields: { L: bits(2, 0), COMMAND: bits(7, 5) } },
  ICW2: { offset: 1, access: 'wo', fields: { T: bits(7, 3) } },
  ICW3: { offset: 1, access: 'wo' },
  ICW4: { offset: 1, access: 'wo', fields: { UPM: bit(0), AEOI: bit(1), MS: bit(2), BUF: bit(3), SFNM: bit(4) } },
  /** Offset 1, outside of an initialization sequence: OCW1, the interrupt mask. */
  IMR: { offset: 1 },
});

/** IRQ 0, 1, 2, 8 and 13 are always edge-triggered. */
const ELCR_REGISTERS = registerMap({
  ELCR1: { offset: 0, fields: { IRQ3_7: bits(7, 3) } },
  ELCR2: { offset: 1, fields: { IRQ9_12: bits(4, 1), IRQ14_15: bits(7, 6) } },
});

/** OCW2 7:5, R SL EOI. */
const Ocw2 = {
  ClearRotateInAutoEoi: 0,
  NonSpecificEoi: 1,
  SpecificEoi: 3,
  SetRotateInAutoEoi: 4,
  RotateOnNonSpecificEoi: 5,
  SetPriority: 6,
  RotateOnSpecificEoi: 7,
} as const;

/** One 8259A. */
function createController(
  device: DeviceBuilder,
  name: 'master' | 'slave',
  levelTriggered: () => number,
  onOutput: (level: boolean) => void,
) {
  const registers = device.registers(name, REGISTERS);
  const { reg } = registers;
  const state = device.state(
    {
      /** Edges seen and not yet acknowledged. */
      edges: 0,
      inService: 0,
      /** The input with the lowest priority; the one after it has the highest. */
      lowest: 7,
      /** The initialization word expected next at offset 1; 0 outside of the sequence. */
      expectedIcw: 0,
      readInService: false,
      poll: false,
      specialMask: false,
      rotateInAutoEoi: false,
    },
    { group: name },
  );
  const pins = device.state({ inputs: 0 }, { group: name, survivesReset: true });

  /** Interrupt request register. An edge counts only while its input stays high (figure "IR triggering timing"). */
  const requests = (): number => pins.inputs & (state.edges | levelTriggered());

  /** The input that would be acknowledged now, or -1. */
  function pendingInput(): number {
    const asking = requests() & ~reg.IMR.value;
    if (asking === 0) return -1;
    const inhibiting = state.inService & (state.specialMask ? ~reg.IMR.value : 0xff);
    for (let rank = 1; rank <= 8; rank++) {
      const input = (state.lowest + rank) & 7;
      const mask = 1 << input;
      if (inhibiting & mask) {
        // Special fully nested mode: a slave in service may still ask for something more important of its own.
        const slaveMayNest = name === 'master' && reg.ICW4.SFNM === 1 && (reg.ICW3.value & mask) !== 0;
        return slaveMayNest && asking & mask ? input : -1;
      }
      if (asking & mask) return input;
    }
    return -1;
  }

  const update = (): void => onOutput(pendingInput() >= 0);

  function enterService(input: number): void {
    state.edges &= ~(1 << input);
    if (!reg.ICW4.AEOI) state.inService |= 1 << input;
    else if (state.rotateInAutoEoi) state.lowest = input;
    update();
  }

  function endOfInterrupt(input: number, rotate: boolean): void {
    if (input < 0) return;
    state.inService &= ~(1 << input);
    if (rotate) state.lowest = input;
  }

  /** The input a non-specific EOI means: the most important one in service that the special mask does not hide. */
  function mostImportantInService(): number {
    const visible = state.inService & (state.specialMask ? ~reg.IMR.value : 0xff);
    for (let rank = 1; rank <= 8; rank++) {
      const input = (state.lowest + rank) & 7;
      if (visible & (1 << input)) return input;
    }
    return -1;
  }

  function initialize(): void {
    reg.IMR.value = 0;
    reg.ICW3.value = 0;
    reg.ICW4.value = 0;
    Object.assign(state, { edges: 0, inService: 0, lowest: 7, expectedIcw: 2, readInService: false, poll: false });
    Object.assign(state, { specialMask: false, rotateInAutoEoi: false });
    update();
  }

  function command(): void {
    const { L: input, COMMAND: code } = reg.OCW2;
    if (code === Ocw2.NonSpecificEoi) endOfInterrupt(mostImportantInService(), false);
    else if (code === Ocw2.RotateOnNonSpecificEoi) endOfInterrupt(mostImportantInService(), true);
    else if (code === Ocw2.SpecificEoi) endOfInterrupt(input, false);
    else if (code === Ocw2.RotateOnSpecificEoi) endOfInterrupt(input, true);
    else if (code === Ocw2.SetPriority) state.lowest = input;
    else if (code === Ocw2.SetRotateInAutoEoi) state.rotateInAutoEoi = true;
    else if (code === Ocw2.ClearRotateInAutoEoi) state.rotateInAutoEoi = false;
    update();
  }

  function controlReading(): void {
    const { RR, P, SMM } = reg.OCW3;
    if (RR & 2) state.readInService = RR === 3;
    if (SMM & 2) state.specialMask = SMM === 3;
    state.poll = P === 1;
    update();
  }

  /** The read after a poll command is an acknowledge: bit 7 says whether there was a request, bits 2:0 which. */
  function answerPoll(): number {
    state.poll = false;
    const input = pendingInput();
    if (input < 0) return 0;
    enterService(input);
    return 0x80 | input;
  }

  const isIcw1 = (written: number | undefined): boolean => ((written ?? 0) & 0x10) !== 0;
  const isOcw3 = (written: number | undefined): boolean => ((written ?? 0) & 0x18) === 0x08;
  registers.behave({
    STATUS: { read: () => (state.poll ? answerPoll() : state.readInService ? state.inService : requests()) },
    ICW1: { when: isIcw1, write: initialize },
    OCW3: { when: isOcw3, write: controlReading },
    OCW2: { write: command },
    ICW2: {
      when: () => state.expectedIcw === 2,
      write: () => (state.expectedIcw = reg.ICW1.SNGL ? (reg.ICW1.IC4 ? 4 : 0) : 3),
    },
    ICW3: { when: () => state.expectedIcw === 3, write: () => (state.expectedIcw = reg.ICW1.IC4 ? 4 : 0) },
    ICW4: {
      when: () => state.expectedIcw === 4,
      write: () => {
        state.expectedIcw = 0;
        update();
      },
    },
    IMR: { read: (mask) => (state.poll ? answerPoll() : mask), write: update },
  });

  return {
    registers,
    update,
    pendingInput,
    enterService,
    setInput(input: number, level: boolean): void {
      const mask = 1 << input;
      if (level && !(pins.inputs & mask)) state.edges |= mask;
      if (!level) state.edges &= ~mask;
      pins.inputs = level ? pins.inputs | mask : pins.inputs & ~mask;
      update();
    },
    vector: (input: number): number => (reg.ICW2.T << 3) | input,
    /** Whether an acknowledge of this input is left to a slave (master), or this is the slave it is left to. */
    isCascade: (input: number): boolean => !reg.ICW1.SNGL && (reg.ICW3.value & (1 << input)) !== 0,
    slaveId: (): number => reg.ICW3.value & 7,
  };
}

export const i8259Pair = defineDevice({
  type: 'i8259-pair',
  title: '8259A interrupt controllers (master and slave)',
  stateVersion: 1,
  deviceTree: () => ({
    compatible: ['intel,i8259'],
    properties: { 'interrupt-controller': true, '#interrupt-cells': [1] },
  }),

  create(device) {
    const elcr = device.registers('elcr', ELCR_REGISTERS);
    const intr = device.line('intr');
    const master = createController(
      device,
      'master',
      () => elcr.reg.ELCR1.value,
      (level) => intr.set(level),
    );
    const slave = createController(
      device,
      'slave',
      () => elcr.reg.ELCR2.value,
      (level) => master.setInput(CASCADE_INPUT, level),
    );
    const update = (): void => {
      slave.update();
      master.update();
    };
    elcr.behave({ ELCR1: { write: update }, ELCR2: { write: update } });
    device.onReset(update);

    /**
     * The CPU's (or bridge's) interrupt acknowledge cycle: puts the most important request into service.
     * @returns the vector byte, 0..255
     */
    function acknowledge(): number {
      const input = master.pendingInput();
      if (input < 0) return master.vector(SPURIOUS_LEVEL);
      const fromSlave = master.isCascade(input) ? slave.pendingInput() : -1;
      master.enterService(input);
      if (!master.isCascade(input)) return master.vector(input);
      if (slave.slaveId() !== input) return FLOATING_BUS;
      if (fromSlave < 0) return slave.vector(SPURIOUS_LEVEL);
      slave.enterService(fromSlave);
      return slave.vector(fromSlave);
    }

    return {
      master: master.registers,
      slave: slave.registers,
      elcr,
      intr,
      acknowledge,
      /** Where an ISA interrupt line 0..15 goes; 2 is taken by the cascade. */
      input(irq: number): LineSink {
        return irq < 8 ? (level) => master.setInput(irq, level) : (level) => slave.setInput(irq - 8, level);
      },
    };
  },
});

export type I8259Pair = ReturnType<typeof i8259Pair>;
