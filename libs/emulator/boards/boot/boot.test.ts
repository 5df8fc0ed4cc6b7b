import { describe, expect, it } from '@jest/globals';
import { parseElf, parseElfHeader } from './elf.js';
import { inspectImage } from './inspect.js';
import { yamonTables } from './yamon.js';

/** A MIPS ELF with one loadable segment of four bytes at 0x80100000. */
function tinyElf(byteOrder: 'little' | 'big' = 'little', bits: 32 | 64 = 32): Uint8Array {
  const little = byteOrder === 'little';
  const wide = bits === 64;
  const headerBytes = wide ? 64 : 52;
  const bytes = new Uint8Array(headerBytes + (wide ? 56 : 32) + 4);
  const view = new DataView(bytes.buffer);
  const word = (offset: number, value: number): void =>
    wide ? view.setBigInt64(offset, BigInt(value | 0), little) : view.setUint32(offset, value, little);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, wide ? 2 : 1, little ? 1 : 2, 1]);
  view.setUint16(16, 2, little);
  view.setUint16(18, 8, little);
  word(24, 0x8010_0000);
  word(wide ? 32 : 28, headerBytes);
  view.setUint16(wide ? 54 : 42, wide ? 56 : 32, little);
  view.setUint16(wide ? 56 : 44, 1, little);
  view.setUint32(headerBytes, 1, little);
  word(headerBytes + (wide ? 8 : 4), bytes.length - 4);
  word(headerBytes + (wide ? 16 : 8), 0x8010_0000);
  word(headerBytes + (wide ? 24 : 12), 0x0010_0000);
  word(headerBytes + (wide ? 32 : 16), 4);
  word(headerBytes + (wide ? 40 : 20), 0x100);
  bytes.set([1, 2, 3, 4], bytes.length - 4);
  return bytes;
}

describe('ELF', () => {
  it.each([
    ['little', 32],
    ['big', 32],
    ['little', 64],
    ['big', 64],
  ] as const)('reads a %s-endian %i-bit file', (byteOrder, bits) => {
    const elf = parseElf(tinyElf(byteOrder, bits));
    expect(elf).toMatchObject({ bits, byteOrder, machine: 'mips', type: 'executable', entry: 0x8010_0000 });
    expect(elf.segments).toEqual([
      {
        virtualAddress: 0x8010_0000,
        physicalAddress: 0x0010_0000,
        data: Uint8Array.of(1, 2, 3, 4),
        memBytes: 0x100,
        executable: false,
      },
    ]);
  });

  it('refuses every truncation with a reason', () => {
    const whole = tinyElf();
    for (let length = 0; length < whole.length; length++) {
      expect(() => parseElf(whole.subarray(0, length))).toThrow(/not an ELF file|truncated/);
    }
  });

  it('survives any damage to its headers', () => {
    for (let at = 4; at < 84; at++) {
      for (const value of [0, 1, 0x7f, 0xff]) {
        const damaged = tinyElf();
        damaged[at] = value;
        let error: unknown;
        try {
          parseElf(damaged);
        } catch (caught) {
          error = caught;
        }
        expect(error === undefined || (error as Error).name === 'ElfError').toBe(true);
      }
    }
  });

  it('names the machine of foreign files', () => {
    const foreign = tinyElf();
    foreign[18] = 40;
    expect(parseElfHeader(foreign).machine).toBe('arm');
  });
});

