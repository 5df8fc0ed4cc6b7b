import { describe, expect, it } from '@jest/globals';
import type { HelperSignature, Value } from '../jit/ir/index.js';
import { foldI32, Fragment, IrBuilder, Op, OP_NAMES, Type, Width } from '../jit/ir/index.js';
import { evaluate, type OracleMachine } from './ir-oracle.js';
import { SeededRandom } from './random.js';

const HELPERS: readonly HelperSignature[] = [
  { name: 'leave', params: 0, result: Type.Void, effect: 'leave' },
  { name: 'state', params: 0, result: Type.Void, effect: 'state' },
  { name: 'value', params: 0, result: Type.I32, effect: 'state' },
];

function machine(overrides: Partial<OracleMachine> = {}): OracleMachine {
  return {
    state: new DataView(new ArrayBuffer(64)),
    insnWord: 0,
    pc: 0x1000,
    load: () => undefined,
    store: () => false,
    call: () => undefined,
    redirected: false,
    ...overrides,
  };
}

function evaluateIr(make: (b: IrBuilder, f: Fragment) => void, on = machine()): ReturnType<typeof evaluate> {
  const fragment = new Fragment(HELPERS);
  make(new IrBuilder(fragment), fragment);
  return evaluate(fragment, on);
}

/** The bits that one operation gives, through state. */
function compute(type: typeof Type.I32 | typeof Type.I64, make: (b: IrBuilder, f: Fragment) => Value): bigint {
  const on = machine();
  evaluateIr((b, f) => {
    const value = make(b, f);
    b.fragment.push(Op.StoreState, Type.Void, 0, -1, type === Type.I64 ? Width.W64 : Width.W32, value);
  }, on);
  return type === Type.I64 ? on.state.getBigUint64(0, true) : BigInt(on.state.getUint32(0, true));
}

describe('the oracle insists', () => {
  const rules: readonly [rule: string, message: RegExp, make: (b: IrBuilder, f: Fragment) => void][] = [
    ['on divisors that are not zero', /divides by zero/, (b, f) => f.push(Op.RemU, Type.I32, b.pc(), b.i32(0))],
    [
      'on quotients that fit',
      /the least number by -1/,
      (b, f) => f.push(Op.DivS, Type.I32, b.i32(-0x80000000), b.i32(-1)),
    ],
    ['on operand types', /is i32, expected i64/, (b, f) => f.push(Op.Add, Type.I64, b.pc(), b.i64(0))],
    ['on conditions that are i32', /is i64, expected i32/, (b) => b.ifElse(b.i64(1), () => undefined)],
    [
      'on values from arms that ran',
      /its arm did not run/,
      (b) => {
        let inner: Value | undefined;
        b.ifElse(b.eq(b.pc(), b.i32(0)), () => (inner = b.clz(b.pc())));
        b.clz(inner as Value); // the callback ran
      },
    ],
    ['on helpers that leave', /declared to leave and did not/, (b) => b.call('leave')],
    ['on results of helpers', /gave no result/, (b) => b.call('value')],
    ['on closed arms', /has no EndIf/, (b, f) => f.push(Op.If, Type.Void, b.i32(0))],
  ];
  it.each(rules)('%s', (_, message, make) => {
    expect(() => evaluateIr(make)).toThrow(message);
  });

  it('on helpers that stay where they said so', () => {
    expect(() => evaluateIr((b) => b.call('state'), machine({ redirected: true }))).toThrow(/not declared to redirect/);
  });
});

describe('the oracle', () => {
  it('stops where an access or a helper redirects', () => {
    let later = 0;
    const make = (first: (b: IrBuilder) => void) => (b: IrBuilder) => {
      first(b);
      b.call('state');
    };
    const call = ({ name }: HelperSignature): undefined => void (later += name === 'state' ? 1 : 0);
    const load = (b: IrBuilder): void => void b.loadGuest(Width.W32, Type.I32, b.i32(0));
    const store = (b: IrBuilder): void => b.storeGuest(Width.W32, b.i32(0), b.i32(0));
    const leave = (b: IrBuilder): void => void b.call('leave');
    expect(evaluateIr(make(load), machine({ call }))).toEqual({ kind: 'redirected' });
    expect(evaluateIr(make(store), machine({ call }))).toEqual({ kind: 'redirected' });
    expect(evaluateIr(make(leave), machine({ call, redirected: true }))).toEqual({ kind: 'redirected' });
    expect(later).toBe(0);
  });

  it('shifts modulo the width, and rotates', () => {
    expect(compute(Type.I32, (b, f) => f.push(Op.Shl, Type.I32, b.i32(3), b.i32(33)))).toBe(6n);
    expect(compute(Type.I64, (b, f) => f.push(Op.ShrS, Type.I64, b.i64(0, -0x80000000), b.i64(64 + 63)))).toBe(
      2n ** 64n - 1n,
    );
    expect(compute(Type.I64, (b, f) => f.push(Op.Rotr, Type.I64, b.i64(1, 0), b.i64(1)))).toBe(2n ** 63n);
    expect(compute(Type.I64, (b, f) => f.push(Op.Clz, Type.I64, b.i64(0, 0)))).toBe(64n);
    expect(compute(Type.I64, (b, f) => f.push(Op.Ctz, Type.I64, b.i64(0, 8)))).toBe(35n);
  });

  it('keeps the bits of a signalling NaN that is only moved', () => {
    expect(compute(Type.I32, (b) => b.asBits(b.asF32(b.i32(0x7f800001))))).toBe(0x7f800001n);
  });

  it("agrees with the builder's constant folding", () => {
    const random = new SeededRandom(9);
    const operations = [...OP_NAMES.keys()].filter((op) => op >= Op.Add && op <= Op.LeU) as Op[];
    let folded = 0;
    for (let i = 0; i < 5000; i++) {
      const op = random.pick(operations);
      const [x, y] = [random.integer() | 0, random.integer() | 0];
      const fold = foldI32(op, x, y);
      if (fold === undefined) continue;
      folded++;
      const type = op >= Op.Eq ? Type.I32 : 0; // comparisons name the type of their operands
      const actual = compute(Type.I32, (b, f) => f.push(op, Type.I32, b.i32(x), b.i32(y), type));
      expect([OP_NAMES.get(op), x, y, BigInt.asIntN(32, actual)]).toEqual([OP_NAMES.get(op), x, y, BigInt(fold)]);
    }
    expect(folded).toBeGreaterThan(4000);
  });
});
