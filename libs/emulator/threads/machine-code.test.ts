import { describe, expect, it } from '@jest/globals';
import { FunctionWriter, ModuleWriter, ValType } from '../jit/wasm/index.js';
import { compiledIntrinsics, modulesWithMachineCode, optimizedMachineCodeOf } from './machine-code.js';

const memory = { pages: 1, shared: false };

/** A module that exports a function which returns a number. */
function moduleOf(value: number): Uint8Array<ArrayBuffer> {
  const module = new ModuleWriter(memory);
  const body = new FunctionWriter([]);
  body.i32(value);
  module.addFunction(body, [ValType.i32], 'value');
  return module.finish();
}

function valueOf(module: WebAssembly.Module | undefined): unknown {
  if (!module) return undefined;
  const env = { memory: new WebAssembly.Memory({ initial: 1, maximum: 1 }) };
  const { value } = new WebAssembly.Instance(module, { env }).exports;
  return (value as () => number)(); // exported as such
}

describe('machine code', () => {
  const compiled = compiledIntrinsics();

  it.each([
    ['intrinsics by a change of flags', 11, undefined],
    ['compiled intrinsics', 12, compiled],
    ['compiled intrinsics that V8 refuses', 13, compiled?.map((byte, index) => (index < 16 ? byte ^ 1 : byte))],
  ])('makes modules again, with %s', (_, value, intrinsics) => {
    const bytes = moduleOf(value);
    const machineCode = optimizedMachineCodeOf({ module: new WebAssembly.Module(bytes), memory });
    expect(compiled === undefined || machineCode.length > 0).toBe(true);
    const [module] = modulesWithMachineCode([{ bytes, machineCode }], intrinsics);
    expect(valueOf(module)).toBe(machineCode.length > 0 ? value : undefined);
  });

  it('leaves the intrinsics to nobody else', () => {
    compiledIntrinsics();
    expect(() => new Function('return %GetOptimizationStatus(0)')).toThrow(SyntaxError);
  });
});
