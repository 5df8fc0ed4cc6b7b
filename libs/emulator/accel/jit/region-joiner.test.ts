import { describe, expect, it } from '@jest/globals';
import { InstructionReader, discoverRegion } from '../../jit/regions/index.js';
import type { CodeSource, DirectWindow } from '../../jit/regions/index.js';
import { MipsAssembler, NOP } from '../../testkit/mips-assembler.js';
import { mipsModel } from '../../targets/index.js';
import { mipsDescription } from '../../targets/mips/target.js';
import type { CompilerSetup, KeptModule } from './region-module.js';
import { RegionModuleWriter } from './region-module-writer.js';
import { joinRegions, withoutRegions } from './region-joiner.js';

const description = mipsDescription(mipsModel('24Kf'), 'little');
const MODE = 2;
const ORIGIN = 0x400000;
const LINEAR = 0x1000000;
const [V0, V1, T0, T9, SP, RA] = [2, 3, 8, 25, 29, 31] as const;
const mirror: DirectWindow = {
  ...{ kind: 'mirror', linear: LINEAR, reads: 0x10000, writes: 0x20000, fetches: 0x30000 },
  ...{ dispatchPages: 0x40000, dispatchBlocks: 0x50000 },
};
const setup: CompilerSetup = {
  ...{ buffer: new ArrayBuffer(0), memory: { pages: 1024, shared: true }, cpuBase: 0x1000, jumpCache: 0x2000 },
  ...{ threshold: 10, systemExits: [], image: undefined },
};

interface Piece {
  readonly seed: string;
  /** What was hot when the piece was made; the rest of the code was not. */
  readonly until?: string;
  readonly tableTargets?: readonly string[];
  readonly calls?: Readonly<Record<string, string>>;
}

/** Code, and translations of pieces of it as they are made one after the other. */
function piecesOf(build: (a: MipsAssembler) => void, pieces: readonly Piece[], window = mirror) {
  const a = new MipsAssembler(ORIGIN);
  build(a);
  const words = a.finish();
  const reader = new InstructionReader(description, MODE);
  const kept = pieces.map(({ seed, until, tableTargets = [], calls = {} }): KeptModule => {
    const end = until === undefined ? Infinity : a.addressOf(until);
    const source: CodeSource = {
      word: (address) => (address < end ? words[(address - ORIGIN) / 4] : undefined),
      placeOf: (page) => LINEAR + page,
      isWarm: () => true,
      warmNear: () => tableTargets.map((label) => a.addressOf(label)),
      callTarget: (site) => {
        const label = Object.entries(calls).find(([at]) => a.addressOf(at) === site)?.[1];
        return label === undefined ? undefined : a.addressOf(label);
      },
      translatedSize: () => 0,
    };
    const region = discoverRegion(a.addressOf(seed), source, reader);
    if (!region) throw new Error(`nothing to translate at ${seed}`);
    const module = new RegionModuleWriter(setup, description);
    module.add(region, reader, { modeKey: MODE, window, strays: new Set(), joined: false });
    const bytes = module.finish();
    return { bytes, regions: module.regions, memory: setup.memory, module: new WebAssembly.Module(bytes) };
  });
  return { kept, at: (label: string) => a.addressOf(label) };
}

/** What there is afterwards; undefined where nothing was joined. */
function join(kept: readonly KeptModule[]): KeptModule[] | undefined {
  const joined = joinRegions(kept, setup, description, fail);
  return joined && [...withoutRegions(kept, joined.replaced), ...joined.made];
}
const regionsOf = (modules: readonly KeptModule[] | undefined) => modules?.flatMap(({ regions }) => regions) ?? [];
const seedsOf = (modules: readonly KeptModule[] | undefined) => regionsOf(modules).map(({ entries }) => entries[0]);

function fail(error: Error): never {
  throw error;
}

/** Instructions without any control flow. */
function work(a: MipsAssembler, count: number): void {
  for (let i = 0; i < count; i++) a.op('addiu', { rt: T0, rs: T0, imm: i & 0xff });
}
const back = (a: MipsAssembler): MipsAssembler => a.op('jr', { rs: RA }).emit(NOP);

