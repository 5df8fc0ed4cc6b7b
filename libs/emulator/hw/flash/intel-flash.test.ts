import { describe, expect, it } from '@jest/globals';
import type { ByteOrder } from '../../core/index.js';
import { Scheduler } from '../../core/index.js';
import { AddressSpace, LinearMemory } from '../../memory/index.js';
import { testDevice } from '../../testkit/device-suite.js';
import { FLASH_BLOCK_BYTES, intelFlash } from './intel-flash.js';

const SIZE = 4 * FLASH_BLOCK_BYTES;

/** Less than an erase block, to keep the comparison of states short. */
const SMALL = 4096;

testDevice('Intel flash bank', {
  create: (context) => {
    const block = new LinearMemory(4 * SMALL).allocateRam('flash', SMALL);
    return intelFlash(context, { block, byteOrder: 'little', windows: [] });
  },
  handlers: (flash) => [{ handler: flash.registers, sizeBytes: SMALL }],
  resetValues: {},
});

describe.each(['little', 'big'] as const)('Intel flash bank on a %s-endian bus', (byteOrder: ByteOrder) => {
  function bench() {
    const space = new AddressSpace('cpu');
    const memory = new LinearMemory(4 * SIZE);
    const block = memory.allocateRam('flash', SIZE);
    const page = memory.allocateRam('page', 4096);
    const windows = [
      { space, base: 0 },
      { space, base: SIZE, override: { offset: 0x10, word: 0x420, page } },
    ];
    const flash = intelFlash({ scheduler: new Scheduler(), name: 'flash' }, { block, byteOrder, windows });
    const write = (offset: number, value: number, width: 1 | 2 | 4 = 4): void =>
      space.write(offset, width, value, byteOrder);
    const read = (offset: number, width: 1 | 2 | 4 = 4): number => space.read(offset, width, byteOrder);
    return { space, flash, write, read };
  }

  it('is readable memory in array mode, and answers queries otherwise', () => {
    const { space, write, read } = bench();
    expect(space.find(0)?.target.kind).toBe('rom');
    write(0x154, 0x0098_0098);
    expect([read(0x40), read(0x44), read(0x48)]).toEqual([0x0051_0051, 0x0052_0052, 0x0059_0059]);
    expect(read(0x40, 2)).toBe(0x51);
    write(0, 0x0090_0090);
    expect([read(0), read(4)]).toEqual([0x0089_0089, 0]);
    write(0, 0x00ff_00ff);
    expect([read(0x40), space.find(0)?.target.kind]).toEqual([0xffff_ffff, 'rom']);
  });

  it('programs words, can only clear bits, and erases blocks', () => {
    const { write, read } = bench();
    const program = (offset: number, value: number): void => {
      write(offset, 0x0040_0040);
      write(offset, value);
    };
    program(0x100, 0x1234_5678);
    expect(read(0x100)).toBe(0x0080_0080);
    program(0x100, 0xff00_ffff);
    write(0, 0x00ff_00ff);
    expect([read(0x100), read(0x104)]).toEqual([0x1200_5678, 0xffff_ffff]);
    program(FLASH_BLOCK_BYTES, 0);
    write(0x40, 0x0020_0020);
    write(0x40, 0x00d0_00d0);
    write(0, 0x00ff_00ff);
    expect([read(0x100), read(FLASH_BLOCK_BYTES)]).toEqual([0xffff_ffff, 0]);
  });

  it('programs through its write buffer', () => {
    const { write, read } = bench();
    write(0x200, 0x00e8_00e8);
    expect(read(0x200)).toBe(0x0080_0080);
    write(0x200, 0x0001_0001);
    write(0x200, 0x0102_0304);
    write(0x204, 0x0506_0708);
    write(0x200, 0x00d0_00d0);
    write(0, 0x00ff_00ff);
    expect([read(0x200), read(0x204), read(0x208)]).toEqual([0x0102_0304, 0x0506_0708, 0xffff_ffff]);
  });

  it('refuses to change locked blocks', () => {
    const { write, read } = bench();
    write(0, 0x0060_0060);
    write(0, 0x0001_0001);
    write(0x10, 0x0040_0040);
    write(0x10, 0);
    expect(read(0)).toBe(0x0092_0092);
    write(0, 0x0060_0060);
    write(0, 0x00d0_00d0);
    write(0, 0x0050_0050);
    write(0x10, 0x0040_0040);
    write(0x10, 0);
    expect(read(0)).toBe(0x0080_0080);
  });

  it('lets board logic answer for a word of the boot window', () => {
    const { read, write, flash } = bench();
    flash.load(Uint8Array.from({ length: 64 }, (_, index) => index));
    expect([read(SIZE + 0x10), read(SIZE + 0x10, 1) + read(SIZE + 0x13, 1)]).toEqual([0x420, 0x20]);
    expect(read(0x14, 1)).toBe(0x14);
    expect(read(SIZE + 0x14, 1)).toBe(0x14);
    write(SIZE, 0x0070_0070);
    expect([read(SIZE), read(SIZE + 0x10)]).toEqual([0x0080_0080, 0x420]);
  });
});
