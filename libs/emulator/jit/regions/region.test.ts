import { describe, expect, it } from '@jest/globals';
import { mipsModel } from '../../targets/index.js';
import { mipsDescription } from '../../targets/mips/target.js';
import { asm, MIPS_INSTRUCTIONS, MipsAssembler, NOP } from '../../testkit/mips-assembler.js';
import { chooseMipsField, isBranch } from '../../testkit/mips-lockstep.js';
import { RandomInstructions } from '../../testkit/random-instructions.js';
import { SeededRandom } from '../../testkit/random.js';
import { InstructionReader } from './classify.js';
import type { CodeSource, Region } from './region.js';
import { discoverRegion, MAX_REGION_INSTRUCTIONS } from './region.js';

const description = mipsDescription(mipsModel('24Kf'), 'little');
const reader = new InstructionReader(description, 2);
const [V0, A0, T0, T9, GP, SP, RA] = [2, 4, 8, 25, 28, 29, 31] as const;
const ORIGIN = 0x80001000;
const PAGE = 0x1000;
/** Where the code lies in linear memory; virtual pages are there in order. */
const LINEAR = 0x30000;

interface Code {
  readonly words: readonly number[];
  readonly origin?: number;
  readonly warm?: (address: number) => boolean;
  readonly translated?: ReadonlyMap<number, number>;
  readonly unmapped?: number;
  /** What a jump table is taken to hold, and an address table for calls: labels, or what stands for them. */
  readonly table?: readonly number[];
  readonly called?: number;
}

function sourceOf({ words, origin = ORIGIN, warm = () => true, ...code }: Code): CodeSource {
  const { translated, unmapped, table = [], called } = code;
  return {
    word: (address) => ((address & -PAGE) >>> 0 === unmapped ? undefined : words[(address - origin) / 4]),
    placeOf: (page) => LINEAR + page - ((origin & -PAGE) >>> 0),
    isWarm: warm,
    translatedSize: (address) => translated?.get(address) ?? 0,
    warmNear: () => table,
    callTarget: () => called,
  };
}

function discover(
  build: (a: MipsAssembler) => void,
  code: Omit<Code, 'words'> = {},
  seed?: string,
): Region | undefined {
  const a = new MipsAssembler(code.origin ?? ORIGIN);
  build(a);
  return discoverRegion(seed ? a.addressOf(seed) : a.origin, sourceOf({ ...code, words: a.finish() }), reader);
}

/** Blocks by offset from the origin, for comparison. */
const outline = (region: Region | undefined, origin = ORIGIN): unknown[] | undefined =>
  region?.blocks.map(({ address, instructions, branchAt, end }) => ({
    at: address - origin,
    instructions: instructions.length,
    branchAt,
    end: Object.fromEntries(
      Object.entries(end).map(([key, value]) => [key, typeof value === 'number' ? value - origin : (value as unknown)]),
    ),
  }));

const offsets = (region: Region | undefined): number[] => (region?.entries ?? []).map((address) => address - ORIGIN);

