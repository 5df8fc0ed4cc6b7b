import { describe, expect, it } from '@jest/globals';
import { evaluate, type OracleResult } from '../../testkit/ir-oracle.js';
import { SeededRandom } from '../../testkit/random.js';
import type { HelperSignature, StateField, Value } from '../ir/index.js';
import { BranchKind, Fragment, IrBuilder, Op, StateLayout, Type, verify, Width, widthBytes } from '../ir/index.js';
import { FunctionWriter, ModuleWriter, ValType, W } from './encoder.js';
import type { LoweringContext } from './lowering.js';
import { loadOpcode, LocalPool, Lowering, storeOpcode } from './lowering.js';

// IR in, compiled Wasm run, expected result beside it; then random IR, for which the oracle gives the expected result.

const CPU_BASE = 0x100;
const GUEST_BASE = 0x1000;
const GUEST_BYTES = 0x100;
const PC = 0x8000_1000 | 0;
const WORD = 0x1234_5678;

const layout = new StateLayout();
const X = layout.i32('x', 4);
const WIDE = layout.i64('wide', 4);

const HELPERS: readonly HelperSignature[] = [
  { name: 'twice', params: 1, result: Type.I32, effect: 'state' },
  { name: 'mix', params: 3, result: Type.I32, effect: 'trap' },
  { name: 'count', params: 0, result: Type.Void, effect: 'state' },
];
const HELPER_FUNCTIONS = {
  twice: (a: number) => (a * 2) | 0,
  mix: (a: number, b: number, c: number) => (Math.imul(a, 31) ^ Math.imul(b, 17) ^ c) | 0,
};

interface Outcome {
  readonly x: readonly number[];
  readonly wide: readonly bigint[];
  /** Guest memory in hexadecimal. */
  readonly guest: string;
  /** Calls of `count`. */
  readonly calls: number;
  readonly result: OracleResult;
}

const read = (memory: ArrayBuffer, calls: number, result: OracleResult): Outcome => {
  const state = new DataView(memory, CPU_BASE);
  return {
    x: [0, 1, 2, 3].map((i) => state.getInt32(X.offset + 4 * i, true)),
    wide: [0, 1, 2, 3].map((i) => state.getBigInt64(WIDE.offset + 8 * i, true)),
    guest: Buffer.from(memory, GUEST_BASE, GUEST_BYTES).toString('hex'),
    calls,
    result,
  };
};

function fragmentOf(make: (b: IrBuilder) => void): Fragment {
  const fragment = new Fragment(HELPERS);
  make(new IrBuilder(fragment));
  expect(verify(fragment)).toEqual([]);
  return fragment;
}

/** Compiles a fragment to a function of its own and runs it once on the memory. */
async function runWasm(fragment: Fragment, prepare: (memory: ArrayBuffer) => void): Promise<Outcome> {
  const module = new ModuleWriter({ pages: 1, shared: false });
  const i32 = ValType.i32;
  const imports = HELPERS.map(({ name, params, result }) =>
    module.importFunction('helpers', name, Array<ValType>(params).fill(i32), result === Type.I32 ? [i32] : []),
  );
  const branched = module.importFunction('helpers', 'branched', [i32, i32, i32], []);
  const writer = new FunctionWriter();
  const context: LoweringContext = {
    writer,
    cpuBase: CPU_BASE,
    insnWord: () => writer.i32(WORD),
    pc: () => writer.i32(PC),
    loadGuest: (width, type, address) => {
      address.emit();
      writer.memory(loadOpcode(width, type), GUEST_BASE);
    },
    storeGuest: (width, type, address, value) => {
      address.emit();
      value();
      writer.memory(storeOpcode(width, type), GUEST_BASE);
    },
    call: (index, _, args) => {
      for (const arg of args) arg();
      writer.call(imports[index] as number);
    },
    branch: (kind, target, condition) => {
      writer.i32(kind);
      target();
      if (condition) condition();
      else writer.i32(1);
      writer.call(branched);
    },
  };
  new Lowering(fragment, context, new LocalPool(writer)).run();
  module.addFunction(writer, [], 'run');

  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1 });
  prepare(memory.buffer);
  let calls = 0;
  let result: OracleResult = { kind: 'next' };
  const helpers = {
    ...HELPER_FUNCTIONS,
    count: () => void calls++,
    branched: (kind: number, target: number, taken: number) =>
      (result = { kind: 'branch', branch: kind as BranchKind, target: target >>> 0, taken: taken !== 0 }),
  };
  const { instance } = await WebAssembly.instantiate(module.finish(), { env: { memory }, helpers });
  (instance.exports as { run(): void }).run();
  return read(memory.buffer, calls, result);
}

