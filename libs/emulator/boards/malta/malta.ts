import {
  eeprom24c02,
  gt64120,
  i8254,
  i8259Pair,
  I2cBus,
  intelFlash,
  maltaFpga,
  MALTA_FPGA_BYTES,
  mc146818,
  ns16550,
  PciBus,
  piix4FunctionThree,
  piix4Ide,
  piix4Isa,
  piix4Pm,
  piix4Smbus,
  resetControl,
  rotatePin,
  sdramSpd,
} from '../../hw/index.js';
import { LinearMemory, PAGE_BYTES } from '../../memory/index.js';
import type { BoardDefinition, BusReference, Pin } from '../define-board.js';
import { cpuBus, device, fixture } from '../define-board.js';
import { loadMalta, maltaByteOrder, validateMaltaImages } from './malta-boot.js';
import { maltaSelfTest } from './self-test.js';

/**
 * MIPS Malta with a CoreLV core card.
 * Sources: MIPS Technologies, Malta User's Manual (MD00048) 1.07, chapters 3 (memory map) and 4 (interrupts, PCI);
 * Galileo GT-64120A and Intel 82371AB data sheets, as the devices cite them.
 */

const MIB = 2 ** 20;
const FLASH_BYTES = 4 * MIB;
const FLASH_AT = 0x1e00_0000;
/** The boot address shows the flash too. */
const BOOT_AT = 0x1fc0_0000;
/** REVISION register, which reads over the boot flash: FPGA revision 1, CoreLV with GT-64120, Malta revision 0. */
const REVISION = { offset: 0x10, word: 0x420 };
/** Below the I/O area of the 29-bit map; the GT-64120 answers there when nothing else does. */
const LOW_IO = { at: 0x1000_0000, bytes: 0x1000_0000 };
/** PCI device numbers, by the IDSEL traces. */
const SLOT = { northbridge: 0, piix4: 10, ethernet: 11, audio: 12, firstSlot: 18 } as const;
/** 2026-01-01T00:00:00Z. */
const DEFAULT_RTC_START_SECONDS = 1_767_225_600;

const cpu = (pin: number, name: string): Pin => ({ part: 'cpu', pin, label: `CPU IP${pin} (${name})` });
const irq = (pin: number): Pin => ({ part: 'pic', pin, label: `IRQ ${pin}` });

const pci = fixture('pci', (board) => new PciBus('pci0', board.dma));
const i2c = fixture('i2c', () => new I2cBus());
const io: BusReference = { name: 'I/O', of: (board) => board.of(pci).io };

const pic = device('pic', i8259Pair, {
  description: 'interrupt controllers of the PIIX4, 16 ISA interrupts',
  properties: () => ({}),
  map: [
    { bus: io, at: 0x20, bytes: 2, handler: (pair) => pair.master },
    { bus: io, at: 0xa0, bytes: 2, handler: (pair) => pair.slave },
    { bus: io, at: 0x4d0, bytes: 2, handler: (pair) => pair.elcr },
  ],
  lines: { intr: cpu(2, 'INTR') },
  input: (pair, pin) => pair.input(pin),
});

const northbridge = device('gt64120', gt64120, {
  description: 'system controller: address decoding, PCI bridge, timers',
  address: 'CPU 0x14000000 (boot monitors move it to 0x1be00000), PCI 00:00.0',
  properties: (board) => ({
    cpuBus: board.bus,
    pci: board.of(pci),
    slot: { device: SLOT.northbridge, function: 0 },
    acknowledgeInterrupt: () => board.of(pic).acknowledge(),
    byteOrder: board.byteOrder,
    clockHz: 100_000_000,
  }),
  map: [
    {
      bus: cpuBus,
      at: LOW_IO.at,
      bytes: LOW_IO.bytes,
      handler: (controller) => controller.addressError(LOW_IO.at),
      priority: -30,
    },
  ],
  lines: { irq: cpu(5, 'COREHI') },
});

const isa = device('piix4-isa', piix4Isa, {
  description: 'south bridge function 0: ISA bridge, PCI interrupt steering',
  address: 'PCI 00:0a.0',
  properties: (board) => ({
    pci: board.of(pci),
    device: SLOT.piix4,
    isaInterrupts: Array.from({ length: 16 }, (_, number) => (number === 2 ? undefined : board.wireTo(irq(number)))),
  }),
});

