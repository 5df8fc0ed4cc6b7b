import { describe, expect, it } from '@jest/globals';
import { parseProgram, ProgramError, ProgramHeaderType } from './elf.js';

interface Parts {
  type?: number;
  machine?: number;
  bits?: 32 | 64;
  big?: boolean;
  headers?: readonly { type?: number; offset?: number; address?: number; fileBytes?: number; memoryBytes?: number }[];
  headerSize?: number;
  count?: number;
}

/** An ELF file of 256 bytes. */
function elf({
  type = 2,
  machine = 8,
  bits = 32,
  big = false,
  headers = [{}],
  headerSize = 32,
  count,
}: Parts = {}): Uint8Array {
  const bytes = new Uint8Array(256);
  const view = new DataView(bytes.buffer);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, bits === 64 ? 2 : 1, big ? 2 : 1, 1]);
  view.setUint16(16, type, !big);
  view.setUint16(18, machine, !big);
  view.setUint32(24, 0x400100, !big);
  view.setUint32(28, 52, !big);
  view.setUint32(36, 0x70001007, !big);
  view.setUint16(42, headerSize, !big);
  view.setUint16(44, count ?? headers.length, !big);
  headers.forEach((header, i) => {
    const { offset = 0, address = 0x400000, fileBytes = 256, memoryBytes = 256 } = header;
    const words = [header.type ?? ProgramHeaderType.Load, offset, address, address, fileBytes, memoryBytes, 5, 4096];
    words.forEach((value, word) => view.setUint32(52 + 32 * i + 4 * word, value, !big));
  });
  return bytes;
}

const parse = (file: Uint8Array): ReturnType<typeof parseProgram> =>
  parseProgram((offset, length) => file.subarray(offset, offset + length), file.length);

describe('an ELF program', () => {
  it.each([false, true])('is read in its own byte order, big-endian %s', (big) => {
    expect(parse(elf({ big }))).toMatchObject({
      byteOrder: big ? 'big' : 'little',
      machine: 8,
      positionIndependent: false,
      entry: 0x400100,
      flags: 0x70001007,
      headers: [{ type: 1, virtualAddress: 0x400000, fileBytes: 256, flags: 5 }],
    });
  });

  it('of a 64-bit machine is recognised as far as a message needs it', () => {
    expect(parse(elf({ bits: 64, machine: 62 }))).toMatchObject({ bits: 64, machine: 62 });
  });

  it.each<[string, Uint8Array, RegExp]>([
    ['nothing', new Uint8Array(), /no ELF program/],
    ['text', Buffer.from('#include <stdio.h>'), /no ELF program/],
    ['a header cut short', elf().subarray(0, 40), /truncated ELF file: its header/],
    ['program headers beyond the end', elf().subarray(0, 60), /truncated ELF file: its program headers/],
    [
      'a segment beyond the end',
      elf({ headers: [{ fileBytes: 300, memoryBytes: 300 }] }),
      /ends at byte 300, the file has 256/,
    ],
    ['an object file', elf({ type: 1 }), /no program \(an object file/],
    ['program headers of another size', elf({ headerSize: 56 }), /make no sense/],
    ['no program headers', elf({ count: 0 }), /make no sense/],
    ['more bytes than memory', elf({ headers: [{ memoryBytes: 8 }] }), /segment larger than its memory/],
    ['a segment across pages', elf({ headers: [{ address: 0x400004 }] }), /cannot be mapped/],
  ])('%s is refused', (_name, file, message) => {
    expect(() => parse(file)).toThrow(ProgramError);
    expect(() => parse(file)).toThrow(message);
  });
});
