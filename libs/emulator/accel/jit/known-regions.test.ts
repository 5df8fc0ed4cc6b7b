import { expect, it } from '@jest/globals';
import type { CodeSource } from '../../jit/regions/index.js';
import { discoverRegion, InstructionReader } from '../../jit/regions/index.js';
import { mipsModel } from '../../targets/index.js';
import { mipsDescription } from '../../targets/mips/target.js';
import { MipsAssembler, NOP } from '../../testkit/mips-assembler.js';
import { KnownModule } from './known-regions.js';
import type { CompiledRegion, CompilerSetup, RegionModule } from './region-module.js';
import { RegionModuleWriter } from './region-module-writer.js';
import { withoutRegions } from './region-joiner.js';

const description = mipsDescription(mipsModel('24Kf'), 'little');
const MODE = 2;
const [ORIGIN, PAGE, LINEAR] = [0x400000, 0x1000, 0x1000000] as const;
const setup: CompilerSetup = {
  ...{ buffer: new ArrayBuffer(0), memory: { pages: 1024, shared: true }, cpuBase: 0x1000, jumpCache: 0x2000 },
  ...{ threshold: 10, systemExits: [], image: undefined },
};

/** A module of regions that begin at these addresses and go on to the next page, which is told where that lies. */
function moduleOf(seeds: readonly number[]): RegionModule {
  const reader = new InstructionReader(description, MODE);
  const source: CodeSource = {
    word: (address) => code[(address - ORIGIN) / 4],
    placeOf: (page) => LINEAR + page,
    isWarm: () => true,
    warmNear: () => [],
    callTarget: () => undefined,
    translatedSize: () => 0,
  };
  const module = new RegionModuleWriter(setup, description);
  for (const seed of seeds) {
    const region = discoverRegion(seed, source, reader);
    if (!region) throw new Error(`nothing to translate at ${seed}`);
    module.add(region, reader, { modeKey: MODE, window: undefined, strays: new Set(), joined: false });
  }
  return { module: new WebAssembly.Module(module.finish()), regions: module.regions };
}

const RA = 31;
const assembler = new MipsAssembler(ORIGIN);
for (let i = 0; i < (2 * PAGE) / 4; i++) assembler.emit(NOP);
assembler.op('jr', { rs: RA }).emit(NOP);
const code = assembler.finish();

it('makes functions of what is left of a module', () => {
  const made = moduleOf([ORIGIN + PAGE - 32, ORIGIN + 2 * PAGE - 32]);
  const [replaced, left] = made.regions as [CompiledRegion, CompiledRegion]; // of two seeds
  expect(replaced.places.length).toBeGreaterThan(0);
  const memory = new WebAssembly.Memory({ initial: 1024, maximum: 1024, shared: true });
  const env = { memory, translations: new WebAssembly.Table({ element: 'anyfunc', initial: 1 }) };
  const [rest] = withoutRegions([made], [replaced]);
  expect(rest?.regions).toEqual([left]);
  const known = new KnownModule(rest as RegionModule, env); // it is there
  const exports = known.instantiate([{ region: left, places: new Map(left.pages) }]);
  expect(exports[left.name]).toBeInstanceOf(Function);
});
