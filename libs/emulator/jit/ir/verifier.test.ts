import { describe, expect, it } from '@jest/globals';
import { MIPS_MODELS, mipsDescription } from '../../targets/index.js';
import { RandomInstructions } from '../../testkit/random-instructions.js';
import { SeededRandom } from '../../testkit/random.js';
import { IrBuilder } from './builder.js';
import { constantFields, runtimeFields } from './encoding.js';
import { Fragment, type Value } from './fragment.js';
import { BranchKind, Op, Type, Width } from './ops.js';
import { verify } from './verifier.js';

describe.each(MIPS_MODELS)('the semantics of $id', (model) => {
  describe.each(['little', 'big'] as const)('%s-endian', (byteOrder) => {
    const target = mipsDescription(model, byteOrder);
    const { instructions } = target.table;

    it('are sound IR with run-time fields', () => {
      for (const { name, encoding, semantics } of instructions) {
        const fragment = new Fragment(target.helpers);
        const b = target.createBuilder(fragment);
        semantics(b, runtimeFields(b, encoding, fragment.push(Op.InsnWord, Type.I32)));
        expect([name, ...verify(fragment)]).toEqual([name]);
      }
    });

    it('are sound IR with constant fields', () => {
      const words = new RandomInstructions(instructions, new SeededRandom(3), { openBits: 'random' });
      for (const instruction of instructions) {
        for (const word of [instruction.encoding.match, words.of(instruction), words.of(instruction)]) {
          const fragment = new Fragment(target.helpers);
          const b = target.createBuilder(fragment);
          instruction.semantics(b, constantFields(b, instruction.encoding, word));
          expect([instruction.name, ...verify(fragment)]).toEqual([instruction.name]);
        }
      }
    });
  });
});

describe('the verifier reports', () => {
  const helpers = [{ name: 'nothing', params: 0, result: Type.Void, effect: 'state' }] as const;
  const problemsOf = (make: (b: IrBuilder, fragment: Fragment) => void): string[] => {
    const fragment = new Fragment(helpers);
    make(new IrBuilder(fragment), fragment);
    return verify(fragment);
  };
  /** A value that no folding sees through. */
  const opaque = (b: IrBuilder): Value => b.pc();

  const cases: readonly [what: string, message: RegExp, make: (b: IrBuilder, fragment: Fragment) => void][] = [
    ['operands of different types', /%1 is i64, expected i32/, (b, f) => f.push(Op.Add, Type.I32, opaque(b), b.i64(1))],
    [
      'a comparison of another type than it says',
      /%0 is i32, expected i64/,
      (b, f) => f.push(Op.Eq, Type.I32, opaque(b), b.i64(1), Type.I64),
    ],
    ['a condition that is no i32', /%0 is i64, expected i32/, (b) => b.ifElse(b.i64(1), () => undefined)],
    ['a use before the definition', /%5 is used before it is defined/, (_, f) => f.push(Op.Clz, Type.I32, 5)],
    ['a use of a value without a result', /%0 has no value/, (b, f) => f.push(Op.Clz, Type.I32, b.call('nothing'))],
    [
      'a value of one arm in the other',
      /belongs to another arm/,
      (b) => {
        let inner: Value;
        b.ifElse(
          opaque(b),
          () => (inner = b.add(opaque(b), opaque(b))),
          () => b.clz(inner),
        );
      },
    ],
    [
      'a value of an arm after its end',
      /belongs to another arm/,
      (b) => {
        let inner: Value | undefined;
        b.ifElse(opaque(b), () => (inner = b.add(opaque(b), opaque(b))));
        b.clz(inner as Value); // the callback ran
      },
    ],
    [
      'arms that yield different types',
      /the arms have different types/,
      (b) =>
        b.ifValue(
          opaque(b),
          () => b.clz(opaque(b)),
          () => b.extendS(opaque(b)),
        ),
    ],
    ['an If that is never closed', /1 If without EndIf/, (b, f) => f.push(Op.If, Type.Void, opaque(b))],
    ['an Else without its If', /belongs to no If/, (_, f) => f.push(Op.Else, Type.Void)],
    ['an EndIf without its If', /ends no If/, (_, f) => f.push(Op.EndIf, Type.Void)],
    [
      'a branch inside an arm',
      /stands inside an arm/,
      (b) => b.ifElse(opaque(b), () => b.branch(BranchKind.Immediate, opaque(b))),
    ],
    [
      'anything after the branch',
      /follows the branch/,
      (b) => {
        b.branch(BranchKind.Delayed, opaque(b));
        b.storeGuest(Width.W32, opaque(b), opaque(b));
      },
    ],
  ];
  it.each(cases)('%s', (_, message, make) => {
    expect(problemsOf(make).join('\n')).toMatch(message);
  });

  it('nothing about a sound fragment', () => {
    const problems = problemsOf((b) => {
      const sum = b.ifValue(
        b.ltS(opaque(b), b.i32(5)),
        () => b.add(opaque(b), b.i32(1)),
        () => b.i32(0),
      );
      b.branch(BranchKind.Delayed, sum, b.ne(sum, b.i32(3)));
    });
    expect(problems).toEqual([]);
  });
});