function runOracle(fragment: Fragment, prepare: (memory: ArrayBuffer) => void): Outcome {
  const memory = new ArrayBuffer(0x10000);
  prepare(memory);
  const guest = new DataView(memory, GUEST_BASE, GUEST_BYTES);
  let calls = 0;
  const result = evaluate(fragment, {
    state: new DataView(memory, CPU_BASE, layout.sizeBytes),
    insnWord: WORD,
    pc: PC,
    load: (address, bytes) => {
      let value = 0n;
      for (let i = bytes - 1; i >= 0; i--) value = (value << 8n) | BigInt(guest.getUint8(address + i));
      return value;
    },
    store: (address, bytes, value) => {
      for (let i = 0; i < bytes; i++) guest.setUint8(address + i, Number((value >> BigInt(8 * i)) & 0xffn));
      return true;
    },
    call: ({ name }, [a = 0, b = 0, c = 0]) => {
      if (name === 'twice') return HELPER_FUNCTIONS.twice(a);
      if (name === 'mix') return HELPER_FUNCTIONS.mix(a, b, c);
      calls++;
      return undefined;
    },
    redirected: false,
  });
  return read(memory, calls, result);
}

/** Runs both and expects the same; returns it. */
async function run(
  make: (b: IrBuilder) => void,
  prepare: (memory: ArrayBuffer) => void = () => undefined,
): Promise<Outcome> {
  const fragment = fragmentOf(make);
  const outcome = await runWasm(fragment, prepare);
  expect(outcome).toEqual(runOracle(fragment, prepare));
  return outcome;
}

/** Values that the builder cannot fold. */
const setX =
  (...values: number[]) =>
  (memory: ArrayBuffer): void =>
    values.forEach((value, i) => new DataView(memory, CPU_BASE).setInt32(X.offset + 4 * i, value, true));

