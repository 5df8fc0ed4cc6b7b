import type { ByteOrder } from '../../core/index.js';
import { widthMask } from '../../core/index.js';
import type { AddressSpace, MmioHandler } from '../../memory/index.js';
import { swapBytes } from '../../memory/index.js';
import { defineDevice } from '../device.js';
import { configHeader, memoryBar, ioBar } from '../pci/config-header.js';
import type { PciBus, PciSlot } from '../pci/pci-bus.js';
import { MovableWindow } from '../pci/pci-bus.js';
import type { RegisterLayout, RegisterSpec } from '../registers.js';
import { bit, bits, registerMap } from '../registers.js';

/**
 * Galileo GT-64120A system controller: decodes the CPU's addresses, bridges to PCI bus 0, holds four timers and an
 * interrupt controller.
 *
 * Source: Galileo Technology, GT-64120A data sheet: section 3 (address space decoding), 9 and 10 (PCI interface,
 * configuration, byte swapping), 13 (timers), 14 (interrupt controller) and 20 (register tables, reset values).
 *
 * Decoded at run time: the internal registers and the PCI 0 windows. The SDRAM and device chip selects keep the place
 * that the board gives them; their registers are stored. DMA channels, I2O and PCI 1 (not connected) are stored only.
 *
 * Byte order: the internal registers are little-endian and the PCI windows keep bytes at their addresses, which is
 * what the swap bits achieve when firmware sets them as its CPU's byte order demands. MByteSwap decides whether
 * configuration data of other devices passes through the swapper (section 9.10).
 */
export interface Gt64120Properties {
  /** The CPU's bus, on which the windows appear. */
  readonly cpuBus: AddressSpace;
  readonly pci: PciBus;
  readonly slot: PciSlot;
  /** Interrupt acknowledge cycle on PCI 0: the vector from the ISA interrupt controller. */
  readonly acknowledgeInterrupt: () => number;
  /** Strap of the CPU interface. */
  readonly byteOrder: ByteOrder;
  /** TClk, which the timers count. */
  readonly clockHz: number;
}

/** Windows are decoded in units of 2 MiB: registers hold address bits 35:21 and 27:21 (section 3.1). */
const DECODE_SHIFT = 21;
const DECODE_BYTES = 2 ** DECODE_SHIFT;
const low = (offset: number, reset: number): RegisterSpec => ({
  offset,
  width: 4,
  reset,
  fields: { ADDRESS: bits(14, 0) },
});
const high = (offset: number, reset: number): RegisterSpec => ({
  offset,
  width: 4,
  reset,
  fields: { ADDRESS: bits(6, 0) },
});
const remap = (offset: number, reset: number): RegisterSpec => ({
  offset,
  width: 4,
  reset,
  fields: { ADDRESS: bits(10, 0) },
});
const plain = (offset: number, reset = 0): RegisterSpec => ({ offset, width: 4, reset });

