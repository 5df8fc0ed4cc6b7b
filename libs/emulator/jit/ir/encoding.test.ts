import { describe, expect, it } from '@jest/globals';
import { evaluate } from '../../testkit/ir-oracle.js';
import { SeededRandom } from '../../testkit/random.js';
import { IrBuilder, type StateField } from './builder.js';
import { constantFields, emitField, extractField, InstructionTable, parsePattern, StateLayout } from './encoding.js';
import { Fragment, type Value } from './fragment.js';
import { Op, Type, Width } from './ops.js';

const RESULT: StateField = { name: 'result', offset: 0, width: Width.W32, type: Type.I32, count: 1, strideShift: 2 };

/** Evaluates IR that makes one i32 from an instruction word. */
function valueOf(word: number, make: (b: IrBuilder, word: Value) => Value): { value: number; operations: Op[] } {
  const fragment = new Fragment([]);
  const b = new IrBuilder(fragment);
  b.storeState(RESULT, make(b, fragment.push(Op.InsnWord, Type.I32)));
  const state = new DataView(new ArrayBuffer(4));
  const memory = { load: () => undefined, store: () => false, call: () => undefined, redirected: false };
  evaluate(fragment, { state, insnWord: word, pc: 0, ...memory });
  return { value: state.getInt32(0, true), operations: [...fragment.op.subarray(0, fragment.length)] as Op[] };
}

describe('a pattern', () => {
  it('names fixed bits, open bits and fields, most significant first', () => {
    expect(parsePattern('0101 -- rd:3 imm:s7', 16)).toEqual({
      bits: 16,
      mask: 0xf000,
      match: 0x5000,
      fields: [
        { name: 'rd', low: 7, bits: 3, signed: false },
        { name: 'imm', low: 0, bits: 7, signed: true },
      ],
    });
  });

  it.each([
    ['0101 rd:3', /describes 7 bits instead of 16/],
    ['0101 rd:3 x', /cannot read 'x'/],
  ])('%s is refused', (pattern, message) => {
    expect(() => parsePattern(pattern, 16)).toThrow(message);
  });
});

describe('a field', () => {
  const patterns = [
    'a:5 b:s11 c:s16',
    'top:s8 ---- mid:s12 low:8',
    'all:32',
    '- one:s1 ------ eight:8 sixteen:16',
    '000000 half:s16 ----------',
  ];

  it('is the same by extraction, by emitted IR and as a constant', () => {
    const random = new SeededRandom(8);
    for (const pattern of patterns) {
      const encoding = parsePattern(pattern);
      for (const field of encoding.fields) {
        for (let i = 0; i < 50; i++) {
          const word = random.integer();
          const expected = extractField(field, word);
          expect(valueOf(word, (b, w) => emitField(b, field, w)).value).toBe(expected | 0);
          expect(valueOf(word, (b) => constantFields(b, encoding, word)[field.name] as Value).value).toBe(expected | 0);
        }
      }
    }
  });

  it('is sign-extended where the pattern says so', () => {
    const [imm] = parsePattern('---------------- imm:s16').fields;
    expect(imm && extractField(imm, 0x1234_8000)).toBe(-0x8000);
  });
});

describe('the builder', () => {
  const random = new SeededRandom(4);

  it.each([0, 1, 2, 3, 5, 8])('scales a field by 2^%i as a shift and a mask', (n) => {
    for (const k of [0, 3, 11, 16, 21]) {
      for (const mask of [0x1f, 0xff, 0xffff]) {
        const word = random.word();
        const { value } = valueOf(word, (b, w) => b.shl(b.and(b.shrU(w, b.i32(k)), b.i32(mask)), b.i32(n)));
        expect([k, mask, value]).toEqual([k, mask, (((word >>> k) & mask) << n) | 0]);
      }
    }
  });

  it('merges the scaling into the extraction', () => {
    const { operations } = valueOf(0, (b, w) => b.shl(b.and(b.shrU(w, b.i32(21)), b.i32(31)), b.i32(3)));
    expect(operations).not.toContain(Op.Shl);
  });

  it('folds constants, and leaves out arms that cannot run', () => {
    const { value, operations } = valueOf(0, (b) =>
      b.ifValue(
        b.ltS(b.i32(1), b.i32(2)),
        () => b.add(b.i32(40), b.ext8S(b.i32(0x102))),
        () => b.pc(),
      ),
    );
    expect(value).toBe(42);
    expect(operations.every((op) => ([Op.Const, Op.InsnWord, Op.StoreState] as Op[]).includes(op))).toBe(true);
  });

  it('never folds a division that has no result', () => {
    const fragment = new Fragment([]);
    const b = new IrBuilder(fragment);
    for (const value of [b.divU(b.i32(1), b.i32(0)), b.remS(b.i32(1), b.i32(0)), b.divS(b.i32(-0x80000000), b.i32(-1))])
      expect(b.constantOf(value)).toBeUndefined();
  });

  it('knows its helpers by name', () => {
    expect(() => new IrBuilder(new Fragment([])).call('nobody')).toThrow("no helper 'nobody'");
  });
});

describe('an instruction table', () => {
  it('holds what the model has, and each name once', () => {
    const table = new InstructionTable<IrBuilder>((name) => name !== 'rotr');
    const nothing = (): void => undefined;
    table.define('srl', '000000 00000 rt:5 rd:5 sa:5 000010', '', nothing);
    table.define('rotr', '000000 00001 rt:5 rd:5 sa:5 000010', '', nothing);
    expect(table.instructions.map(({ name }) => name)).toEqual(['srl']);
    expect(() => table.define('rotr', '000000 00001 rt:5 rd:5 sa:5 000010', '', nothing)).toThrow(/defined twice/);
  });
});

describe('a state layout', () => {
  it('aligns fields and tells where elements are', () => {
    const layout = new StateLayout();
    expect(layout.i32('a').offset).toBe(0);
    expect(layout.i64('b')).toMatchObject({ offset: 8, type: Type.I64 });
    const slots = layout.i64('slots', 4);
    expect(slots).toMatchObject({ offset: 16, strideShift: 3 });
    expect(layout.sizeBytes).toBe(64);

    expect(layout.halves(layout.i64('pair'), 'low', 'high')).toMatchObject([
      { name: 'low', offset: 48, type: Type.I32 },
      { name: 'high', offset: 52, type: Type.I32 },
    ]);
    expect(layout.sizeBytes).toBe(64);
    expect(() => layout.halves(layout.i32('c'), 'low', 'high')).toThrow('only 64-bit fields have halves');

    const fragment = new Fragment([]);
    const b = new IrBuilder(fragment);
    const load = b.loadState(slots, b.i32(2));
    expect([fragment.a[load], fragment.b[load]]).toEqual([32, -1]);
  });
});