/** Interrupt pins of the PCI devices on PIRQA..D (Malta User's Manual, table 4.4). */
const pciInterrupts = fixture('pci-interrupts', (board) => {
  const inputs = [...Array(32).keys()].map(() => [0, 1, 2, 3].map((index) => board.of(isa).pirqInput(index)));
  board.of(pci).routeInterrupts((slot, pin, level) => {
    const onboard = { [SLOT.piix4]: 3, [SLOT.ethernet]: 1, [SLOT.audio]: 2 }[slot];
    const pirq = onboard ?? rotatePin(slot - SLOT.firstSlot + 4 * 8, pin);
    inputs[slot]?.[pirq]?.(level);
  });
  return inputs;
});

const power = device('piix4-pm-ports', piix4Pm, {
  description: 'power management: power button, PM timer, soft off',
  address: 'I/O, placed by PCI 00:0a.3 (boot monitors use 0x1000)',
  properties: (board) => ({ powerOff: () => board.power('power-off') }),
  lines: { sci: irq(9) },
});

const smbus = device('piix4-smbus', piix4Smbus, {
  description: 'SMBus host controller, reaches the memory module',
  address: 'I/O, placed by PCI 00:0a.3 (boot monitors use 0x1100)',
  properties: (board) => ({ bus: board.of(i2c) }),
  lines: { irq: irq(9) },
});

const spd = device('spd', eeprom24c02, {
  description: 'serial presence detect EEPROM of the memory module',
  address: 'I2C 0x50',
  properties: (board) => ({ address: 0x50, contents: sdramSpd(board.memoryBytes) }),
});

const flash = device('flash', intelFlash, {
  description: '4 MiB of monitor flash, also at the boot address',
  address: 'CPU 0x1e000000-0x1e3fffff, 0x1fc00000-0x1fffffff',
  properties: (board) => ({
    block: board.allocate('flash', FLASH_BYTES),
    byteOrder: board.byteOrder,
    windows: [
      { space: board.bus, base: FLASH_AT },
      { space: board.bus, base: BOOT_AT, override: { ...REVISION, page: board.allocate('boot-page', PAGE_BYTES) } },
    ],
  }),
});