/** The registers that firmware sets and reads back, without a function here. */
const STORED = {
  MULTI_GT: plain(0x120),
  CPU_ERROR_DATA_LOW: plain(0x128),
  CPU_ERROR_DATA_HIGH: plain(0x130),
  CPU_ERROR_PARITY: plain(0x138),
  SCS10_LOW: low(0x008, 0x000),
  SCS10_HIGH: high(0x010, 0x07),
  SCS32_LOW: low(0x018, 0x008),
  SCS32_HIGH: high(0x020, 0x0f),
  CS20_LOW: low(0x028, 0x0e0),
  CS20_HIGH: high(0x030, 0x70),
  CS3BOOT_LOW: low(0x038, 0x0f8),
  CS3BOOT_HIGH: high(0x040, 0x7f),
  PCI1_IO_LOW: low(0x090, 0x100),
  PCI1_IO_HIGH: high(0x098, 0x0f),
  PCI1_MEMORY0_LOW: low(0x0a0, 0x110),
  PCI1_MEMORY0_HIGH: high(0x0a8, 0x1f),
  PCI1_MEMORY1_LOW: low(0x0b0, 0x120),
  PCI1_MEMORY1_HIGH: high(0x0b8, 0x2f),
  PCI0_SYNC: { offset: 0x0c0, width: 4, access: 'ro' },
  PCI1_SYNC: { offset: 0x0c8, width: 4, access: 'ro' },
  SCS10_ADDRESS: plain(0x0d0, 0x000),
  SCS32_ADDRESS: plain(0x0d8, 0x008),
  CS20_ADDRESS: plain(0x0e0, 0x0e0),
  CS3BOOT_ADDRESS: plain(0x0e8, 0x0f8),
  PCI1_IO_REMAP: remap(0x108, 0x100),
  PCI1_MEMORY0_REMAP: remap(0x110, 0x110),
  PCI1_MEMORY1_REMAP: remap(0x118, 0x120),
  SCS0_LOW: plain(0x400, 0x00),
  SCS0_HIGH: plain(0x404, 0x07),
  SCS1_LOW: plain(0x408, 0x08),
  SCS1_HIGH: plain(0x40c, 0x0f),
  SCS2_LOW: plain(0x410, 0x10),
  SCS2_HIGH: plain(0x414, 0x17),
  SCS3_LOW: plain(0x418, 0x18),
  SCS3_HIGH: plain(0x41c, 0x1f),
  CS0_LOW: plain(0x420, 0xc0),
  CS0_HIGH: plain(0x424, 0xc7),
  CS1_LOW: plain(0x428, 0xc8),
  CS1_HIGH: plain(0x42c, 0xcf),
  CS2_LOW: plain(0x430, 0xd0),
  CS2_HIGH: plain(0x434, 0xdf),
  CS3_LOW: plain(0x438, 0xf0),
  CS3_HIGH: plain(0x43c, 0xfb),
  BOOT_LOW: plain(0x440, 0xfc),
  BOOT_HIGH: plain(0x444, 0xff),
  SDRAM_CONFIGURATION: plain(0x448, 0x200),
  SDRAM_BANK0: plain(0x44c, 0x5),
  SDRAM_BANK1: plain(0x450, 0x5),
  SDRAM_BANK2: plain(0x454, 0x5),
  SDRAM_BANK3: plain(0x458, 0x5),
  DEVICE_BANK0: plain(0x45c, 0x386fffff),
  DEVICE_BANK1: plain(0x460, 0x386fffff),
  DEVICE_BANK2: plain(0x464, 0x386fffff),
  DEVICE_BANK3: plain(0x468, 0x386fffff),
  DEVICE_BOOT: plain(0x46c, 0x146fffff),
  ADDRESS_DECODE_ERROR: plain(0x470, 0xffffffff),
  SDRAM_OPERATION: plain(0x474),
  SDRAM_BURST: plain(0x478, 0x7),
  SDRAM_ADDRESS_DECODE: plain(0x47c, 0x2),
  DMA_ARBITER: plain(0x860),
  PCI0_TIMEOUT: plain(0xc04, 0x070f),
  PCI0_SIZE_SCS10: plain(0xc08, 0x00fff000),
  PCI0_SIZE_SCS32: plain(0xc0c, 0x00fff000),
  PCI0_SIZE_CS20: plain(0xc10, 0x01fff000),
  PCI0_SIZE_CS3BOOT: plain(0xc14, 0x00fff000),
  PCI0_SERR_MASK: plain(0xc28),
  PCI0_BAR_ENABLE: plain(0xc3c),
  PCI0_PREFETCH: plain(0xc40),
  PCI1_COMMAND: plain(0xc80),
} as const satisfies RegisterLayout;

/** Bits of the interrupt cause register (table 14.1), written with 0 to clear. */
const CAUSE = { CPU_OUT: 1 << 3, T0: 1 << 8, MASTER_ABORT: 1 << 18 } as const;
const CAUSE_SUM = 1;
const CAUSE_CPU_SUM = 1 << 30;
const CAUSE_SUMS = CAUSE_SUM | CAUSE_CPU_SUM | (1 << 31);

