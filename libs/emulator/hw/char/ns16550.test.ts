import { describe, expect, it } from '@jest/globals';
import type { ConsolePort } from '../../core/index.js';
import { Scheduler } from '../../core/index.js';
import { testDevice } from '../../testkit/device-suite.js';
import type { Ns16550Properties } from './ns16550.js';
import { ns16550 } from './ns16550.js';

/** A far end that collects what the guest sends and types what the test wants. */
class Terminal implements ConsolePort {
  readonly sent: number[] = [];
  readonly #typed: number[] = [];
  #listener: () => void = () => undefined;

  get hasInput(): boolean {
    return this.#typed.length > 0;
  }
  transmit(byte: number): void {
    this.sent.push(byte);
  }
  receive(): number {
    return this.#typed.shift() ?? -1;
  }
  onInput(listener: () => void): void {
    this.#listener = listener;
  }
  type(text: string): void {
    this.#typed.push(...Buffer.from(text, 'latin1'));
    this.#listener();
  }
  get waiting(): number {
    return this.#typed.length;
  }
}

const Port = {
  RBR: 0,
  THR: 0,
  DLL: 0,
  IER: 1,
  DLM: 1,
  IIR: 2,
  FCR: 2,
  LCR: 3,
  MCR: 4,
  LSR: 5,
  MSR: 6,
  SCR: 7,
} as const;

/** One character at 115200 baud, eight bits, no parity, one stop bit. */
const CHARACTER_NS = 86_806;

function setUp(properties: Partial<Ns16550Properties> = {}) {
  const scheduler = new Scheduler();
  const terminal = new Terminal();
  const uart = ns16550({ scheduler, name: 'uart0' }, { console: terminal, ...properties });
  const read = (port: number): number => uart.registers.read(port, 1);
  const write = (port: number, value: number): void => uart.registers.write(port, 1, value);
  const pass = (durationNs: number): void => {
    const endNs = scheduler.nowNs + durationNs;
    while (scheduler.nextDeadlineNs <= endNs) {
      scheduler.setTime(scheduler.nextDeadlineNs);
      scheduler.fireDue();
    }
    scheduler.setTime(endNs);
  };
  write(Port.LCR, 0x80);
  write(Port.DLL, 1);
  write(Port.DLM, 0);
  write(Port.LCR, 0x03);
  return { uart, terminal, read, write, pass };
}

describe('transmitter', () => {
  it('sends bytes and is empty again at once', () => {
    const { terminal, read, write } = setUp();
    write(Port.THR, 0x48);
    write(Port.THR, 0x69);
    expect(terminal.sent).toEqual([0x48, 0x69]);
    expect(read(Port.LSR)).toBe(0x60);
  });

  it('raises THRE when its interrupt is enabled, clears it when IIR names it, raises it again after a byte', () => {
    const { uart, read, write } = setUp();
    write(Port.IER, 0x02);
    expect(uart.irq.level).toBe(true);
    expect(read(Port.IIR)).toBe(0x02);
    expect([uart.irq.level, read(Port.IIR)]).toEqual([false, 0x01]);
    write(Port.THR, 0x41);
    expect([uart.irq.level, read(Port.IIR)]).toEqual([true, 0x02]);
    write(Port.IER, 0);
    write(Port.IER, 0x02);
    expect(uart.irq.level).toBe(true); // what Linux probes for in serial8250_do_startup ("THRE test")
  });

  it('makes an edge for every byte, because ISA interrupts are edge-triggered', () => {
    const { uart, write } = setUp();
    const levels: boolean[] = [];
    write(Port.IER, 0x02);
    uart.irq.connect((level) => levels.push(level));
    write(Port.THR, 0x41);
    expect(levels).toEqual([true, false, true]);
  });
});