export const malta: BoardDefinition = {
  id: 'malta',
  name: 'MIPS Malta',
  description:
    'MIPS Technologies evaluation board with a CoreLV card: GT-64120A and PIIX4 chip set, three serial ports, IDE',
  arch: 'mips',
  byteOrders: ['little', 'big'],
  cpus: [
    { id: '4Kc', description: 'MIPS32 4Kc: release 1, no FPU' },
    { id: '24Kc', description: 'MIPS32 24Kc: release 2, no FPU' },
    { id: '24Kf', description: 'MIPS32 24Kf: release 2 with FPU' },
    { id: '34Kf', description: 'MIPS32 34Kf: release 2 with FPU, one thread context' },
  ],
  defaultCpu: '24Kf',
  clock: { instructionsPerSecond: 100_000_000, countHz: 100_000_000, deviceAccessNs: 2000 },
  memory: {
    minBytes: 8 * MIB,
    maxBytes: 1024 * MIB,
    defaultBytes: 256 * MIB,
    stepBytes: MIB,
    // The I/O area hides what lies behind the first 256 MiB; all of it shows again in the upper half.
    map: [
      { at: 0x0000_0000, limitBytes: 256 * MIB },
      { at: 0x8000_0000, limitBytes: 1024 * MIB },
    ],
  },
  consoles: [
    { name: 'uart0', description: 'first serial port of the super I/O chip, Linux ttyS0' },
    { name: 'uart1', description: 'second serial port of the super I/O chip, Linux ttyS1' },
    { name: 'uart2', description: 'serial port on the CBUS, Linux ttyS2' },
  ],
  driveSlots: ['hda', 'hdb', 'hdc', 'hdd'],
  defaultCmdline: 'console=ttyS0',
  boot:
    'A kernel (ELF) starts as the YAMON monitor starts it, with arguments, environment and initrd; ELF firmware starts ' +
    'at its entry point; raw firmware lies in flash and starts at the reset vector 0xbfc00000.',
  partMemoryBytes: LinearMemory.ramFootprint(FLASH_BYTES) + LinearMemory.ramFootprint(PAGE_BYTES),

  parts: [
    pci,
    i2c,
    northbridge,
    pic,
    isa,
    pciInterrupts,
    device('pit', i8254, {
      description: 'interval timer of the PIIX4; port 61h',
      properties: () => ({}),
      map: [
        { bus: io, at: 0x40, bytes: 4, handler: (timer) => timer.counters },
        { bus: io, at: 0x61, bytes: 1, handler: (timer) => timer.systemControl },
      ],
      lines: { out0: irq(0) },
    }),
    device('rtc', mc146818, {
      description: 'real-time clock with 256 bytes of CMOS memory',
      properties: (board) => ({ startSeconds: board.config.rtcStartSeconds ?? DEFAULT_RTC_START_SECONDS }),
      map: [{ bus: io, at: 0x70, bytes: 2, handler: (clock) => clock.ports }],
      lines: { irq: irq(8) },
    }),
    device('reset-control', resetControl, {
      description: 'reset control register of the PIIX4',
      // A reset of the CPU alone is a board reset here: the CoreLV card has one reset input.
      properties: (board) => ({ reset: () => board.power('reset') }),
      map: [{ bus: io, at: 0xcf9, bytes: 1, handler: (control) => control.registers }],
    }),
    device('ide', piix4Ide, {
      description: 'south bridge function 1: two IDE channels with bus-master DMA, up to four disks',
      address: 'PCI 00:0a.1, I/O 0x01f0-0x01f7, 0x03f6, 0x0170-0x0177, 0x0376',
      properties: (board) => ({
        pci: board.of(pci),
        device: SLOT.piix4,
        drives: ['hda', 'hdb', 'hdc', 'hdd'].map((slot) => board.drive(slot)),
      }),
      lines: { primary: irq(14), secondary: irq(15) },
    }),
    power,
    smbus,
    device('piix4-function3', piix4FunctionThree, {
      description: 'south bridge function 3: places the power management and SMBus ports',
      address: 'PCI 00:0a.3',
      properties: (board) => ({
        pci: board.of(pci),
        device: SLOT.piix4,
        powerManagement: board.of(power).registers,
        smbus: board.of(smbus).registers,
      }),
    }),
    spd,
    fixture('i2c-chips', (board) => {
      board.of(i2c).attach(board.of(spd).target);
      return {};
    }),
    device('uart0', ns16550, {
      description: 'serial port 1 of the super I/O chip',
      properties: (board) => ({ console: board.console('uart0'), highSpeedDivisors: true, handshake: 'rts' as const }),
      map: [{ bus: io, at: 0x3f8, bytes: 8, handler: (uart) => uart.registers }],
      lines: { irq: irq(4) },
    }),
    device('uart1', ns16550, {
      description: 'serial port 2 of the super I/O chip',
      properties: (board) => ({ console: board.console('uart1'), highSpeedDivisors: true, handshake: 'rts' as const }),
      map: [{ bus: io, at: 0x2f8, bytes: 8, handler: (uart) => uart.registers }],
      lines: { irq: irq(3) },
    }),
    device('uart2', ns16550, {
      description: 'serial port on the CBUS, registers 8 bytes apart',
      properties: (board) => ({
        console: board.console('uart2'),
        handshake: 'rts' as const,
        regShift: 3,
        byteOrder: board.byteOrder,
        clockHz: 3_686_400,
      }),
      map: [
        { bus: cpuBus, at: 0x1f00_0900, bytes: 0x40, handler: (uart) => uart.registers, byteOrder: 'cpu', priority: 1 },
      ],
      lines: { irq: cpu(4, 'CBUS UART') },
    }),
    device('fpga', maltaFpga, {
      description: 'board registers: display, LEDs, reset, I2C',
      properties: (board) => ({ byteOrder: board.byteOrder, i2c: board.of(i2c), onReset: () => board.power('reset') }),
      map: [
        { bus: cpuBus, at: 0x1f00_0000, bytes: MALTA_FPGA_BYTES, handler: (fpga) => fpga.registers, byteOrder: 'cpu' },
      ],
    }),
    flash,
  ],

  validateImages: validateMaltaImages,
  byteOrderOf: maltaByteOrder,
  load: (board, config) => loadMalta(board, config, { flash: board.of(flash), pci: board.of(pci) }),
  selfTest: maltaSelfTest,
};