const REGISTERS = registerMap({
  CPU_CONFIGURATION: {
    offset: 0x000,
    width: 4,
    fields: { LOW: bits(11, 0), ENDIAN: bit(12, 'ro'), HIGH: bits(31, 13) },
  },
  PCI0_IO_LOW: low(0x048, 0x080),
  PCI0_IO_HIGH: high(0x050, 0x0f),
  PCI0_MEMORY0_LOW: low(0x058, 0x090),
  PCI0_MEMORY0_HIGH: high(0x060, 0x1f),
  INTERNAL_SPACE: low(0x068, 0x0a0),
  CPU_ERROR_LOW: { offset: 0x070, width: 4, access: 'ro' },
  CPU_ERROR_HIGH: { offset: 0x078, width: 4, access: 'ro' },
  PCI0_MEMORY1_LOW: low(0x080, 0x790),
  PCI0_MEMORY1_HIGH: high(0x088, 0x1f),
  PCI0_IO_REMAP: remap(0x0f0, 0x080),
  PCI0_MEMORY0_REMAP: remap(0x0f8, 0x090),
  PCI0_MEMORY1_REMAP: remap(0x100, 0x790),
  TIMER0: plain(0x850, 0xffffff),
  TIMER1: plain(0x854, 0xffffff),
  TIMER2: plain(0x858, 0xffffff),
  TIMER3: plain(0x85c, 0xffffff),
  TIMER_CONTROL: { offset: 0x864, width: 4, fields: { BITS: bits(7, 0) } },
  PCI0_COMMAND: {
    offset: 0xc00,
    width: 4,
    fields: { MBYTESWAP: bit(0), OTHER: bits(9, 1), MWORDSWAP: bit(10), SWORDSWAP: bit(11), SBYTESWAP: bit(16) },
  },
  CAUSE: { offset: 0xc18, width: 4, fields: { BITS: bits(31, 0, 'ro') } },
  CPU_MASK: { offset: 0xc1c, width: 4, fields: { BITS: bits(29, 1) } },
  PCI0_MASK: plain(0xc24),
  PCI1_ACKNOWLEDGE: { offset: 0xc30, width: 4, access: 'ro' },
  PCI0_ACKNOWLEDGE: { offset: 0xc34, width: 4, access: 'ro' },
  PCI0_CONFIG_ADDRESS: {
    offset: 0xcf8,
    width: 4,
    fields: { REGISTER: bits(7, 2), FUNCTION: bits(10, 8), DEVICE: bits(15, 11), BUS: bits(23, 16), ENABLE: bit(31) },
  },
  PCI0_CONFIG_DATA: plain(0xcfc),
  ...STORED,
});

const IDENTITY = { vendorId: 0x11ab, deviceId: 0x4620, classCode: 0x058000, revision: 0x10, interruptPin: 1 };
const CONFIG = registerMap({
  ...configHeader(IDENTITY),
  // From the CPU side the class is writable, so that firmware can call it a host bridge (section 20.15).
  SUBCLASS: { offset: 0x0a, reset: 0x80 },
  BASE_CLASS: { offset: 0x0b, reset: 0x05 },
  SCS10: memoryBar(0, 0x0100_0000, { prefetchable: true }),
  SCS32: memoryBar(1, 0x0100_0000, { prefetchable: true, reset: 0x0100_0000 }),
  CS20: memoryBar(2, 0x0200_0000, { reset: 0x1c00_0000 }),
  CS3BOOT: memoryBar(3, 0x0100_0000, { reset: 0x1f00_0000 }),
  INTERNAL_MEMORY: memoryBar(4, 0x1000, { reset: 0x1400_0000 }),
  INTERNAL_IO: { ...ioBar(5, 0x1000), reset: 0x1400_0001 },
});

/** A special cycle is a configuration write to this function of the highest device number (PCI 2.2, 3.6.2). */
const SPECIAL_CYCLE = { device: 31, function: 7 };

