import { describe, expect, it } from '@jest/globals';
import { bytes, padding, structLayout } from '../../targets/linux-abi/layout.js';
import { STATX } from '../../targets/linux-abi/common.js';
import { MIPS_O32_FILES } from '../../targets/mips/linux-abi/files.js';
import { decodeStruct, encodeStruct, fits } from './struct.js';

const O32 = { longBytes: 4, pointerBytes: 4, longLongAlignment: 8 } as const;
const I386 = { longBytes: 4, pointerBytes: 4, longLongAlignment: 4 } as const;
const LP64 = { longBytes: 8, pointerBytes: 8, longLongAlignment: 8 } as const;

describe('structLayout', () => {
  it('aligns 64-bit integers as the data model says', () => {
    const fields = { events: 'u32', data: 'u64' } as const;
    expect(structLayout(O32, fields)).toMatchObject({ size: 16, fields: { data: { offset: 8 } } });
    expect(structLayout(I386, fields)).toMatchObject({ size: 12, fields: { data: { offset: 4 } } });
    expect(structLayout(LP64, fields, { packed: true })).toMatchObject({ size: 12, fields: { data: { offset: 4 } } });
  });

  it('sizes long and pointers by the data model, and pads the end', () => {
    const fields = { base: 'pointer', length: 'ulong', flags: 'u8' } as const;
    expect(structLayout(O32, fields).size).toBe(12);
    expect(structLayout(LP64, fields).size).toBe(24);
  });
});

describe('encodeStruct and decodeStruct', () => {
  const layout = structLayout(O32, {
    a: 'i16',
    hole: padding('u16'),
    b: 'u32',
    c: 'i64',
    d: 'long',
    name: bytes(3),
  });

  it.each(['little', 'big'] as const)('are inverse in %s-endian order', (order) => {
    const values = { a: -2, b: 0xfedcba98, c: -5n, d: -7, name: Uint8Array.of(1, 2, 3) };
    expect(decodeStruct(layout, encodeStruct(layout, values, order), order)).toEqual(values);
  });

  it('stores in the byte order asked for, padding zero', () => {
    const values = { a: 0x0102, b: 1, c: 1n, d: 1, name: Uint8Array.of(9) };
    expect([...encodeStruct(layout, values, 'big').subarray(0, 16)]).toEqual([
      1, 2, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1,
    ]);
    expect([...encodeStruct(layout, values, 'little').subarray(0, 9)]).toEqual([2, 1, 0, 0, 1, 0, 0, 0, 1]);
  });

  it('wraps what does not fit, and says beforehand that it does not', () => {
    expect(fits(layout, 'd', 0x7fffffff)).toBe(true);
    expect(fits(layout, 'd', 0x80000000)).toBe(false);
    expect(fits(layout, 'a', -0x8000)).toBe(true);
    expect(
      decodeStruct(layout, encodeStruct(layout, { a: 0, b: 0, c: 0, d: 2 ** 32 + 5, name: bytes3() }, 'big'), 'big').d,
    ).toBe(5);
  });

  it('refuses bytes that are too few', () => {
    expect(() => decodeStruct(layout, new Uint8Array(5), 'big')).toThrow('5 bytes for a structure of 24');
  });
});

// The sizes and offsets that a MIPS o32 C compiler gives with Linux's headers.
describe('MIPS o32 layouts', () => {
  const { structs } = MIPS_O32_FILES;
  it.each([
    ['stat', structs.stat, 144, { st_ino: 16, st_size: 48, st_atime: 56, st_blocks: 84 }],
    ['stat64', structs.stat64!, 104, { st_ino: 16, st_rdev: 40, st_size: 56, st_atime: 64, st_blocks: 96 }],
    ['statfs', structs.statfs, 68, { f_namelen: 40 }],
    ['statfs64', structs.statfs64!, 96, { f_blocks: 16, f_namelen: 64 }],
    ['flock', structs.flock, 36, { l_start: 4, l_pid: 16 }],
    ['flock64', structs.flock64!, 32, { l_start: 8, l_pid: 24 }],
    ['epoll_event', structs.epollEvent, 16, { data: 8 }],
    ['msghdr', structs.msghdr, 28, { msg_flags: 24 }],
    ['termios', structs.termios, 40, { c_cc: 17 }],
    ['statx', STATX, 256, { stx_ino: 32, stx_mtime_sec: 112, stx_mnt_id: 144 }],
  ] as const)('%s', (_name, layout, size, offsets) => {
    expect(layout.size).toBe(size);
    const fields = layout.fields as Record<string, { offset: number }>;
    for (const [field, offset] of Object.entries(offsets))
      expect([field, fields[field]?.offset]).toEqual([field, offset]);
  });
});

const bytes3 = (): Uint8Array => new Uint8Array(3);
