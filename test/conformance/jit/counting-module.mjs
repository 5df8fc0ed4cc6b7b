// A module as the translator makes them, small enough to write by hand, for machine-code.test.ts and its threads.
import { machineCodeOf } from '@bootlab/emulator/threads';

/** @typedef {import('@bootlab/emulator/threads').LoadedModule} LoadedModule */

const memory = { pages: 1, shared: false };
/** @type {(id: number, ...bytes: number[]) => number[]} */
const section = (id, ...bytes) => [id, bytes.length, ...bytes];
/** @type {(text: string) => number[]} */
const name = (text) => [text.length, ...Buffer.from(text)];

/**
 * Exports `f`, which counts its parameter down to 0 and returns the id; nobody ever calls its other function.
 * @param {number} id 0 to 63: modules of the same bytes share their machine code within a process
 */
export function countingModule(id) {
  const body = [0, 0x03, 0x40, 0x20, 0, 0x41, 1, 0x6b, 0x22, 0, 0x0d, 0, 0x0b, 0x41, id, 0x0b];
  const bytes = Uint8Array.of(
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    ...section(1, 1, 0x60, 1, 0x7f, 1, 0x7f),
    ...section(2, 1, ...name('env'), ...name('memory'), 0x02, 1, 1, 1),
    ...section(3, 2, 0, 0),
    ...section(7, 2, ...name('f'), 0, 0, ...name('g'), 0, 1),
    ...section(10, 2, body.length, ...body, body.length, ...body),
  );
  const regions = ['f', 'g'].map((name) => ({
    ...{
      name,
      modeKey: 0,
      window: undefined,
      instructions: 1,
      wasmBytes: body.length,
      entries: [id],
      pages: [],
      places: [],
    },
    ...{ addresses: new Uint32Array(0), words: new Uint32Array(0), calls: [], tableTargets: [], joined: false },
  }));
  return { bytes, module: new WebAssembly.Module(bytes), memory, regions };
}

/** @type {(made: Pick<LoadedModule, 'module'>, rounds?: number) => number} what `f` returns */
export function run({ module }, rounds = 1) {
  const imports = { env: { memory: new WebAssembly.Memory({ initial: 1, maximum: 1 }) } };
  const { f } = /** @type {{ f: (rounds: number) => number }} */ (new WebAssembly.Instance(module, imports).exports);
  return f(rounds);
}

/** @type {(modules: readonly LoadedModule[]) => boolean[]} which of them V8 has optimized */
export const optimized = (modules) => machineCodeOf(modules).map(({ length }) => length > 0);

/** Lets a module run until V8 optimizes it. @type {(made: LoadedModule) => Promise<void>} */
export async function heat(made) {
  while (!optimized([made])[0]) {
    run(made, 1e7);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}
