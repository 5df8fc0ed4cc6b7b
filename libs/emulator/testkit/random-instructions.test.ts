import { describe, expect, it } from '@jest/globals';
import { parsePattern } from '../jit/ir/index.js';
import { SeededRandom } from './random.js';
import { encodeInstruction, matchInstruction, RandomInstructions } from './random-instructions.js';

const define = (name: string, pattern: string) => ({ name, encoding: parsePattern(pattern), operands: '' });
const addi = define('addi', '001000 rs:5 rt:5 imm:s16');
const sub = define('sub', '000000 rs:5 rt:5 rd:5 ----- 100010');
const neg = define('neg', '000000 00000 rt:5 rd:5 ----- 100010');

describe('encodeInstruction', () => {
  it('puts fields where the pattern has them', () => {
    expect(encodeInstruction(addi, { rs: 1, rt: 2, imm: -3 })).toBe(0x2022fffd);
    expect(encodeInstruction(sub, { rd: 31 })).toBe(0x0000f822);
  });

  it('refuses values that do not fit and fields that do not exist', () => {
    expect(() => encodeInstruction(addi, { rs: 32 })).toThrow(/32 does not fit field 'rs' of 'addi'/);
    expect(() => encodeInstruction(addi, { imm: 0x8000 })).toThrow(/does not fit/);
    expect(() => encodeInstruction(addi, { rd: 0 })).toThrow(/no field 'rd'/);
  });
});

describe('RandomInstructions', () => {
  it('gives words of the instruction, open bits zero unless asked otherwise', () => {
    const plain = new RandomInstructions([sub, neg, addi], new SeededRandom(1));
    const wild = new RandomInstructions([sub, neg, addi], new SeededRandom(1), { openBits: 'random' });
    const open = 0x1f << 6;
    for (let i = 0; i < 100; i++) expect(plain.of(neg) & open).toBe(0);
    expect(Array.from({ length: 100 }, () => wild.of(neg)).some((word) => (word & open) !== 0)).toBe(true);
  });

  it('never gives a word that a more specific pattern claims', () => {
    const words = new RandomInstructions([sub, neg], new SeededRandom(1), { chooseField: () => 0 });
    expect(() => words.of(sub)).toThrow(/claim every word of 'sub'/);
    expect(matchInstruction([sub, neg], words.of(neg))).toBe(neg);
  });

  it('is the same for the same seed', () => {
    const draw = (seed: number): number[] => {
      const words = new RandomInstructions([sub, addi], new SeededRandom(seed));
      return Array.from({ length: 20 }, () => words.any());
    };
    expect(draw(4)).toEqual(draw(4));
    expect(draw(4)).not.toEqual(draw(5));
  });
});