/** A device tree of one node, or of one node within another. Devicetree specification 0.4, 5. */
function deviceTree(node: string, child?: string): Uint8Array {
  const name = (text: string): number[] => {
    const bytes = [...new TextEncoder().encode(text), 0];
    while (bytes.length % 4 !== 0) bytes.push(0);
    return bytes;
  };
  const word = (value: number): number[] => [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255];
  const inner = child === undefined ? [] : [...word(1), ...name(child), ...word(2)];
  const property = [...word(3), ...word(5), ...word(0), 1, 2, 3, 4, 5, 0, 0, 0];
  const root = [...word(1), ...name(''), ...property, ...word(4)];
  const structure = [...root, ...word(1), ...name(node), ...inner, ...word(2), ...word(2), ...word(9)];
  const strings = 40 + structure.length;
  const header = [0xd00dfeed, strings + 8, 40, strings, 40, 17, 16, 0, 8, structure.length].flatMap(word);
  return Uint8Array.from([...header, ...structure, ...name('compat')]);
}

/** The first sectors of an x86 kernel. Linux, Documentation/arch/x86/boot.rst. */
function bzImage(): Uint8Array {
  const bytes = new Uint8Array(2048);
  const view = new DataView(bytes.buffer);
  bytes.set([0x55, 0xaa], 510);
  bytes.set(new TextEncoder().encode('HdrS'), 0x202);
  view.setUint16(0x206, 0x20f, true);
  view.setUint16(0x20e, 0x400, true);
  bytes.set(new TextEncoder().encode('6.1.0-test (builder@host) #1 SMP'), 0x600);
  return bytes;
}

/** A header from before POSIX: no magic, but a sum of its bytes. */
function oldTar(): Uint8Array {
  const bytes = new Uint8Array(512);
  const put = (offset: number, text: string): void => bytes.set(new TextEncoder().encode(text), offset);
  put(0, 'etc/passwd');
  put(100, '000644 \0');
  put(124, '00000000012 ');
  put(148, '        ');
  const sum = bytes.reduce((total, byte) => total + byte, 0);
  put(148, `${sum.toString(8).padStart(6, '0')}\0 `);
  return bytes;
}

