import { describe, expect, it } from '@jest/globals';
import type { BlockBackend } from '../../core/index.js';
import { Scheduler } from '../../core/index.js';
import { AddressSpace, LinearMemory } from '../../memory/index.js';
import { testDevice } from '../../testkit/device-suite.js';
import type { PciSlot } from './pci-bus.js';
import { PciBus, rotatePin } from './pci-bus.js';
import { piix4FunctionThree } from './piix4-pm.js';
import { piix4Ide } from './piix4-ide.js';
import { piix4Isa } from './piix4-isa.js';

const idle = { read: () => 0, write: () => undefined };
const newBus = (): PciBus => new PciBus('pci0', new AddressSpace('dma'));

/** A disk in memory whose sector n starts with the bytes n, n + 1, ... */
function memoryDisk(sectors: number): BlockBackend & { readonly bytes: Uint8Array; flushes: number } {
  const bytes = Uint8Array.from({ length: sectors * 512 }, (_, index) => (Math.floor(index / 512) + index) & 0xff);
  return {
    bytes,
    sizeBytes: bytes.length,
    readOnly: false,
    flushes: 0,
    read: (offset, target) => target.set(bytes.subarray(offset, offset + target.length)),
    write: (offset, source) => bytes.set(source, offset),
    flush() {
      this.flushes++;
    },
  };
}

testDevice('PIIX4 ISA bridge', {
  create: (context) =>
    piix4Isa(context, { pci: newBus(), device: 10, isaInterrupts: Array.from({ length: 16 }, () => () => undefined) }),
  resetValues: {
    config: { VENDOR_ID: 0x8086, DEVICE_ID: 0x7110, PIRQRCA: 0x80, TOM: 0x02, SERIRQC: 0x10, HEADER_TYPE: 0x80 },
  },
});

testDevice('PIIX4 function 3', {
  create: (context) => piix4FunctionThree(context, { pci: newBus(), device: 10, powerManagement: idle, smbus: idle }),
  resetValues: { config: { DEVICE_ID: 0x7113, PMBA: 1, SMBBA: 1, SMBHSTCFG: 0 } },
});

testDevice('PIIX4 IDE', {
  create: (context) => {
    const dma = new AddressSpace('dma');
    dma.mapRam('ram', 0, new LinearMemory(0x4_0000).allocateRam('ram', 0x1_0000));
    // Both disks read as zero: a twin's disk must not remember what the original wrote.
    const blank: BlockBackend = {
      sizeBytes: 0x10_0000,
      readOnly: false,
      read: (_, target) => target.fill(0),
      write: () => undefined,
      flush: () => undefined,
    };
    return piix4Ide(context, { pci: new PciBus('pci0', dma), device: 10, drives: [blank, undefined, blank, blank] });
  },
  handlers: (ide) =>
    [...ide.ports, ide.master, ide.config].map((handler) => ({ handler, sizeBytes: handler.sizeBytes })),
  resetValues: { config: { DEVICE_ID: 0x7111, IDETIM_PRIMARY: 0, BMIBA: 1 }, 'bus-master': { BMISP: 0, BMICP: 0 } },
});

describe('interrupt steering', () => {
  it('takes PIRQ wires to the chosen ISA interrupt while they are enabled', () => {
    const seen: string[] = [];
    const isa = piix4Isa(
      { scheduler: new Scheduler(), name: 'isa' },
      {
        pci: newBus(),
        device: 10,
        isaInterrupts: Array.from({ length: 16 }, (_, irq) => (level: boolean) => seen.push(`${irq}:${level}`)),
      },
    );
    const [first, second] = [isa.pirqInput(0), isa.pirqInput(1)];
    first(true);
    expect(seen).toEqual([]);
    isa.config.write(0x60, 2, 0x0a0a);
    second(true);
    first(false);
    expect(seen).toEqual(['10:true']);
    isa.config.write(0x61, 1, 0x8a);
    expect(seen).toEqual(['10:true', '10:false']);
  });

  it('rotates the pins of slots', () => {
    expect([rotatePin(0, 'A'), rotatePin(1, 'A'), rotatePin(1, 'D')]).toEqual([0, 1, 0]);
  });
});