describe('lowering', () => {
  it('computes a value where it is used once, and keeps it where it is used twice', async () => {
    const { x } = await run((b) => {
      const sum = b.add(b.loadState(X), b.i32(5));
      b.storeState(X, b.mul(sum, sum), b.i32(1));
    }, setX(2));
    expect(x).toEqual([2, 49, 0, 0]);
  });

  it('reads state when the program says so, not when the value is used', async () => {
    const { x } = await run((b) => {
      const before = b.loadState(X);
      b.storeState(X, b.i32(9));
      b.storeState(X, before, b.i32(1));
    }, setX(4));
    expect(x).toEqual([9, 4, 0, 0]);
  });

  it('reads guest memory when the program says so', async () => {
    const { x, guest } = await run(
      (b) => {
        const before = b.loadGuest(Width.W32, Type.I32, b.loadState(X));
        b.storeGuest(Width.W32, b.loadState(X), b.i32(1));
        b.storeState(X, before, b.i32(1));
      },
      (memory) => {
        setX(8)(memory);
        new DataView(memory, GUEST_BASE).setInt32(8, 77, true);
      },
    );
    expect(x[1]).toBe(77);
    expect(guest.slice(16, 24)).toBe('01000000');
  });

  it('extends what it loads as the width says', async () => {
    const { x, wide } = await run(
      (b) => {
        [Width.U8, Width.S8, Width.U16, Width.S16].forEach((width, i) =>
          b.storeState(X, b.loadGuest(width, Type.I32, b.i32(0)), b.i32(i)),
        );
        b.storeState(WIDE, b.loadGuest(Width.W64, Type.I64, b.i32(0)));
        b.storeState(WIDE, b.loadGuest(Width.S8, Type.I64, b.i32(0)), b.i32(1));
      },
      (memory) => new Uint8Array(memory, GUEST_BASE).set([0x80, 0xff, 1, 2, 3, 4, 5, 0xf0]),
    );
    expect(x).toEqual([0x80, -0x80, 0xff80, -0x80]);
    expect(wide.slice(0, 2)).toEqual([BigInt.asIntN(64, 0xf005_0403_0201_ff80n), -0x80n]);
  });

  it('indexes state by run-time values', async () => {
    const { x } = await run(
      (b) => {
        b.storeState(X, b.loadState(X, b.loadState(X)), b.i32(0));
      },
      setX(3, 0, 0, 42),
    );
    expect(x[0]).toBe(42);
  });

  it.each([
    [1, [1, 10, 0, 0]],
    [0, [0, 20, 7, 0]],
  ])('runs one of two arms (condition %i)', async (condition, expected) => {
    const { x } = await run((b) => {
      const joined = b.ifValue(
        b.loadState(X),
        () => b.i32(10),
        () => {
          b.storeState(X, b.i32(7), b.i32(2));
          return b.i32(20);
        },
      );
      b.storeState(X, joined, b.i32(1));
    }, setX(condition));
    expect(x).toEqual(expected);
  });

  it('computes a value before the arm in which alone it is used, when it depends on state', async () => {
    const { x } = await run((b) => {
      const early = b.loadState(X);
      b.storeState(X, b.i32(0));
      b.ifElse(b.ne(b.pc(), b.i32(0)), () => b.storeState(X, early, b.i32(3)));
    }, setX(6));
    expect(x).toEqual([0, 0, 0, 6]);
  });

  it('calls helpers in order, also those whose result nobody wants', async () => {
    const { x, calls } = await run((b) => {
      b.call('twice', b.i32(1));
      b.call('count');
      const twice = b.call('twice', b.loadState(X));
      b.call('count');
      b.storeState(X, b.call('mix', twice, b.i32(1), b.i32(2)), b.i32(1));
    }, setX(21));
    expect(x[1]).toBe(HELPER_FUNCTIONS.mix(42, 1, 2));
    expect(calls).toBe(2);
  });

  it('knows the instruction word and its address', async () => {
    const { x } = await run((b) => {
      b.storeState(X, b.pc());
      b.storeState(X, b.fragment.push(Op.InsnWord, Type.I32), b.i32(1));
    });
    expect(x.slice(0, 2)).toEqual([PC, WORD]);
  });

  it('hands branches to the engine', async () => {
    const { result } = await run((b) => b.branch(BranchKind.Likely, b.add(b.pc(), b.i32(8)), b.loadState(X)), setX(0));
    expect(result).toEqual({ kind: 'branch', branch: BranchKind.Likely, target: 0x8000_1008, taken: false });
    expect((await run((b) => b.branch(BranchKind.Delayed, b.i32(16)))).result).toMatchObject({
      target: 16,
      taken: true,
    });
  });

  it('does floating-point arithmetic in both formats', async () => {
    const { x, wide } = await run(
      (b) => {
        const single = b.asF32(b.loadState(X)); // 1.5
        b.storeState(X, b.asBits(b.fadd(b.fmul(single, single), single)), b.i32(1));
        const double = b.asF64(b.loadState(WIDE));
        b.storeState(WIDE, b.asBits(b.fdiv(b.fsqrt(double), b.fsub(double, b.asF64(b.i64(0, 0x3ff00000))))), b.i32(1));
        b.storeState(X, b.flt(single, b.asF32(b.i32(0x40000000))), b.i32(2));
      },
      (memory) => {
        setX(0x3fc00000)(memory);
        new DataView(memory, CPU_BASE).setFloat64(WIDE.offset, 4, true);
      },
    );
    const bits = new DataView(new ArrayBuffer(8));
    bits.setFloat32(0, 1.5 * 1.5 + 1.5);
    expect(x.slice(1, 3)).toEqual([bits.getInt32(0), 1]);
    bits.setFloat64(0, 2 / 3);
    expect(wide[1]).toBe(bits.getBigInt64(0));
  });

  it('does on random fragments what the oracle does', async () => {
    const random = new SeededRandom(5);
    for (let i = 0; i < 250; i++) {
      const seed = random.word();
      const prepare = (memory: ArrayBuffer): void => {
        const values = new SeededRandom(seed);
        const words = new Uint32Array(memory);
        for (let at = CPU_BASE / 4; at < (GUEST_BASE + GUEST_BYTES) / 4; at++) words[at] = values.integer();
      };
      await run((b) => new RandomIr(b, random).emit(4 + random.below(40)), prepare);
    }
  }, 60_000);
});

const I32_OPS = ['add', 'sub', 'mul', 'and', 'or', 'xor', 'shl', 'shrS', 'shrU', 'rotr'] as const;
const COMPARISONS = ['eq', 'ne', 'ltS', 'ltU', 'leS', 'leU'] as const;
const UNARY = ['clz', 'ctz', 'popcnt', 'ext8S', 'ext16S', 'not', 'neg'] as const;
const DIVISIONS = ['divU', 'remU', 'divS', 'remS'] as const;

/** Random sound IR over the little state above. */
class RandomIr {
  readonly #values: { i32: Value[]; i64: Value[] };

  constructor(
    private readonly b: IrBuilder,
    private readonly random: SeededRandom,
  ) {
    this.#values = { i32: [b.loadState(X), b.i32(random.integer())], i64: [b.loadState(WIDE)] };
  }