describe('receiver with FIFO', () => {
  it('takes one character time per byte and interrupts at the trigger level', () => {
    const { uart, terminal, read, write, pass } = setUp();
    write(Port.FCR, 0x81); // trigger at 8
    write(Port.IER, 0x01);
    terminal.type('abcdefghi');
    pass(7 * CHARACTER_NS);
    expect(uart.irq.level).toBe(false);
    pass(CHARACTER_NS);
    expect([uart.irq.level, read(Port.IIR)]).toEqual([true, 0xc4]);
    expect(read(Port.RBR)).toBe(0x61);
    expect(read(Port.IIR)).toBe(0xc1);
  });

  it('interrupts by time-out four character times after the last byte', () => {
    const { uart, terminal, read, write, pass } = setUp();
    write(Port.FCR, 0x81);
    write(Port.IER, 0x01);
    terminal.type('x');
    pass(5 * CHARACTER_NS - 1);
    expect(uart.irq.level).toBe(false);
    pass(1);
    expect([uart.irq.level, read(Port.IIR)]).toEqual([true, 0xcc]);
    expect(read(Port.RBR)).toBe(0x78);
    expect([uart.irq.level, read(Port.LSR) & 1]).toEqual([false, 0]);
  });

  it('never drops input: what does not fit waits at the far end', () => {
    const { terminal, read, write, pass } = setUp();
    write(Port.FCR, 0x01);
    terminal.type('0123456789'.repeat(5));
    pass(100 * CHARACTER_NS);
    expect(terminal.waiting).toBe(34);
    let text = '';
    for (let i = 0; i < 200 && text.length < 50; i++) {
      while (read(Port.LSR) & 1) text += String.fromCharCode(read(Port.RBR));
      pass(CHARACTER_NS);
    }
    expect(text).toBe('0123456789'.repeat(5));
  });

  it('as part of an SMSC super I/O chip knows two rates above 115200 baud', () => {
    const { terminal, read, write, pass } = setUp({ highSpeedDivisors: true });
    write(Port.LCR, 0x83);
    write(Port.DLM, 0x80);
    write(Port.LCR, 0x03);
    terminal.type('x');
    pass(CHARACTER_NS / 4 - 2);
    expect(read(Port.LSR) & 1).toBe(0);
    pass(2);
    expect(read(Port.LSR) & 1).toBe(1);
  });

  it('with RTS handshake keeps input at the far end until the guest asks for it', () => {
    const { terminal, read, write, pass } = setUp({ handshake: 'rts' });
    write(Port.FCR, 0x01);
    terminal.type('ls\n');
    pass(100 * CHARACTER_NS);
    expect([terminal.waiting, read(Port.LSR) & 1]).toEqual([3, 0]);
    write(Port.MCR, 0x02);
    pass(CHARACTER_NS);
    expect(read(Port.RBR)).toBe(0x6c);
  });

  it('with RTS handshake gets again what the guest cleared from the FIFO unread', () => {
    const { terminal, read, write, pass } = setUp({ handshake: 'rts' });
    write(Port.MCR, 0x02); // an early console asserts RTS and never reads
    terminal.type('ls -l');
    pass(100 * CHARACTER_NS);
    write(Port.FCR, 0x01);
    pass(2 * CHARACTER_NS);
    write(Port.MCR, 0x10);
    write(Port.THR, 0x55); // loopback is not input
    write(Port.FCR, 0x03);
    write(Port.MCR, 0x02);
    pass(100 * CHARACTER_NS);
    let text = '';
    while (read(Port.LSR) & 1) text += String.fromCharCode(read(Port.RBR));
    expect(text).toBe('ls -l');
  });

  it('is emptied by its reset bit, which reads nowhere and clears itself', () => {
    const { terminal, read, write, pass } = setUp();
    write(Port.FCR, 0x01);
    terminal.type('z');
    pass(CHARACTER_NS);
    write(Port.FCR, 0x03);
    expect(read(Port.LSR)).toBe(0x60);
    terminal.type('y');
    pass(CHARACTER_NS);
    expect(read(Port.RBR)).toBe(0x79);
  });
});

describe('loopback (section 8.8)', () => {
  it('receives what it transmits and tells the world nothing', () => {
    const { terminal, read, write } = setUp();
    write(Port.MCR, 0x10);
    write(Port.THR, 0x5a);
    expect([read(Port.LSR) & 1, read(Port.RBR), terminal.sent]).toEqual([1, 0x5a, []]);
  });

  it('shows the modem outputs as inputs: what Linux probes for a UART by', () => {
    const { read, write } = setUp();
    expect(read(Port.MSR)).toBe(0xb0);
    write(Port.MCR, 0x1a);
    expect(read(Port.MSR) & 0xf0).toBe(0x90);
  });

  it('counts changes of the modem lines, interrupts for them, forgets them when MSR is read', () => {
    const { uart, read, write } = setUp();
    write(Port.MCR, 0x14);
    read(Port.MSR);
    write(Port.IER, 0x08);
    write(Port.MCR, 0x13);
    expect([uart.irq.level, read(Port.IIR)]).toEqual([true, 0x00]);
    expect(read(Port.MSR)).toBe(0x37); // CTS and DSR rose, RI ended
    expect([uart.irq.level, read(Port.MSR)]).toEqual([false, 0x30]);
  });

  it('reports overrun and break in LSR until it is read', () => {
    const { uart, read, write } = setUp();
    write(Port.MCR, 0x10);
    write(Port.IER, 0x04);
    write(Port.THR, 1);
    write(Port.THR, 2);
    expect([uart.irq.level, read(Port.IIR), read(Port.LSR)]).toEqual([true, 0x06, 0x63]);
    expect([uart.irq.level, read(Port.LSR), read(Port.RBR)]).toEqual([false, 0x61, 2]);
    write(Port.FCR, 0x01);
    write(Port.LCR, 0x43);
    expect(read(Port.LSR)).toBe(0xf1); // break indication, and an error somewhere in the FIFO
    expect(read(Port.LSR)).toBe(0x61);
  });
});

describe('identification', () => {
  it('is a 16550A to a driver: FIFO bits in IIR, no 64-byte FIFO, a scratch register, four IER bits', () => {
    const { read, write } = setUp();
    expect(read(Port.IIR)).toBe(0x01);
    write(Port.FCR, 0x21);
    expect(read(Port.IIR)).toBe(0xc1);
    write(Port.SCR, 0xa5);
    write(Port.IER, 0xff);
    expect([read(Port.SCR), read(Port.IER)]).toEqual([0xa5, 0x0f]);
  });

  it('spaces its registers for a 32-bit bus', () => {
    const uart = ns16550(
      { scheduler: new Scheduler(), name: 'cbus' },
      { console: new Terminal(), clockHz: 3_686_400, regShift: 3 },
    );
    uart.registers.write(7 << 3, 4, 0x77);
    expect([uart.registers.read(7 << 3, 4), uart.registers.read(5 << 3, 4)]).toEqual([0x77, 0x60]);
    expect(uart.deviceTree?.properties).toEqual({ 'clock-frequency': [3_686_400], 'reg-shift': [3] });
  });
});

testDevice('ns16550', {
  resetValues: { io: { IER: 0, IIR: 1, LCR: 0, MCR: 0, LSR: 0x60, MSR: 0xb0 } },
  create: (context) =>
    ns16550(context, {
      handshake: 'rts',
      console: {
        hasInput: true,
        receive: () => context.scheduler.nowNs % 256,
        transmit: () => undefined,
        onInput: () => undefined,
      },
    }),
});