describe('inspectImage', () => {
  const text = (value: string): Uint8Array => new TextEncoder().encode(value);
  const at = (length: number, offset: number, value: Uint8Array): Uint8Array => {
    const bytes = new Uint8Array(length).fill(0x80);
    bytes.set(value, offset);
    return bytes;
  };
  it.each([
    ['elf', tinyElf()],
    ['elf', tinyElf().subarray(0, 20)],
    ['cpio', text('070701000')],
    ['gzip', Uint8Array.of(0x1f, 0x8b, 8, 0, 1)],
    ['xz', Uint8Array.of(0xfd, 0x37, 0x7a, 0x58, 0x5a, 0)],
    ['uimage', at(64, 0, Uint8Array.of(0x27, 5, 0x19, 0x56))],
    ['dtb', at(64, 0, Uint8Array.of(0xd0, 0x0d, 0xfe, 0xed))],
    ['zimage', at(64, 0x24, Uint8Array.of(0x18, 0x28, 0x6f, 0x01))],
    ['qcow2', at(72, 0, Uint8Array.of(0x51, 0x46, 0x49, 0xfb))],
    ['squashfs', text('hsqs    ')],
    ['tar', at(512, 257, text('ustar'))],
    ['ext', at(2048, 1080, Uint8Array.of(0x53, 0xef))],
    ['disk-raw', at(1024, 510, Uint8Array.of(0x55, 0xaa))],
    ['disk-other', text('KDMV    ')],
    ['disk-other', at(512, 0x40, Uint8Array.of(0x7f, 0x10, 0xda, 0xbe))],
    ['bzimage', bzImage()],
    ['linux-image', at(64, 56, text('ARM\x64'))],
    ['linux-image', at(64, 56, text('RSC\x05'))],
    ['dtb', deviceTree('cpus')],
    ['fit', deviceTree('images')],
    ['lz4', Uint8Array.of(0x02, 0x21, 0x4c, 0x18)],
    ['lzo', Uint8Array.of(0x89, 0x4c, 0x5a, 0x4f, 0, 0x0d, 0x0a, 0x1a, 0x0a)],
    ['cramfs', Uint8Array.of(0x45, 0x3d, 0xcd, 0x28)],
    ['cramfs', at(520, 512, Uint8Array.of(0x28, 0xcd, 0x3d, 0x45))],
    ['romfs', text('-rom1fs-')],
    ['ubi', text('UBI#')],
    ['jffs2', Uint8Array.of(0x85, 0x19, 0x03, 0x20)],
    ['jffs2', Uint8Array.of(0x19, 0x85, 0xe0, 0x01)],
    ['iso9660', at(0x8800, 0x8001, text('CD001'))],
    ['tar', oldTar()],
    ['firmware-raw', Uint8Array.of(0x10, 0, 0xff, 0xff)],
    ['text', text('setenv bootargs console=ttyS0\n')],
    ['empty', new Uint8Array(0)],
  ] as const)('tells %s by its bytes', (type, bytes) => {
    expect(inspectImage(bytes).type).toBe(type);
  });

  it('takes the version of an x86 kernel from its header', () => {
    expect(inspectImage(bzImage()).description).toBe('x86 Linux 6.1.0-test, bzImage');
  });

  it('looks for /images in a device tree, not for the word', () => {
    expect(inspectImage(deviceTree('cpus', 'images')).type).toBe('dtb'); // a node below another one
    expect(inspectImage(deviceTree('images').subarray(0, 60)).type).toBe('dtb'); // cut before it says so
  });

  it('survives any damage to any header, and any cut', () => {
    const samples = [tinyElf(), deviceTree('images'), bzImage(), oldTar(), deviceTree('a', 'b')];
    for (const sample of samples) {
      for (let length = 0; length <= sample.length; length++) inspectImage(sample.subarray(0, length));
      for (let offset = 0; offset < sample.length; offset++) {
        for (const value of [0, 1, 0x7f, 0x80, 0xff]) {
          const damaged = sample.slice();
          damaged[offset] = value;
          // Whole words of it: lengths and offsets become huge.
          damaged.fill(value, offset & ~3, (offset & ~3) + 4);
          expect(typeof inspectImage(damaged).description).toBe('string');
        }
      }
    }
  });

  it('ends on a device tree that goes round in circles', () => {
    const endless = deviceTree('cpus');
    const view = new DataView(endless.buffer);
    for (let offset = view.getUint32(8); offset + 4 <= endless.length; offset += 4) view.setUint32(offset, 4); // FDT_NOP
    expect(inspectImage(endless).type).toBe('dtb');
  });

  it('reports what a loader needs to know of an ELF file', () => {
    expect(inspectImage(tinyElf('big'))).toMatchObject({
      arch: 'mips',
      byteOrder: 'big',
      bits: 32,
      entry: 0x8010_0000,
    });
  });
});

describe('yamonTables', () => {
  it.each(['little', 'big'] as const)('lays out arguments and environment for a %s-endian CPU', (byteOrder) => {
    const tables = yamonTables({
      base: 0x4000,
      byteOrder,
      argv: ['vmlinux', 'console=ttyS0'],
      environment: { memsize: '0x1000' },
      memoryBytes: 4096,
    });
    const view = new DataView(tables.bytes.buffer);
    const pointer = (address: number): number => view.getUint32(address - 0x8000_4000, byteOrder === 'little');
    const string = (address: number): string =>
      new TextDecoder().decode(tables.bytes.subarray(address - 0x8000_4000)).split('\0', 1)[0] ?? '';
    expect(tables.a0).toBe(2);
    expect([string(pointer(tables.a1)), string(pointer(tables.a1 + 4)), pointer(tables.a1 + 8)]).toEqual([
      'vmlinux',
      'console=ttyS0',
      0,
    ]);
    expect([string(pointer(tables.a2)), string(pointer(tables.a2 + 4)), pointer(tables.a2 + 8)]).toEqual([
      'memsize',
      '0x1000',
      0,
    ]);
    expect(tables.a3).toBe(4096);
  });
});
