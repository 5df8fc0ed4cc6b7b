// 16550A UART. National Semiconductor, "PC16550D Universal Asynchronous Receiver/Transmitter with FIFOs", June 1995:
// sections 8.1 to 8.10 (registers; tables II and IV), 8.8 (loopback), 8.11 (FIFO interrupt mode operation).
//
// Decision: a transmitted byte leaves at once, so THRE and TEMT never drop. With the time that 9600 baud takes, a kernel
// that prints its boot messages by polling THRE would spend 1 ms of virtual time, in instructions, on every character;
// nothing a driver can rely on needs the wait. The THRE interrupt keeps its edges: writing THR clears it, the byte's
// departure raises it again. Receiving does take the line's time per character, because drivers tell a burst of input
// from an idle line by it (trigger levels and the time-out interrupt).
import type { ByteOrder, ConsolePort } from '../../core/index.js';
import { defineDevice } from '../device.js';
import { bit, bits, registerMap } from '../registers.js';

const FIFO_BYTES = 16;
/** Section 8.5: receiver interrupt trigger levels by FCR 7:6. */
const TRIGGER_LEVELS = [1, 4, 8, 14] as const;
/** Section 8.11: the receiver times out after four character times without activity. */
const TIMEOUT_CHARACTERS = 4;

/** Bits of LSR that belong to one received character. */
const BREAK_INDICATION = 0x10;
const CHARACTER_ERRORS = 0x1c;

/** Table IV: IIR 3:0 by source, in falling priority. */
const Interrupt = {
  LineStatus: 0x6,
  DataAvailable: 0x4,
  TimeOut: 0xc,
  TransmitterEmpty: 0x2,
  ModemStatus: 0x0,
  None: 0x1,
} as const;

const REGISTERS = registerMap({
  RBR: { offset: 0, access: 'ro' },
  THR: { offset: 0, access: 'wo' },
  IER: { offset: 1, fields: { ERBFI: bit(0), ETBEI: bit(1), ELSI: bit(2), EDSSI: bit(3) } },
  IIR: { offset: 2, access: 'ro', reset: Interrupt.None },
  FCR: {
    offset: 2,
    access: 'wo',
    fields: { ENABLE: bit(0), RX_RESET: bit(1), TX_RESET: bit(2), DMA: bit(3), TRIGGER: bits(7, 6) },
  },
  LCR: {
    offset: 3,
    fields: { WLS: bits(1, 0), STB: bit(2), PEN: bit(3), EPS: bit(4), STICK: bit(5), BREAK: bit(6), DLAB: bit(7) },
  },
  MCR: { offset: 4, fields: { DTR: bit(0), RTS: bit(1), OUT1: bit(2), OUT2: bit(3), LOOP: bit(4) } },
  LSR: {
    offset: 5,
    access: 'ro',
    fields: {
      DR: bit(0),
      OE: bit(1, 'rc'),
      PE: bit(2, 'rc'),
      FE: bit(3, 'rc'),
      BI: bit(4, 'rc'),
      THRE: bit(5, 'ro', 1),
      TEMT: bit(6, 'ro', 1),
      FIFO_ERROR: bit(7),
    },
  },
  MSR: {
    offset: 6,
    access: 'ro',
    fields: {
      DCTS: bit(0, 'rc'),
      DDSR: bit(1, 'rc'),
      TERI: bit(2, 'rc'),
      DDCD: bit(3, 'rc'),
      CTS: bit(4, 'ro', 1),
      DSR: bit(5, 'ro', 1),
      RI: bit(6),
      DCD: bit(7, 'ro', 1),
    },
  },
  SCR: { offset: 7 },
  // The divisor latches are undefined after power-on; these give 9600 baud from the usual crystal.
  DLL: { offset: 0, reset: 12 },
  DLM: { offset: 1 },
});

export interface Ns16550Properties {
  readonly console: ConsolePort;
  /** Input clock; the baud rate is `clockHz / 16 / divisor`. Default 1.8432 MHz. */
  readonly clockHz?: number;
  /** Address spacing of the registers, `1 << regShift` bytes. Default 0. */
  readonly regShift?: number;
  /** Byte order of the bus, which decides the byte lane of spaced registers. Default little. */
  readonly byteOrder?: ByteOrder;
  /**
   * The UART of an SMSC super I/O chip, whose divisors 32769 and 32770 select 460800 and 230400 baud (SMSC, "FDC37M81x",
   * serial port, table of baud rates). Default false.
   */
  readonly highSpeedDivisors?: boolean;
  /**
   * How careful the far end is. `none`: it sends whenever the FIFO has room. `rts`: it sends only while the guest
   * asserts RTS, and sends again what the guest clears from the FIFO unread, so that nothing is lost that was typed
   * before a kernel opened the port. Default `none`.
   */
  readonly handshake?: 'none' | 'rts';
}