describe('IDE', () => {
  const FN: PciSlot = { device: 10, function: 1 };
  function bench(drives: readonly (BlockBackend | undefined)[]) {
    const scheduler = new Scheduler();
    const dma = new AddressSpace('dma');
    const ram = new LinearMemory(0x40_0000).allocateRam('ram', 0x10_0000);
    dma.mapRam('ram', 0, ram);
    const pci = new PciBus('pci0', dma);
    const ide = piix4Ide({ scheduler, name: 'ide' }, { pci, device: 10, drives });
    pci.writeConfig(FN, 0x40, 4, 0x8000_8000);
    pci.writeConfig(FN, 0x20, 4, 0x2000);
    pci.writeConfig(FN, 0x04, 2, 0x0005);
    const io = pci.io;
    const outb = (port: number, value: number): void => io.write(port, 1, value, 'little');
    const inb = (port: number): number => io.read(port, 1, 'little');
    const settle = (): void => {
      while (scheduler.nextDeadlineNs !== Infinity) {
        scheduler.setTime(scheduler.nextDeadlineNs);
        scheduler.fireDue();
      }
    };
    const issue = (code: number, lba: number, count: number, device = 0x40): void => {
      outb(0x1f6, device | (lba >>> 24));
      outb(0x1f2, count);
      outb(0x1f3, lba & 0xff);
      outb(0x1f4, (lba >>> 8) & 0xff);
      outb(0x1f5, (lba >>> 16) & 0xff);
      outb(0x1f7, code);
      settle();
    };
    const readSector = (): number[] =>
      Array.from({ length: 256 }, () => io.read(0x1f0, 2, 'little')).flatMap((word) => [word & 0xff, word >>> 8]);
    const interrupt = (): boolean => ide.lines.find(({ name }) => name === 'ide.primary')?.level ?? false;
    return { ide, io, outb, inb, settle, issue, readSector, interrupt, ram };
  }

  it('identifies a disk', () => {
    const { issue, readSector, interrupt, inb } = bench([memoryDisk(5000)]);
    issue(0xec, 0, 1);
    expect(interrupt()).toBe(true);
    expect(inb(0x1f7)).toBe(0x58);
    expect(interrupt()).toBe(false);
    const data = Uint8Array.from(readSector());
    const view = new DataView(data.buffer);
    expect([view.getUint32(120, true), view.getUint32(200, true)]).toEqual([5000, 5000]);
    expect(String.fromCharCode(data[55] ?? 0, data[54] ?? 0, data[57] ?? 0, data[56] ?? 0)).toBe('BOOT');
    expect(inb(0x1f7)).toBe(0x50);
  });

  it('reads and writes sectors by PIO, one interrupt each', () => {
    const disk = memoryDisk(100);
    const { issue, readSector, io, settle, interrupt, inb } = bench([disk]);
    issue(0x20, 7, 2);
    expect(readSector()).toEqual([...disk.bytes.slice(7 * 512, 8 * 512)]);
    settle();
    expect(interrupt()).toBe(true);
    expect(readSector()).toEqual([...disk.bytes.slice(8 * 512, 9 * 512)]);
    expect(inb(0x1f7)).toBe(0x50);
    issue(0x30, 3, 1);
    expect(interrupt()).toBe(false);
    expect(inb(0x1f7)).toBe(0x58);
    for (let word = 0; word < 256; word++) io.write(0x1f0, 2, 0xbeef, 'little');
    settle();
    expect(interrupt()).toBe(true);
    expect([...disk.bytes.slice(3 * 512, 3 * 512 + 4)]).toEqual([0xef, 0xbe, 0xef, 0xbe]);
  });

  it('moves sectors by bus-master DMA through a table of regions', () => {
    const disk = memoryDisk(100);
    const { issue, io, ram, inb, interrupt, settle } = bench([disk]);
    const table = new DataView(ram.bytes.buffer, ram.bytes.byteOffset, ram.bytes.byteLength);
    [0x4000, 512, 0x8000, 0x8000_0000 | 512].forEach((value, index) =>
      table.setUint32(0x1000 + 4 * index, value >>> 0, true),
    );
    io.write(0x2004, 4, 0x1000, 'little');
    io.write(0x2000, 1, 0x08, 'little');
    issue(0xc8, 20, 2);
    expect(interrupt()).toBe(false);
    io.write(0x2000, 1, 0x09, 'little');
    settle();
    expect(interrupt()).toBe(true);
    expect(inb(0x2002) & 7).toBe(4);
    expect([...ram.bytes.subarray(0x4000, 0x4200)]).toEqual([...disk.bytes.subarray(20 * 512, 21 * 512)]);
    expect([...ram.bytes.subarray(0x8000, 0x8200)]).toEqual([...disk.bytes.subarray(21 * 512, 22 * 512)]);
    io.write(0x2000, 1, 0, 'little');
    io.write(0x2002, 1, 4, 'little');
    expect(inb(0x2002) & 7).toBe(0);
    ram.bytes.fill(0x77, 0x4000, 0x4200);
    inb(0x1f7);
    io.write(0x2000, 1, 0x01, 'little');
    issue(0xca, 50, 2);
    expect(disk.bytes[50 * 512]).toBe(0x77);
    expect(inb(0x1f7)).toBe(0x50);
  });

  it('reaches high sectors by 48-bit commands', () => {
    const bytes = new Map<number, number>();
    const huge: BlockBackend = {
      sizeBytes: 2 ** 33 * 512,
      readOnly: false,
      read: (offset, target) => target.fill(bytes.get(offset) ?? 0),
      write: (offset, source) => void bytes.set(offset, source[0] ?? 0),
      flush: () => undefined,
    };
    bytes.set((2 ** 32 + 5) * 512, 0x99);
    const { outb, issue, readSector, inb } = bench([huge]);
    for (const [port, value] of [
      [0x1f2, 0],
      [0x1f3, 0],
      [0x1f4, 1],
      [0x1f5, 0],
    ] as const)
      outb(port, value);
    issue(0x24, 5, 1);
    expect(readSector()[0]).toBe(0x99);
    outb(0x3f6, 0x80);
    expect(inb(0x1f4)).toBe(1);
  });

  it('reports errors as a drive does', () => {
    const { issue, inb } = bench([memoryDisk(100), { ...memoryDisk(10), readOnly: true }]);
    issue(0x20, 100, 1);
    expect([inb(0x1f7), inb(0x1f1)]).toEqual([0x51, 0x10]);
    issue(0xa1, 0, 0);
    expect([inb(0x1f7), inb(0x1f1)]).toEqual([0x51, 0x04]);
    issue(0x30, 0, 1, 0x50);
    expect([inb(0x1f7), inb(0x1f1)]).toEqual([0x51, 0x04]);
  });

  it('tells absent drives and channels', () => {
    const { inb, outb } = bench([memoryDisk(10)]);
    outb(0x1f6, 0x10);
    expect(inb(0x1f7)).toBe(0);
    expect([inb(0x177), inb(0x376)]).toEqual([0x7f, 0x7f]);
  });

  it('is found by a soft reset', () => {
    const { inb, outb, settle } = bench([memoryDisk(10)]);
    outb(0x3f6, 4);
    expect(inb(0x1f7) & 0x80).toBe(0x80);
    outb(0x3f6, 0);
    settle();
    expect([inb(0x1f7), inb(0x1f2), inb(0x1f3), inb(0x1f4), inb(0x1f5), inb(0x1f1)]).toEqual([0x50, 1, 1, 0, 0, 1]);
  });

  it('passes flushes on', () => {
    const disk = memoryDisk(10);
    bench([disk]).issue(0xe7, 0, 0);
    expect(disk.flushes).toBe(1);
  });
});
