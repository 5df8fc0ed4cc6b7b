import { describe, expect, it } from '@jest/globals';
import { AddressSpace, LinearMemory, PageFlag } from './index.js';
import type { MmioHandler } from './index.js';

const MIB = 2 ** 20;

function ramOf(pages = 4) {
  const memory = new LinearMemory(MIB);
  return memory.allocateRam('ram', pages * 4096);
}

/** Registers that remember what was done to them and read as their offset. */
function recorder(): MmioHandler & { log: string[] } {
  const log: string[] = [];
  return {
    log,
    read: (offset, width) => {
      log.push(`r${width}@${offset}`);
      return width === 4 ? 0x11223344 : width === 2 ? 0x1122 : offset;
    },
    write: (offset, width, value) => log.push(`w${width}@${offset}=${value.toString(16)}`),
  };
}

describe('AddressSpace', () => {
  it('lets the higher priority answer, and the later region among equals', () => {
    const bus = new AddressSpace('bus');
    const [low, high] = [recorder(), recorder()];
    bus.mapMmio('high', 0x1000, 0x100, high, 'little', 1);
    bus.mapMmio('low', 0x0, 0x10000, low);
    bus.read(0x1010, 1, 'little');
    bus.read(0x0fff, 1, 'little');
    bus.read(0x1100, 1, 'little');
    expect(high.log).toEqual(['r1@16']);
    expect(low.log).toEqual(['r1@4095', 'r1@4352']);
  });

  it('follows windows into other buses, nested, and sees later changes there', () => {
    const [cpu, pci, isa] = [new AddressSpace('cpu'), new AddressSpace('pci'), new AddressSpace('isa', 0x10000)];
    cpu.mapWindow('pci window', 0x1800_0000, 0x20_0000, pci, 0x1000);
    pci.mapWindow('isa window', 0x1000, 0x1_0000, isa);
    const uart = recorder();
    const unmap = isa.mapMmio('uart', 0x3f8, 8, uart);
    cpu.read(0x1800_03fd, 1, 'big');
    expect(uart.log).toEqual(['r1@5']);
    unmap();
    expect(cpu.read(0x1800_03fd, 1, 'big')).toBe(0);
    expect(cpu.faulted).toBe(true);
  });

  it('is byte-invariant: a master of the other byte order sees wide registers reversed', () => {
    const bus = new AddressSpace('bus');
    const device = recorder();
    bus.mapMmio('device', 0, 16, device, 'little');
    expect(bus.read(0, 4, 'little')).toBe(0x11223344);
    expect(bus.read(0, 4, 'big')).toBe(0x44332211);
    expect(bus.read(0, 2, 'big')).toBe(0x2211);
    bus.write(4, 4, 0xa1b2c3d4, 'big');
    expect(device.log.at(-1)).toBe('w4@4=d4c3b2a1');
    const ram = ramOf();
    bus.mapRam('ram', 0x1000, ram);
    bus.write(0x1000, 4, 0x01020304, 'big');
    expect([...ram.bytes.subarray(0, 4)]).toEqual([1, 2, 3, 4]);
    expect(bus.read(0x1000, 2, 'little')).toBe(0x0201);
  });

  it('splits an access that straddles two regions into bytes', () => {
    const bus = new AddressSpace('bus');
    const [a, b] = [ramOf(1), ramOf(1)];
    bus.mapRam('a', 0, a);
    bus.mapRam('b', 0x1000, b);
    bus.write(0xffe, 4, 0x04030201, 'little');
    expect([...a.bytes.subarray(-2), ...b.bytes.subarray(0, 2)]).toEqual([1, 2, 3, 4]);
    expect(bus.read(0xffe, 4, 'big')).toBe(0x01020304);
  });

  it('moves DMA through memory, device registers and holes, and reports the holes', () => {
    const bus = new AddressSpace('bus');
    const ram = ramOf(1);
    const device = recorder();
    bus.mapRam('ram', 0, ram);
    bus.mapMmio('fifo', 0x1000, 2, device);
    const complete = bus.writeBytes(0xffe, Uint8Array.of(1, 2, 3, 4, 5));
    expect(complete).toBe(false);
    expect([...ram.bytes.subarray(-2)]).toEqual([1, 2]);
    expect(device.log).toEqual(['w1@0=3', 'w1@1=4']);
    const back = new Uint8Array(3);
    expect(bus.readBytes(0xfff, back)).toBe(true);
    expect([...back]).toEqual([2, 0, 1]);
  });

  it('keeps ROM from stores and hands them to the flash behind it', () => {
    const bus = new AddressSpace('bus');
    const rom = ramOf(1);
    rom.bytes[8] = 0x5a;
    const commands = recorder();
    bus.map({ name: 'rom', base: 0, size: 0x1000, target: { kind: 'rom', block: rom, offset: 0, onWrite: commands } });
    bus.write(8, 1, 0xff, 'little');
    expect(bus.read(8, 1, 'little')).toBe(0x5a);
    expect(commands.log).toEqual(['w1@8=ff']);
  });

  it('refuses regions that do not fit', () => {
    const bus = new AddressSpace('io', 0x1_0000);
    expect(() => bus.mapMmio('uart', 0xfffc, 8, recorder())).toThrow("region 'uart' does not fit on bus 'io'");
  });
});