interface PciWindowRegisters {
  readonly name: string;
  readonly low: 'PCI0_IO_LOW' | 'PCI0_MEMORY0_LOW' | 'PCI0_MEMORY1_LOW';
  readonly high: 'PCI0_IO_HIGH' | 'PCI0_MEMORY0_HIGH' | 'PCI0_MEMORY1_HIGH';
  readonly remap: 'PCI0_IO_REMAP' | 'PCI0_MEMORY0_REMAP' | 'PCI0_MEMORY1_REMAP';
  readonly space: 'io' | 'memory';
}
const PCI_WINDOWS: readonly PciWindowRegisters[] = [
  { name: 'pci-io', low: 'PCI0_IO_LOW', high: 'PCI0_IO_HIGH', remap: 'PCI0_IO_REMAP', space: 'io' },
  {
    name: 'pci-memory0',
    low: 'PCI0_MEMORY0_LOW',
    high: 'PCI0_MEMORY0_HIGH',
    remap: 'PCI0_MEMORY0_REMAP',
    space: 'memory',
  },
  {
    name: 'pci-memory1',
    low: 'PCI0_MEMORY1_LOW',
    high: 'PCI0_MEMORY1_HIGH',
    remap: 'PCI0_MEMORY1_REMAP',
    space: 'memory',
  },
];

/** Windows lie under RAM and devices that the board placed, the internal registers above everything. */
const PRIORITY = { window: -10, abort: -20, internal: 10 };