export const ns16550 = defineDevice({
  type: 'ns16550',
  title: '16550A UART',
  stateVersion: 1,
  deviceTree: ({ clockHz = 1_843_200, regShift = 0 }: Ns16550Properties) => ({
    compatible: ['ns16550a'],
    properties: { 'clock-frequency': [clockHz], 'reg-shift': [regShift] },
  }),

  create(device, properties) {
    const {
      console,
      clockHz = 1_843_200,
      regShift = 0,
      byteOrder,
      highSpeedDivisors = false,
      handshake = 'none',
    } = properties;
    const registers = device.registers('io', REGISTERS, { regShift, byteOrder });
    const { reg } = registers;
    const irq = device.line('irq');
    const fifo = device.state({
      data: new Uint8Array(FIFO_BYTES),
      /** Error bits of LSR for the character in the same place. */
      errors: new Uint8Array(FIFO_BYTES),
      /** 1 where the character came from the far end, 0 where it came from loopback. */
      fromOutside: new Uint8Array(FIFO_BYTES),
      head: 0,
      count: 0,
    });
    const farEnd = device.state({ sendAgain: [] as number[] });
    const pending = device.state({ transmitterEmpty: false, timeOut: false });
    const timeOut = device.timer('receive-time-out', () => {
      pending.timeOut = fifo.count > 0;
      updateInterrupt();
    });
    /** The character that is being shifted in. */
    const shifter = device.timer('receive', () => {
      if (!maySend()) return;
      receiveCharacter(farEnd.sendAgain.shift() ?? console.receive() & 0xff, 0, true);
      continueReceiving();
    });

    const capacity = (): number => (reg.FCR.ENABLE ? FIFO_BYTES : 1);
    const maySend = (): boolean =>
      (console.hasInput || farEnd.sendAgain.length > 0) &&
      !reg.MCR.LOOP &&
      fifo.count < capacity() &&
      (handshake === 'none' || reg.MCR.RTS === 1);

    function characterTimeNs(): number {
      const latch = (reg.DLM.value << 8) | reg.DLL.value || 0x10000;
      const isHighSpeed = highSpeedDivisors && (latch === 0x8001 || latch === 0x8002);
      const divisor = isHighSpeed ? (latch - 0x8000) / 4 : latch;
      const stopBits = reg.LCR.STB === 0 ? 1 : reg.LCR.WLS === 0 ? 1.5 : 2;
      const bitsPerCharacter = 1 + (5 + reg.LCR.WLS) + reg.LCR.PEN + stopBits;
      return Math.round((bitsPerCharacter * 16 * divisor * 1e9) / clockHz);
    }

    /** Lets the next character begin, if the far end has one and may send it. */
    function continueReceiving(): void {
      if (!shifter.armed && maySend()) shifter.arm(device.scheduler.nowNs + characterTimeNs());
    }

    function receiveCharacter(character: number, errors: number, fromOutside = false): void {
      if (fifo.count === capacity()) {
        reg.LSR.OE = 1;
        // Without FIFO the new character replaces the old one; a full FIFO keeps its contents (section 8.4, bit 1).
        if (!reg.FCR.ENABLE) {
          returnUnread();
          fifo.data[fifo.head] = character;
          fifo.fromOutside[fifo.head] = fromOutside ? 1 : 0;
        }
      } else {
        const tail = (fifo.head + fifo.count) % FIFO_BYTES;
        fifo.data[tail] = character;
        fifo.errors[tail] = errors;
        fifo.fromOutside[tail] = fromOutside ? 1 : 0;
        fifo.count++;
        if (fifo.count === 1) revealErrors();
      }
      if (!pending.timeOut) restartTimeOut();
      updateReceiver();
    }

    /** The errors of a character show in LSR when it comes to the top of the FIFO. */
    function revealErrors(): void {
      reg.LSR.value |= (fifo.errors[fifo.head] ?? 0) & CHARACTER_ERRORS;
    }

    function readCharacter(): number {
      if (fifo.count > 0) {
        reg.RBR.value = fifo.data[fifo.head] ?? 0;
        fifo.errors[fifo.head] = 0;
        fifo.head = (fifo.head + 1) % FIFO_BYTES;
        fifo.count--;
        if (fifo.count > 0) revealErrors();
      }
      pending.timeOut = false;
      restartTimeOut();
      updateReceiver();
      continueReceiving();
      return reg.RBR.value;
    }

    function restartTimeOut(): void {
      if (reg.FCR.ENABLE && fifo.count > 0)
        timeOut.arm(device.scheduler.nowNs + TIMEOUT_CHARACTERS * characterTimeNs());
      else timeOut.disarm();
    }

    /** Lets a careful far end have what the guest is about to lose. */
    function returnUnread(): void {
      if (handshake === 'none') return;
      const places = Array.from({ length: fifo.count }, (_, index) => (fifo.head + index) % FIFO_BYTES);
      const lost = places.filter((place) => fifo.fromOutside[place]).map((place) => fifo.data[place] ?? 0);
      farEnd.sendAgain.unshift(...lost);
    }

    function clearReceiver(): void {
      returnUnread();
      fifo.head = 0;
      fifo.count = 0;
      fifo.errors.fill(0);
      pending.timeOut = false;
      timeOut.disarm();
      updateReceiver();
    }

    function updateReceiver(): void {
      reg.LSR.DR = fifo.count > 0 ? 1 : 0;
      reg.LSR.FIFO_ERROR = reg.FCR.ENABLE && fifo.errors.some((errors) => errors !== 0) ? 1 : 0;
      updateInterrupt();
    }

    function transmit(character: number): void {
      pending.transmitterEmpty = false;
      updateInterrupt();
      if (reg.MCR.LOOP) receiveCharacter(character, 0);
      else console.transmit(character);
      pending.transmitterEmpty = true;
      updateInterrupt();
    }

    /** The most important source that is both active and enabled. */
    function interruptSource(): number {
      const { IER, LSR, MSR } = reg;
      if (IER.ELSI && (LSR.OE || LSR.PE || LSR.FE || LSR.BI)) return Interrupt.LineStatus;
      const trigger = reg.FCR.ENABLE ? (TRIGGER_LEVELS[reg.FCR.TRIGGER] ?? 1) : 1;
      if (IER.ERBFI && fifo.count >= trigger) return Interrupt.DataAvailable;
      if (IER.ERBFI && pending.timeOut) return Interrupt.TimeOut;
      if (IER.ETBEI && pending.transmitterEmpty) return Interrupt.TransmitterEmpty;
      if (IER.EDSSI && (MSR.DCTS || MSR.DDSR || MSR.TERI || MSR.DDCD)) return Interrupt.ModemStatus;
      return Interrupt.None;
    }

    function updateInterrupt(): void {
      irq.set(interruptSource() !== Interrupt.None);
    }

    function identifyInterrupt(): number {
      const source = interruptSource();
      if (source === Interrupt.TransmitterEmpty) pending.transmitterEmpty = false;
      updateInterrupt();
      return source | (reg.FCR.ENABLE ? 0xc0 : 0);
    }

    function controlFifos(written: number, previous: number): void {
      const enabled = written & 1;
      if (enabled !== (previous & 1)) clearReceiver(); // changing the mode empties the FIFOs (section 8.5)
      if (!enabled) reg.FCR.value = 0; // the other bits are only programmed together with the enable bit
      if (reg.FCR.RX_RESET) clearReceiver();
      reg.FCR.RX_RESET = 0;
      reg.FCR.TX_RESET = 0;
      updateReceiver();
      continueReceiving();
    }

    /** Modem inputs: a connected far end that is always ready, or the modem outputs in loopback (section 8.8). */
    function updateModem(): void {
      const { MCR, MSR } = reg;
      const [cts, dsr, ri, dcd] = MCR.LOOP ? [MCR.RTS, MCR.DTR, MCR.OUT1, MCR.OUT2] : [1, 1, 0, 1];
      if (cts !== MSR.CTS) MSR.DCTS = 1;
      if (dsr !== MSR.DSR) MSR.DDSR = 1;
      if (MSR.RI && !ri) MSR.TERI = 1;
      if (dcd !== MSR.DCD) MSR.DDCD = 1;
      MSR.CTS = cts;
      MSR.DSR = dsr;
      MSR.RI = ri;
      MSR.DCD = dcd;
      updateInterrupt();
      continueReceiving();
    }

    const latchClosed = (): boolean => reg.LCR.DLAB === 0;
    const latchOpen = (): boolean => reg.LCR.DLAB === 1;
    registers.behave({
      RBR: { when: latchClosed, read: readCharacter },
      THR: { when: latchClosed, write: transmit },
      DLL: { when: latchOpen },
      DLM: { when: latchOpen },
      IER: {
        when: latchClosed,
        write: updateInterrupt,
        fields: {
          ETBEI: {
            write: (enabled, previous) => {
              // The holding register is always empty, so enabling the interrupt raises it (section 8.6).
              if (enabled && !previous) pending.transmitterEmpty = true;
            },
          },
        },
      },
      IIR: { read: identifyInterrupt },
      FCR: { write: controlFifos },
      LCR: {
        fields: {
          BREAK: {
            write: (sending, previous) => {
              if (sending && !previous && reg.MCR.LOOP) receiveCharacter(0, BREAK_INDICATION);
            },
          },
        },
      },
      MCR: { write: updateModem },
      LSR: {
        read: (value) => {
          if (fifo.count > 0) fifo.errors[fifo.head] = 0;
          updateReceiver();
          return value;
        },
      },
      MSR: {
        read: (value) => {
          updateInterrupt();
          return value;
        },
      },
    });

    console.onInput(continueReceiving);
    device.onReset(continueReceiving);
    device.onRestore(continueReceiving);

    return { registers, irq };
  },
});

export type Ns16550 = ReturnType<typeof ns16550>;