describe('following control flow', () => {
  it('a loop is a region with one block for its body', () => {
    const region = discover((a) => {
      a.label('loop').op('addiu', { rt: T0, rs: T0, imm: -1 });
      a.branch('bne', { rs: T0 }, 'loop').op('addiu', { rt: V0, rs: V0, imm: 1 });
      a.op('jr', { rs: RA }).emit(NOP);
    });
    expect(outline(region)).toMatchObject([
      { at: 0, instructions: 3, branchAt: 1, end: { kind: 'branch', taken: 0, next: 12, likely: false } },
      { at: 12, instructions: 2, branchAt: 0, end: { kind: 'indirect' } },
    ]);
    expect(offsets(region)).toEqual([0]);
  });

  it('a call continues behind its delay slot, where the region can be entered', () => {
    const region = discover((a) => {
      a.jump('jal', 'function').emit(NOP);
      a.op('jr', { rs: RA }).emit(NOP);
      a.label('function').op('jr', { rs: RA }).emit(NOP);
    });
    expect(outline(region)).toMatchObject([
      { at: 0, instructions: 2, branchAt: 0, end: { kind: 'goto', target: 16, returnTo: 8 } },
      { at: 8, instructions: 2, branchAt: 0, end: { kind: 'indirect' } },
      { at: 16, instructions: 2, branchAt: 0, end: { kind: 'indirect' } },
    ]);
    expect(offsets(region)).toEqual([0, 8]);
  });

  it('a jump to what was just loaded into the register of calls is another function, else it is through a table', () => {
    const ended = (build: (a: MipsAssembler) => void): Region | undefined =>
      discover(
        (a) => {
          build(a);
          a.label('other').op('jr', { rs: RA }).emit(NOP);
        },
        { table: [ORIGIN], called: ORIGIN + 12 },
      );
    const tail = ended((a) => a.op('lw', { base: GP, rt: T9, offset: 16 }).op('jr', { rs: T9 }).emit(NOP));
    expect(outline(tail)).toMatchObject([
      { at: 0, end: { role: 'tail', guess: 12 } },
      { at: 12, end: { role: 'return' } },
    ]);
    expect(tail?.claimed.size).toBe(0);
    expect([...(tail?.calls ?? [])]).toEqual([[ORIGIN + 4, ORIGIN + 12]]);
    const added = ended((a) =>
      a.op('lw', { base: T0, rt: T9, offset: 0 }).op('addu', { rd: T9, rs: T9, rt: GP }).op('jr', { rs: T9 }).emit(NOP),
    );
    const elsewhere = ended((a) => a.op('lw', { base: T0, rt: V0, offset: 0 }).op('jr', { rs: V0 }).emit(NOP));
    for (const region of [added, elsewhere]) {
      expect(outline(region)).toMatchObject([{ at: 0, end: { role: 'jump' } }]);
      expect([...(region?.claimed ?? [])]).toEqual([ORIGIN]);
    }
  });

  it('what hardly ever ran is left out, what is behind a backward branch is not', () => {
    const build = (a: MipsAssembler): void => {
      a.label('loop').branch('beq', { rs: T0 }, 'rare').emit(NOP);
      a.branch('bne', { rs: V0 }, 'loop').emit(NOP);
      a.op('jr', { rs: RA }).emit(NOP);
      a.label('rare').op('addiu', { rt: T0, imm: 1 }).op('jr', { rs: RA }).emit(NOP);
    };
    const region = discover(build, { warm: () => false });
    expect(region?.blocks.map(({ address }) => address - ORIGIN)).toEqual([0, 8, 16]);
  });

  it('large translations of others are left alone, short ones are made again', () => {
    const build = (a: MipsAssembler): void => {
      a.jump('j', 'other').emit(NOP);
      a.label('other').op('jr', { rs: RA }).emit(NOP);
    };
    const blocks = (size: number): number | undefined =>
      discover(build, { translated: new Map([[ORIGIN + 8, size]]) })?.blocks.length;
    expect([blocks(0), blocks(40), blocks(41)]).toEqual([2, 2, 1]);
  });

  it('an instruction for the interpreter ends a block, and the next can be entered', () => {
    const region = discover((a) => {
      a.op('addiu', { rt: V0, rs: V0, imm: 1 }).op('tlbwi').op('addiu', { rt: V0, rs: V0, imm: 2 });
      a.op('jr', { rs: RA }).emit(NOP);
    });
    expect(outline(region)).toMatchObject([
      { at: 0, instructions: 1, branchAt: -1, end: { kind: 'interpret', at: 4 } },
      { at: 8, instructions: 3, branchAt: 1, end: { kind: 'indirect' } },
    ]);
    expect(offsets(region)).toEqual([0, 8]);
  });

  it('nothing is made of code that starts with such an instruction, or is not there', () => {
    expect(discover((a) => void a.op('eret'))).toBeUndefined();
    expect(discover((a) => void a.emit(0xec000000))).toBeUndefined(); // reserved
    expect(discoverRegion(ORIGIN, sourceOf({ words: [] }), reader)).toBeUndefined();
  });

  it.each([
    ['a branch', asm('beq', { offset: 4 })],
    ['an instruction for the interpreter', asm('mfc0', { rt: T0, rd: 9 })],
    ['a reserved word', 0xec000000],
  ])('a branch with %s in its delay slot is left to the interpreter', (_name, slot) => {
    const region = discover((a) =>
      a.op('addiu', { rt: V0 }).branch('bne', { rs: T0 }, 'on').emit(slot).label('on').emit(NOP),
    );
    expect(outline(region)?.[0]).toMatchObject({ at: 0, instructions: 1, end: { kind: 'interpret', at: 4 } });
  });

  it('a branch with its delay slot on the next page is a block of its own, and that page is part of the region', () => {
    const origin = ORIGIN + PAGE - 8;
    const region = discover((a) => a.op('addiu', { rt: V0 }).op('jr', { rs: RA }).emit(NOP, NOP), { origin });
    expect(outline(region, origin)).toMatchObject([
      { at: 0, instructions: 1, end: { kind: 'goto', target: 4 } },
      { at: 4, instructions: 2, branchAt: 0, end: { kind: 'indirect', role: 'return' } },
    ]);
    expect([...(region?.pages.keys() ?? [])]).toEqual([ORIGIN, ORIGIN + PAGE]);
    const missing = { origin, unmapped: ORIGIN + PAGE };
    const left = discover((a) => a.op('addiu', { rt: V0 }).op('jr', { rs: RA }).emit(NOP, NOP), missing);
    expect(outline(left, origin)?.[0]).toMatchObject({ at: 0, end: { kind: 'interpret', at: 4 } });
  });

  it('a new page starts a block; one that is not mapped is left for the interpreter to find out', () => {
    const origin = ORIGIN + PAGE - 8;
    const build = (a: MipsAssembler): void => {
      for (let i = 0; i < 4; i++) a.op('addiu', { rt: V0, rs: V0, imm: i });
      a.op('jr', { rs: RA }).emit(NOP);
    };
    expect(outline(discover(build, { origin }), origin)).toMatchObject([
      { at: 0, instructions: 2, end: { kind: 'goto', target: 8 } },
      { at: 8, instructions: 4 },
    ]);
    const region = discover(build, { origin, unmapped: ORIGIN + PAGE });
    expect(outline(region, origin)).toEqual([
      { at: 0, instructions: 2, branchAt: -1, end: { kind: 'goto', target: 8 } },
    ]);
    expect([...(region?.pages ?? [])]).toEqual([[ORIGIN, LINEAR]]);
  });

  it('a branch into a delay slot makes the slot a block of its own', () => {
    const region = discover((a) => {
      a.label('start').branch('beq', { rs: T0 }, 'end').label('slot').op('addiu', { rt: V0, rs: V0, imm: 1 });
      a.branch('bne', { rs: V0 }, 'slot').emit(NOP);
      a.label('end').op('jr', { rs: RA }).emit(NOP);
    });
    expect(region?.blocks.map(({ address }) => address - ORIGIN)).toEqual([0, 4, 8, 16]);
    expect(region?.blocks[0]?.instructions.map(({ address }) => address - ORIGIN)).toEqual([0, 4]);
  });

  it('ends where a region is large enough', () => {
    const region = discover((a) => {
      for (let i = 0; i < 1000; i++) a.op('addiu', { rt: V0, rs: V0, imm: 1 });
    });
    expect(region?.instructionCount).toBe(MAX_REGION_INSTRUCTIONS);
    expect(outline(region)).toMatchObject([{ end: { kind: 'goto', target: 4 * MAX_REGION_INSTRUCTIONS } }]);
  });

  it('has as many entries as the jump cache can number', () => {
    const region = discover((a) => {
      for (let i = 0; i < 100; i++) a.op('tlbp').op('addiu', { rt: V0, rs: V0, imm: 1 });
    });
    expect(region).toBeUndefined();
    const many = discover((a) => {
      for (let i = 0; i < 100; i++) a.op('addiu', { rt: V0, rs: V0, imm: 1 }).op('tlbp');
    });
    expect(many?.entries.length).toBeGreaterThan(50);
    expect(many?.entries.length).toBeLessThanOrEqual(256); // RegionCompiler packs the number into a byte
    expect(offsets(many)[0]).toBe(0);
  });
});