export const gt64120 = defineDevice({
  type: 'gt64120',
  title: 'Galileo GT-64120A system controller',
  stateVersion: 1,
  create(device, properties: Gt64120Properties) {
    const { cpuBus, pci, slot, byteOrder, clockHz } = properties;
    const bank = device.registers('internal', REGISTERS);
    const config = device.registers('config', CONFIG);
    const irq = device.line('irq');
    const { reg } = bank;

    // Interrupts (section 14)
    const updateInterrupt = (): void => {
      const causes = reg.CAUSE.value & ~CAUSE_SUMS;
      const toCpu = (causes & reg.CPU_MASK.value) !== 0;
      reg.CAUSE.value = (causes | (causes !== 0 ? CAUSE_SUM : 0) | (toCpu ? CAUSE_CPU_SUM : 0)) >>> 0;
      irq.set(toCpu);
    };
    const raise = (cause: number): void => {
      reg.CAUSE.value = (reg.CAUSE.value | cause) >>> 0;
      updateInterrupt();
    };

    // Address decoding (section 3)
    const internal = new MovableWindow(cpuBus, `${device.name}-registers`, DECODE_BYTES, bank, PRIORITY.internal);
    const unmaps = new Map<string, { readonly key: string; unmap(): void }>();
    const updateWindows = (): void => {
      internal.place(reg.INTERNAL_SPACE.value * DECODE_BYTES);
      for (const window of PCI_WINDOWS) {
        const start = reg[window.low].value;
        // The high register replaces the low 7 bits; a window whose end lies before its start is disabled.
        const end = (start & ~0x7f) | (reg[window.high].value & 0x7f);
        const target = reg[window.remap].value;
        const key = `${start} ${end} ${target}`;
        if (unmaps.get(window.name)?.key === key) continue;
        unmaps.get(window.name)?.unmap();
        unmaps.delete(window.name);
        if (end < start || (end + 1) * DECODE_BYTES > cpuBus.sizeBytes) continue;
        const mapped = mapRemapped(window, start, end, target);
        unmaps.set(window.name, { key, unmap: () => mapped.forEach((unmap) => unmap()) });
      }
    };
    /** Address bits that are equal in the low and high register are replaced by those of the remap register. */
    const mapRemapped = (window: PciWindowRegisters, start: number, end: number, target: number): (() => void)[] => {
      const varying = 2 ** Math.ceil(Math.log2((start ^ end) + 1)) - 1;
      // An I/O remap register that is only the automatic copy shows ports from 0: nothing here decodes ports above
      // 64 KiB, and Debian's U-Boot for Malta, developed on QEMU, relies on it.
      const copied = window.space === 'io' && target === (start & 0x7ff);
      const offset = (copied ? start & varying : (target & ~varying) | (start & varying)) * DECODE_BYTES;
      const base = start * DECODE_BYTES;
      const size = Math.min((end - start + 1) * DECODE_BYTES, pci[window.space].sizeBytes - offset);
      if (size <= 0) return [];
      return [
        cpuBus.mapMmio(`${window.name}-abort`, base, size, masterAbort(base), 'little', PRIORITY.abort),
        cpuBus.mapWindow(window.name, base, size, pci[window.space], offset, PRIORITY.window),
      ];
    };
    /** No target claims the cycle: reads give all ones and the cause is noted (PCI 2.2, 3.3.3.1). */
    const masterAbort = (base: number): MmioHandler => {
      const note = (offset: number): void => {
        reg.CPU_ERROR_LOW.value = (base + offset) >>> 0;
        config.reg.STATUS.MASTER_ABORT = 1;
        raise(CAUSE.MASTER_ABORT);
      };
      return {
        read: (offset, width) => {
          note(offset);
          return widthMask(width);
        },
        write: note,
      };
    };

    // Configuration cycles (section 10.2)
    const selected = (): PciSlot & { own: boolean } => {
      const { DEVICE, FUNCTION } = reg.PCI0_CONFIG_ADDRESS;
      return { device: DEVICE, function: FUNCTION, own: DEVICE === slot.device && FUNCTION === slot.function };
    };
    const orient = (value: number, own: boolean): number =>
      own || reg.PCI0_COMMAND.MBYTESWAP ? value : swapBytes(value, 4);
    const abortConfig = (): void => {
      config.reg.STATUS.MASTER_ABORT = 1;
      raise(CAUSE.MASTER_ABORT);
    };
    const readConfigData = (): number => {
      const { ENABLE, BUS, REGISTER } = reg.PCI0_CONFIG_ADDRESS;
      const target = selected();
      const value = ENABLE && BUS === 0 ? pci.readConfig(target, REGISTER * 4, 4) : undefined;
      if (value === undefined) abortConfig();
      return value === undefined ? 0xffff_ffff : orient(value, target.own);
    };
    const writeConfigData = (value: number): void => {
      const { ENABLE, BUS, REGISTER } = reg.PCI0_CONFIG_ADDRESS;
      const target = selected();
      const oriented = orient(value, target.own);
      if (!ENABLE || BUS !== 0) abortConfig();
      else if (target.device === SPECIAL_CYCLE.device && target.function === SPECIAL_CYCLE.function && REGISTER === 0) {
        // Special cycles end in a master abort by design, which sets no cause.
        pci.specialCycle(oriented);
      } else if (!pci.writeConfig(target, REGISTER * 4, 4, oriented)) abortConfig();
    };

    // Timers and counters (section 13): down-counters at TClk; bit 2n of the control enables, bit 2n + 1 reloads.
    const timerRegisters = [reg.TIMER0, reg.TIMER1, reg.TIMER2, reg.TIMER3];
    /** What the counter holds while stopped; while running its timer's deadline tells. */
    const counters = device.state({ counts: [0xffffff, 0xffffff, 0xffffff, 0xffffff] });
    const ticksToNs = (ticks: number): number => Math.ceil((ticks * 1e9) / clockHz);
    /**
     * Periods below this are stretched: a guest could otherwise make the machine spend its life on expirations, of
     * which the sticky cause bit shows it only the first anyway.
     */
    const MIN_PERIOD_NS = 1000;
    const timers = timerRegisters.map((_, index) =>
      device.timer(`timer${index}`, (deadlineNs) => {
        const reload = (reg.TIMER_CONTROL.value >>> (2 * index + 1)) & 1;
        counters.counts[index] = 0;
        if (reload)
          timers[index]?.arm(deadlineNs + Math.max(ticksToNs(timerRegisters[index]?.value ?? 0), MIN_PERIOD_NS));
        raise(CAUSE.T0 << index);
      }),
    );
    const currentCount = (index: number): number => {
      const timer = timers[index];
      if (!timer?.armed) return counters.counts[index] ?? 0;
      return Math.max(0, Math.ceil(((timer.deadlineNs - device.scheduler.nowNs) * clockHz) / 1e9)) >>> 0;
    };
    const controlTimers = (written: number, previous: number): void => {
      timers.forEach((timer, index) => {
        const enable = (written >>> (2 * index)) & 1;
        if (enable === ((previous >>> (2 * index)) & 1)) return;
        if (enable) timer.arm(device.scheduler.nowNs + ticksToNs(Math.max(counters.counts[index] ?? 0, 1)));
        else {
          counters.counts[index] = currentCount(index);
          timer.disarm();
        }
      });
    };
    const timerBehaviour = (index: number) => ({
      read: () => currentCount(index),
      write: (written: number) => {
        counters.counts[index] = written;
        const timer = timers[index];
        if (timer?.armed) timer.arm(device.scheduler.nowNs + ticksToNs(Math.max(written, 1)));
      },
    });

    /** Writing a low decode register also sets the remap register, so that addresses pass unchanged (section 3.4). */
    const lowDecode = (window: PciWindowRegisters) => ({
      write: () => {
        reg[window.remap].value = reg[window.low].value & 0x7ff;
        updateWindows();
      },
    });
    bank.behave({
      PCI0_IO_LOW: lowDecode(PCI_WINDOWS[0] as PciWindowRegisters),
      PCI0_MEMORY0_LOW: lowDecode(PCI_WINDOWS[1] as PciWindowRegisters),
      PCI0_MEMORY1_LOW: lowDecode(PCI_WINDOWS[2] as PciWindowRegisters),
      PCI0_IO_HIGH: { write: updateWindows },
      PCI0_MEMORY0_HIGH: { write: updateWindows },
      PCI0_MEMORY1_HIGH: { write: updateWindows },
      PCI0_IO_REMAP: { write: updateWindows },
      PCI0_MEMORY0_REMAP: { write: updateWindows },
      PCI0_MEMORY1_REMAP: { write: updateWindows },
      INTERNAL_SPACE: { write: updateWindows },
      TIMER0: timerBehaviour(0),
      TIMER1: timerBehaviour(1),
      TIMER2: timerBehaviour(2),
      TIMER3: timerBehaviour(3),
      TIMER_CONTROL: { write: controlTimers },
      CAUSE: {
        write: (written, previous) => {
          reg.CAUSE.value = (previous & written) >>> 0;
          updateInterrupt();
        },
      },
      CPU_MASK: { write: updateInterrupt },
      PCI0_ACKNOWLEDGE: { read: () => properties.acknowledgeInterrupt() },
      PCI1_ACKNOWLEDGE: { read: () => 0xffff_ffff },
      PCI0_CONFIG_DATA: { read: readConfigData, write: writeConfigData },
    });

    const straps = (): void => {
      const little = byteOrder === 'little' ? 1 : 0;
      reg.CPU_CONFIGURATION.ENDIAN = little;
      reg.PCI0_COMMAND.MBYTESWAP = little;
      reg.PCI0_COMMAND.SBYTESWAP = little;
      updateWindows();
    };
    device.onReset(straps);
    device.onRestore(updateWindows);
    pci.attach(slot, config);

    /**
     * The CPU addressed nothing: noted as CPUOut, reads give zero.
     * The board maps this below everything else that the controller decodes.
     */
    const addressError = (base: number): MmioHandler => {
      const note = (offset: number): void => {
        reg.CPU_ERROR_LOW.value = (base + offset) >>> 0;
        raise(CAUSE.CPU_OUT);
      };
      return {
        read: (offset) => {
          note(offset);
          return 0;
        },
        write: note,
      };
    };
    return { bank, config, irq, addressError };
  },
});