/** A loop, the second half of which got hot later. */
function twoHalves(a: MipsAssembler): void {
  a.label('loop');
  work(a, 200);
  a.branch('beq', { rs: T0, rt: V0 }, 'second').emit(NOP);
  back(a);
  a.label('second');
  work(a, 200);
  a.branch('bne', { rs: T0, rt: V1 }, 'loop').emit(NOP);
  back(a);
}

describe('joining regions', () => {
  it('makes one of the pieces of a function', () => {
    const { kept, at } = piecesOf(twoHalves, [{ seed: 'loop', until: 'second' }, { seed: 'second' }]);
    const joined = join(kept);
    expect(joined).toHaveLength(1);
    const [region] = regionsOf(joined);
    expect(region).toMatchObject({ joined: true, modeKey: MODE, window: mirror });
    expect(region?.entries[0]).toBe(at('loop'));
    expect([...(region?.addresses ?? [])]).toEqual(expect.arrayContaining([at('loop'), at('second')]));
    expect(region?.instructions).toBeGreaterThan(400);
  });

  it('leaves as it is what the translator has a fault with', () => {
    const { kept } = piecesOf(twoHalves, [{ seed: 'loop', until: 'second' }, { seed: 'second' }]);
    const errors: string[] = [];
    const faulty = { ...description, modeConstants: () => fail(new Error('a fault')) };
    expect(joinRegions(kept, setup, faulty, ({ message }) => errors.push(message))).toBeUndefined();
    expect(errors).toEqual(['a fault']);
  });

  it('happens once: what was joined stays, with the machine code that it has by then', () => {
    const { kept } = piecesOf(twoHalves, [{ seed: 'loop', until: 'second' }, { seed: 'second' }]);
    const joined = join(kept) ?? [];
    expect(join(joined)).toBeUndefined();
    const { kept: other } = piecesOf(
      (a) => {
        a.emit(...Array<number>(0x4000).fill(NOP)); // 64 KiB behind the first
        a.label('elsewhere');
        work(a, 180);
        a.branch('bne', { rs: T0, rt: V1 }, 'elsewhere').emit(NOP);
        a.label('rest');
        work(a, 180);
        back(a);
      },
      [{ seed: 'elsewhere', until: 'rest' }, { seed: 'rest' }],
    );
    const again = join([...joined, ...other]);
    expect(again).toHaveLength(2);
    expect(again?.some(({ module }) => module === joined[0]?.module)).toBe(true);
  });

  it('puts neighbours into one module', () => {
    const { kept, at } = piecesOf(
      (a) => {
        for (const label of ['one', 'two', 'far']) {
          if (label === 'far') a.emit(...Array<number>(0x4000).fill(NOP)); // 64 KiB
          a.label(label);
          work(a, 150);
          back(a);
        }
      },
      [{ seed: 'one' }, { seed: 'two' }, { seed: 'far' }],
    );
    const joined = join(kept);
    expect(joined?.map((module) => seedsOf([module]))).toEqual([[at('one'), at('two')], [at('far')]]);
    for (const { module, regions } of joined ?? [])
      expect(WebAssembly.Module.exports(module).map(({ name }) => name)).toEqual(regions.map(({ name }) => name));
  });

  it('is not worth it for little, nor done where code is not mirrored', () => {
    const loop = (a: MipsAssembler): void => {
      a.label('loop');
      work(a, 20);
      a.branch('bne', { rs: T0, rt: V1 }, 'loop').emit(NOP);
      back(a);
    };
    expect(join(piecesOf(loop, [{ seed: 'loop' }]).kept)).toBeUndefined();
    const segment: DirectWindow = {
      kind: 'segment',
      virtualBase: 0x80000000,
      sizeBytes: 0x100000,
      linear: 0,
      flags: 0,
    };
    const halves = [{ seed: 'loop', until: 'second' }, { seed: 'second' }];
    expect(join(piecesOf(twoHalves, halves, segment as never).kept)).toBeUndefined();
  });

  it('leaves large functions to themselves, and takes small ones into those that call them', () => {
    const { kept, at } = piecesOf(
      (a) => {
        a.label('main');
        work(a, 50);
        a.label('indirect').op('lw', { rt: T9, base: SP, offset: 16 });
        a.label('site').op('jalr', { rs: T9, rd: RA }).emit(NOP);
        a.jump('jal', 'small').emit(NOP);
        a.branch('bne', { rs: T0, rt: V1 }, 'main').emit(NOP);
        back(a);
        a.label('large');
        work(a, 140);
        back(a).label('small');
        work(a, 5);
        back(a);
      },
      [{ seed: 'main', calls: { site: 'large' } }, { seed: 'large' }],
    );
    const joined = regionsOf(join(kept));
    const main = joined.find(({ entries }) => entries[0] === at('main'));
    expect(main?.addresses).toContain(at('small'));
    expect(main?.addresses).not.toContain(at('large'));
    expect(main?.calls).toEqual([[at('site'), at('large')]]);
    expect(joined.map(({ entries }) => entries[0])).toEqual(expect.arrayContaining([at('large'), at('small')]));
  });

  it('takes a function that ends in a call of another one into its callers, and that one if it is small', () => {
    const { kept, at } = piecesOf(
      (a) => {
        a.label('main');
        work(a, 170);
        a.jump('jal', 'passes').emit(NOP);
        a.branch('bne', { rs: T0, rt: V1 }, 'rest').emit(NOP);
        back(a).label('passes').op('lw', { base: SP, rt: T9, offset: 16 });
        a.label('site').op('jr', { rs: T9 }).emit(NOP);
        a.label('small').op('addiu', { rt: V0, imm: 1 });
        back(a).label('rest');
        work(a, 170);
        a.jump('j', 'main').emit(NOP);
      },
      [
        { seed: 'main', until: 'passes' },
        { seed: 'passes', until: 'rest', calls: { site: 'small' } },
        { seed: 'rest', calls: { site: 'small' } },
      ],
    );
    const main = regionsOf(join(kept)).find(({ entries }) => entries[0] === at('main'));
    expect([...(main?.addresses ?? [])]).toEqual(expect.arrayContaining(['passes', 'site', 'small', 'rest'].map(at)));
    expect(main?.tableTargets).toEqual([]);
  });

  it('takes for targets of a jump table what lies in its function and is reached in no other way', () => {
    const { kept, at } = piecesOf(
      (a) => {
        a.label('caller').jump('jal', 'main').emit(NOP);
        a.jump('jal', 'next').emit(NOP);
        back(a).label('main');
        work(a, 150);
        a.op('jr', { rs: V0 }).emit(NOP);
        for (const label of ['one', 'two']) {
          a.label(label);
          work(a, 50);
          a.jump('j', 'main').emit(NOP);
        }
        a.label('next');
        work(a, 100);
        back(a).label('in next');
        work(a, 10);
        back(a);
      },
      [{ seed: 'caller' }, { seed: 'main', tableTargets: ['main', 'one', 'next', 'in next'] }, { seed: 'next' }],
    );
    const joined = regionsOf(join(kept));
    const main = joined.find(({ entries }) => entries[0] === at('main'));
    expect(main?.tableTargets).toEqual([at('one')]);
    expect(main?.addresses).not.toContain(at('next'));
  });

  it('adds to a jump table what became a region of its own and leads back there', () => {
    const { kept, at } = piecesOf(
      (a) => {
        a.label('main');
        work(a, 150);
        a.op('jr', { rs: V0 }).emit(NOP);
        for (const label of ['one', 'two']) {
          a.label(label);
          work(a, 100);
          a.jump('j', 'main').emit(NOP);
        }
      },
      [
        { seed: 'main', until: 'two', tableTargets: ['one'] },
        { seed: 'two', tableTargets: ['one'] },
      ],
    );
    const joined = join(kept);
    expect(seedsOf(joined)).toEqual([at('main')]);
    expect(regionsOf(joined)[0]?.tableTargets).toEqual([at('one'), at('two')]);
  });

  it('keeps apart what contradicts', () => {
    const { kept } = piecesOf(twoHalves, [{ seed: 'loop', until: 'second' }, { seed: 'second' }]);
    const { kept: others } = piecesOf(
      (a) => {
        a.label('loop');
        work(a, 10);
        a.op('ori', { rt: T0, rs: T0, imm: 1 });
        work(a, 300);
        back(a);
      },
      [{ seed: 'loop' }],
    );
    const joined = join([...kept, ...others]);
    expect(joined).toHaveLength(2);
    expect(joined?.[0]).toEqual(others[0]);
    expect(regionsOf(joined).map((region) => region.joined)).toEqual([false, true]);
  });
});