describe('regions of random code', () => {
  it('consist of whole blocks that lead to each other or out', () => {
    const random = new SeededRandom(1);
    const words = new RandomInstructions(MIPS_INSTRUCTIONS, random, { chooseField: chooseMipsField });
    let blocks = 0;
    for (let i = 0; i < 60; i++) {
      const origin = ORIGIN + 4 * random.below(PAGE / 4);
      const code = Array.from({ length: 600 }, () => {
        const kind = random.below(10);
        if (kind < 2) return asm(random.pick(['beq', 'bne', 'beql']), { rs: A0, offset: random.below(200) - 100 });
        if (kind < 6) return asm('addiu', { rt: random.below(32), rs: SP, imm: i });
        return words.any();
      });
      const seed = origin + 4 * random.below(code.length);
      const shares = new Set(Array.from({ length: 200 }, () => origin + 4 * random.below(code.length)));
      const source = sourceOf({ words: code, origin, warm: (address) => shares.has(address) });
      const region = discoverRegion(seed, source, reader, {
        ...{ most: 20 + random.below(200), mostWithTable: 1000, mostAgain: 40 },
      });
      if (!region) continue;
      const leaders = new Set(region.blocks.map(({ address }) => address));
      expect(leaders.size).toBe(region.blocks.length);
      expect(region.entries[0]).toBe(seed);
      for (const entry of region.entries) expect(leaders.has(entry)).toBe(true);
      region.blocks.forEach((block, n) => {
        blocks++;
        const { address, instructions, branchAt, end } = block;
        expect(address).toBeGreaterThan(region.blocks[n - 1]?.address ?? 0);
        const isSound = instructions.every(
          (each, k) =>
            each.address === address + 4 * k &&
            each.word === code[(each.address - origin) / 4] &&
            each.address >>> 12 === address >>> 12 &&
            region.pages.has((each.address & -PAGE) >>> 0) &&
            (k === branchAt || reader.classify(each.word, each.address).kind === 'plain'),
        );
        expect(isSound).toBe(true);
        const next = address + 4 * instructions.length;
        if (branchAt >= 0) {
          expect(branchAt).toBe(instructions.length - 2); // every branch of MIPS has a delay slot
          expect(isBranch(instructions[branchAt]?.word ?? 0)).toBe(true);
        } else if (end.kind === 'interpret') {
          expect(end.at).toBe(next);
        } else {
          expect(end).toEqual({ kind: 'goto', target: next });
        }
        if (end.kind === 'branch') expect(end.next).toBe(next);
      });
    }
    expect(blocks).toBeGreaterThan(400);
  });
});
