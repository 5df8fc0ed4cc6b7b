import { describe, expect, it } from '@jest/globals';
import { createMachine, selfTestFirmware } from '../index.js';
import { Profile, SymbolError, Symbols } from './index.js';

const text = (value: string): Uint8Array => new TextEncoder().encode(value);

/** A 32-bit ELF file with nothing but a symbol table: [name, value, size, type, section index]. */
function elf(little: boolean, symbols: readonly [string, number, number, number, number][]): Uint8Array {
  const [header, sections, table] = [0, 0x34, 0x34 + 3 * 0x28];
  const names = table + 16 * symbols.length;
  const strings = text(`\0${symbols.map(([name]) => name).join('\0')}\0`);
  const bytes = new Uint8Array(names + strings.length);
  const view = new DataView(bytes.buffer);
  const u32 = (at: number, value: number): void => view.setUint32(at, value, little);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 1, little ? 1 : 2, 1], header);
  u32(0x20, sections);
  view.setUint16(0x2e, 0x28, little);
  view.setUint16(0x30, 3, little);
  [
    [1, 2, table, 16 * symbols.length, 2],
    [2, 3, names, strings.length, 0],
  ].forEach(([index, type, offset, size, link]) => {
    const at = sections + (index as number) * 0x28;
    u32(at + 4, type as number);
    u32(at + 0x10, offset as number);
    u32(at + 0x14, size as number);
    u32(at + 0x18, link as number);
  });
  let name = 1;
  symbols.forEach(([symbol, value, size, type, section], i) => {
    const at = table + 16 * i;
    u32(at, name);
    u32(at + 4, value);
    u32(at + 8, size);
    view.setUint8(at + 12, type);
    view.setUint16(at + 14, section, little);
    name += symbol.length + 1;
  });
  bytes.set(strings, names);
  return bytes;
}

const SYMBOLS = [
  ['main', 0x80001000, 0x40, 0x12, 1],
  ['inner', 0x80001010, 0x10, 0x02, 1],
  ['variable', 0x80001020, 4, 0x11, 1],
  ['elsewhere', 0x80001030, 4, 0x12, 0],
] as const;

describe('symbols', () => {
  it.each([true, false])('come from an ELF file (little-endian: %s)', (little) => {
    const symbols = Symbols.read(elf(little, SYMBOLS as never));
    expect(symbols.count).toBe(2);
    expect([0x80001000, 0x8000100f, 0x80001010, 0x8000101f].map((at) => symbols.nameOf(at))).toEqual([
      'main',
      'main',
      'inner',
      'inner',
    ]);
    expect([0x80000ffc, 0x80001040].map((at) => symbols.nameOf(at))).toEqual([
      '0x80000000 (page)',
      '0x80001000 (page)',
    ]);
  });

  it('come from a System.map, 64-bit addresses cut', () => {
    const symbols = Symbols.read(text('ffffffff80100000 T start\n80100040 t next\n80100040 t same\n80100080 d data\n'));
    expect([0x80100000, 0x8010003c, 0x80100040, 0x8010007c].map((at) => symbols.nameOf(at))).toEqual([
      'start',
      'start',
      'same',
      'same',
    ]);
    expect(symbols.nameOf(0x80100080)).toBe('0x80100000 (page)');
  });

  it.each<[string, Uint8Array, RegExp]>([
    ['stripped', elf(true, []), /no symbol table/],
    ['nothing', text(''), /neither/],
    ['text', text('hello\n'), /neither/],
    ['a 64-bit file', elf(true, SYMBOLS as never).map((byte, i) => (i === 4 ? 2 : byte)), /32-bit/],
    ['cut in the header', elf(true, SYMBOLS as never).subarray(0, 20), /truncated/],
    ['cut in the table', elf(true, SYMBOLS as never).subarray(0, 0x34 + 3 * 0x28 + 20), /truncated/],
    ['cut before the names', elf(true, SYMBOLS as never).subarray(0, 0x34 + 3 * 0x28 + 64), /truncated/],
  ])('are refused: %s', (_name, bytes, message) => {
    expect(() => Symbols.read(bytes)).toThrow(SymbolError);
    expect(() => Symbols.read(bytes)).toThrow(message);
  });
});

describe('a profile', () => {
  it('has a stack for every way to a function, and counts a function wherever it was called from', () => {
    const symbols = new Symbols([
      { start: 0x80001000, end: 0x80002000, name: 'inner' },
      { start: 0x80002000, end: 0x80003000, name: 'outer' },
      { start: 0x80003000, end: 0x80004000, name: 'other' },
    ]);
    const profile = new Profile(symbols);
    const asked: (number | undefined)[] = [];
    const add = (programCounter: number, callers: number[]): void =>
      profile.add({
        ...{ programCounter, instructions: 10 },
        callers: (functionStart) => {
          asked.push(functionStart(programCounter + 4));
          return callers;
        },
      });
    add(0x80001000, [0x80002010]);
    add(0x80001004, [0x80002010]);
    add(0x80001000, [0x80003010, 0x80002020]);
    add(0x80002000, []);
    expect(asked).toEqual([0x80001000, 0x80001000, 0x80001000, 0x80002000]);
    expect(profile.hottest(2)).toEqual([
      { name: 'inner', share: 0.75, instructions: 30 },
      { name: 'outer', share: 0.25, instructions: 10 },
    ]);
    const graph = profile.speedscope('test') as {
      shared: { frames: { name: string }[] };
      profiles: { samples: number[][]; weights: number[] }[];
    };
    const [{ samples, weights } = { samples: [], weights: [] }] = graph.profiles;
    expect(samples.map((stack) => stack.map((i) => graph.shared.frames[i]?.name).join(' '))).toEqual([
      'kernel outer inner',
      'kernel outer',
      'kernel outer other inner',
    ]);
    expect(weights).toEqual([20, 10, 10]);
  });

  it('of a machine is the same every time and changes nothing that the guest sees', async () => {
    const run = async (sampled: boolean): Promise<unknown[]> => {
      const machine = await createMachine({ board: 'malta', firmware: selfTestFirmware('malta', 'little') });
      const profile = new Profile(new Symbols([]));
      let console = '';
      machine.onConsole(({ tNs, data }) => (console += `${tNs} ${data.join()} `));
      if (sampled) machine.onSample(10_007, (sample) => profile.add(sample));
      const stop = machine.run({ instructions: 3_000_000 });
      const { instructions, virtualNs } = machine.stats();
      const seen = [stop.kind, instructions, virtualNs, console, await machine.ramSha256()];
      if (sampled) {
        expect(profile.samples).toBe(Math.floor(instructions / 10_007));
        expect(profile.hottest(100).reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1);
        seen.push(JSON.stringify(profile.speedscope('selftest')));
      }
      machine.close();
      return seen;
    };
    const [plain, first, second] = [await run(false), await run(true), await run(true)];
    expect(first).toEqual(second);
    expect(first.slice(0, plain.length)).toEqual(plain);
  });
});