  emit(operations: number, depth = 0): void {
    for (let i = 0; i < operations; i++) this.#operation(operations - i, depth);
    if (depth === 0 && this.random.chance(0.2)) this.b.branch(BranchKind.Delayed, this.#i32(), this.#i32());
  }

  #operation(budget: number, depth: number): void {
    const { b, random } = this;
    const { i32, i64 } = this.#values;
    switch (random.below(14)) {
      case 0:
        return void i32.push(b.i32(random.integer()));
      case 1:
        return void i32.push(b[random.pick(COMPARISONS)](this.#i32(), this.#i32()));
      case 2:
        return void i32.push(b[random.pick(COMPARISONS)](this.#i64(), this.#i64()));
      case 3:
        return void i32.push(b[random.pick(UNARY)](this.#i32()));
      case 4:
        return void i64.push(b[random.pick([...UNARY, 'ext32S'] as const)](this.#i64()));
      case 5:
        return void i64.push(b[random.pick(I32_OPS)](this.#i64(), this.#i64()));
      case 6:
        return void (random.chance(0.5)
          ? i32.push(b.wrap(this.#i64()))
          : i64.push(random.chance(0.5) ? b.extendS(this.#i32()) : b.extendU(this.#i32())));
      case 7:
        // A divisor from 1 to 2^31 - 1, which no rule forbids.
        return void i32.push(
          b[random.pick(DIVISIONS)](this.#i32(), b.or(b.and(this.#i32(), b.i32(0x7fffffff)), b.i32(1))),
        );
      case 8:
        return void (random.chance(0.5)
          ? i32.push(b.select(this.#i32(), this.#i32(), this.#i32()))
          : i64.push(b.select(this.#i32(), this.#i64(), this.#i64())));
      case 9:
        return random.chance(0.5) ? this.#store(X, this.#i32()) : this.#store(WIDE, this.#i64());
      case 10:
        return void (random.chance(0.5)
          ? i32.push(b.loadState(X, this.#index()))
          : i64.push(b.loadState(WIDE, this.#index())));
      case 11:
        return this.#guest();
      case 12:
        return void i32.push(b.call('mix', this.#i32(), this.#i32(), this.#i32()));
      default:
        if (depth < 2 && budget > 3) this.#branches(Math.floor(budget / 2), depth);
        else i32.push(b[random.pick(I32_OPS)](this.#i32(), this.#i32()));
    }
  }

  #branches(operations: number, depth: number): void {
    const arm = (): Value => {
      const outside = { i32: [...this.#values.i32], i64: [...this.#values.i64] };
      this.emit(1 + this.random.below(operations), depth + 1);
      const last = this.#i32();
      Object.assign(this.#values, outside); // what the arm made is not visible after it
      return last;
    };
    if (this.random.chance(0.5)) this.#values.i32.push(this.b.ifValue(this.#i32(), arm, arm));
    else this.b.ifElse(this.#i32(), () => void arm(), this.random.chance(0.5) ? () => void arm() : undefined);
  }

  #guest(): void {
    const { b, random } = this;
    const address = b.and(this.#i32(), b.i32(GUEST_BYTES - 8));
    const width = random.pick([Width.U8, Width.S8, Width.U16, Width.S16, Width.W32, Width.W64]);
    const wide = widthBytes(width) === 8;
    if (random.chance(0.5)) b.storeGuest(width, address, wide ? this.#i64() : this.#i32());
    else if (wide) this.#values.i64.push(b.loadGuest(width, Type.I64, address));
    else this.#values.i32.push(b.loadGuest(width, Type.I32, address));
  }

  #store(field: StateField, value: Value): void {
    this.b.storeState(field, value, this.#index());
  }

  #index(): Value {
    return this.random.chance(0.5) ? this.b.i32(this.random.below(4)) : this.b.and(this.#i32(), this.b.i32(3));
  }

  #i32(): Value {
    return this.random.pick(this.#values.i32);
  }

  #i64(): Value {
    return this.random.pick(this.#values.i64);
  }
}

it('rejects operations that have no form for their type', () => {
  const fragment = new Fragment([]);
  const value = fragment.push(Op.Add, Type.F64, fragment.push(Op.Const, Type.F64), fragment.push(Op.Const, Type.F64));
  fragment.push(Op.StoreState, Type.Void, 0, -1, Width.W64, value);
  const writer = new FunctionWriter();
  const unused = (): void => writer.op(W.unreachable);
  const context: LoweringContext = {
    ...{ writer, cpuBase: 0, insnWord: unused, pc: unused },
    ...{ loadGuest: unused, storeGuest: unused, call: unused, branch: unused },
  };
  expect(() => new Lowering(fragment, context, new LocalPool(writer)).run()).toThrow(/no form for type/);
});