describe('RamBlock', () => {
  it('collects dirty pages, whoever wrote them', () => {
    const ram = ramOf(4);
    const bus = new AddressSpace('bus');
    bus.mapRam('ram', 0, ram);
    bus.write(0x1004, 4, 1, 'little');
    bus.writeBytes(0x2ffe, Uint8Array.of(1, 2, 3, 4));
    const changes: (number | undefined)[] = [];
    ram.onTrackingChange((offset) => changes.push(offset));
    expect(ram.takeDirtyPages()).toEqual([1, 2, 3]);
    expect(changes).toEqual([undefined]);
    expect(ram.takeDirtyPages()).toEqual([]);
    ram.markCode(0x2010);
    ram.markCode(0x2020);
    expect(changes).toEqual([undefined, 0x2000]);
  });

  it('announces stores to pages that hold translated code, by CPU and by DMA', () => {
    const ram = ramOf(4);
    const heard: [number, number][] = [];
    ram.onCodeWrite((_block, offset, length) => heard.push([offset, length]));
    ram.markCode(0x2010);
    ram.write(0x1000, 4, 1, 'little');
    ram.write(0x2000, 4, 1, 'little');
    ram.markWritten(0x1ffe, 4);
    ram.clearCode(0x2010);
    ram.write(0x2000, 4, 2, 'little');
    expect(heard).toEqual([
      [0x2000, 4],
      [0x1ffe, 4],
    ]);
    expect(ram.pageFlags[2]).toBe(PageFlag.Dirty);
  });
});

describe('LinearMemory', () => {
  it('aligns what it hands out, not from its start, and says when it is full', () => {
    const memory = new LinearMemory(MIB);
    const first = memory.allocate(10);
    const second = memory.allocate(10, 4096);
    expect(first).toBeGreaterThanOrEqual(4096);
    expect(second % 4096).toBe(0);
    expect(() => memory.allocate(64 * MIB)).toThrow('linear memory is full');
  });

  it('hands out its start once, to who fits there, whatever came before', () => {
    const memory = new LinearMemory(MIB);
    const before = memory.allocate(64);
    expect(memory.allocateFirst(9000)).toBeGreaterThanOrEqual(before + 64);
    expect(memory.allocateFirst(3000)).toBe(0);
    expect(memory.allocateFirst(3000)).toBeGreaterThanOrEqual(before + 64 + 9000);
    expect(before).toBeGreaterThanOrEqual(3000);
  });

  it('refuses more than WebAssembly can address', () => {
    expect(() => new LinearMemory(2 ** 32)).toThrow('limited to 4 GiB');
  });
});
