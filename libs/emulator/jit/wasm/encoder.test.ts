import { describe, expect, it } from '@jest/globals';
import { ByteWriter, FunctionWriter, ModuleWriter, ValType, W } from './encoder.js';

const bytes = (write: (w: ByteWriter) => void): number[] => {
  const w = new ByteWriter();
  write(w);
  return [...w.take()];
};

// LEB128 as in section 5.2.2 of the specification.
describe('LEB128', () => {
  it.each([
    [0, [0x00]],
    [1, [0x01]],
    [0x7f, [0x7f]],
    [0x80, [0x80, 0x01]],
    [0x3fff, [0xff, 0x7f]],
    [0x4000, [0x80, 0x80, 0x01]],
    [624485, [0xe5, 0x8e, 0x26]],
    [0x7fffffff, [0xff, 0xff, 0xff, 0xff, 0x07]],
    [0xffffffff, [0xff, 0xff, 0xff, 0xff, 0x0f]],
  ])('unsigned %i', (value, expected) => {
    expect(bytes((w) => w.u32(value))).toEqual(expected);
  });

  it.each([
    [0, [0x00]],
    [63, [0x3f]],
    [64, [0xc0, 0x00]],
    [-1, [0x7f]],
    [-64, [0x40]],
    [-65, [0xbf, 0x7f]],
    [8191, [0xff, 0x3f]],
    [8192, [0x80, 0xc0, 0x00]],
    [-123456, [0xc0, 0xbb, 0x78]],
    [0x7fffffff, [0xff, 0xff, 0xff, 0xff, 0x07]],
    [-0x80000000, [0x80, 0x80, 0x80, 0x80, 0x78]],
  ])('signed 32-bit %i', (value, expected) => {
    expect(bytes((w) => w.s32(value))).toEqual(expected);
  });

  it.each([
    [0, 0, [0x00]],
    [-1, -1, [0x7f]],
    [-1, 0, [0xff, 0xff, 0xff, 0xff, 0x0f]],
    [0, -0x80000000, [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x7f]],
    [-1, 0x7fffffff, [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00]],
  ])('signed 64-bit, low %i, high %i', (low, high, expected) => {
    expect(bytes((w) => w.s64(low, high))).toEqual(expected);
  });

  it('is what WebAssembly reads', async () => {
    const values = [0, 1, -1, 63, 64, -64, -65, 127, 128, 0x7fffffff, -0x80000000, 0x12345678, -0x12345678];
    for (const value of values) {
      const f = new FunctionWriter();
      f.i32(value);
      const g = new FunctionWriter();
      g.i64(value, value ^ 0x5555);
      const module = new ModuleWriter({ pages: 1, shared: false });
      module.addFunction(f, [ValType.i32], 'f');
      module.addFunction(g, [ValType.i64], 'g');
      const { exports } = (await instantiate(module)) as { exports: { f(): number; g(): bigint } };
      expect(exports.f()).toBe(value);
      expect(exports.g()).toBe(BigInt.asIntN(64, (BigInt(value ^ 0x5555) << 32n) | BigInt(value >>> 0)));
    }
  });
});

async function instantiate(module: ModuleWriter): Promise<WebAssembly.Instance> {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1 });
  const { instance } = await WebAssembly.instantiate(module.finish(), { env: { memory } });
  return instance;
}

describe('a byte writer', () => {
  it('grows as needed and writes names as UTF-8 with their length', () => {
    const w = new ByteWriter();
    w.bytes(new Uint8Array(1000).fill(7));
    w.name('Grün');
    expect([...w.take().slice(998)]).toEqual([7, 7, 5, 0x47, 0x72, 0xc3, 0xbc, 0x6e]);
  });
});

describe('functions', () => {
  it('declare locals in runs of the same type', () => {
    const f = new FunctionWriter([ValType.i32]);
    expect([f.local(ValType.i32), f.local(ValType.i32), f.local(ValType.f64), f.local(ValType.i32)]).toEqual([
      1, 2, 3, 4,
    ]);
    expect([...f.body()]).toEqual([3, 2, 0x7f, 1, 0x7c, 1, 0x7f, W.end]);
  });

  it('branch to labels at any depth', async () => {
    // f(x) = x in 0..2 ? 10 + x : 99, by br_table out of nested blocks
    const f = new FunctionWriter([ValType.i32]);
    const result = f.local(ValType.i32);
    const done = f.block();
    const other = f.block();
    const cases = [f.block(), f.block(), f.block()].reverse();
    f.get(0);
    f.brTable(cases, other);
    cases.forEach((_, i) => {
      f.end();
      f.i32(10 + i);
      f.set(result);
      f.br(done);
    });
    f.end();
    f.i32(99);
    f.set(result);
    f.end();
    f.get(result);
    const module = new ModuleWriter({ pages: 1, shared: false });
    module.addFunction(f, [ValType.i32], 'f');
    const { exports } = (await instantiate(module)) as { exports: { f(x: number): number } };
    expect([0, 1, 2, 3, -1].map((x) => exports.f(x))).toEqual([10, 11, 12, 99, 99]);
  });

  it('come with data, which an instance writes when it is made', async () => {
    const module = new ModuleWriter({ pages: 1, shared: false });
    module.addData(70, Uint8Array.of(1, 2, 3));
    module.addData(0x8000, Uint8Array.of(255));
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 1 });
    await WebAssembly.instantiate(module.finish(), { env: { memory } });
    expect([...new Uint8Array(memory.buffer, 69, 5)]).toEqual([0, 1, 2, 3, 0]);
    expect(new Uint8Array(memory.buffer)[0x8000]).toBe(255);
  });

  it('loop, and call imported functions', async () => {
    const module = new ModuleWriter({ pages: 1, shared: false });
    const add = module.importFunction('host', 'add', [ValType.i32, ValType.i32], [ValType.i32]);
    expect(() => {
      module.addFunction(new FunctionWriter(), []);
      module.importFunction('host', 'late', [], []);
    }).toThrow(/before functions/);
    const f = new FunctionWriter([ValType.i32]);
    const sum = f.local(ValType.i32);
    const again = f.loop();
    f.get(sum);
    f.get(0);
    f.call(add);
    f.set(sum);
    f.get(0);
    f.i32(1);
    f.op(W.i32_sub);
    f.tee(0);
    f.brIf(again);
    f.end();
    f.get(sum);
    module.addFunction(f, [ValType.i32], 'sum');
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 1 });
    const host = { add: (a: number, b: number) => a + b };
    const { instance } = await WebAssembly.instantiate(module.finish(), { env: { memory }, host });
    expect((instance.exports as { sum(n: number): number }).sum(10)).toBe(55);
  });
});
