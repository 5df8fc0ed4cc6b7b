import { describe, expect, it } from '@jest/globals';
import { JumpCache } from '../../jit/ir/index.js';
import { Status } from '../../targets/mips/cp0.js';
import { asm, MipsAssembler, NOP, wordsToBytes } from '../../testkit/mips-assembler.js';
import type { MipsSide } from '../../testkit/mips-bench.js';
import {
  A0,
  A1,
  A2,
  again,
  CODE,
  DATA,
  FRAMES,
  KSEG0,
  KSEG1,
  PAGE,
  RA,
  readLog,
  register,
  runEverywhere,
  S0,
  S1,
  S2,
  SP,
  T0,
  T1,
  T2,
  T3,
  V0,
  writeTlb,
} from '../../testkit/mips-directed.js';
import { isBranch } from '../../testkit/mips-lockstep.js';

const CONDITIONAL = 'blez bgtz bltz bgez beq bne blezl bgtzl bltzl bgezl beql bnel bltzal bgezal bltzall bgezall'.split(
  ' ',
);

describe.each(['little', 'big'] as const)('translations, %s-endian', (byteOrder) => {
  // ---- delay slots and exceptions ----------------------------------------------------------------------------------

  it.each(['lw', 'sw'] as const)(
    'take TLB misses of %s in the delay slot of every branch, both ways',
    async (access) => {
      const segments = new Set<number>();
      const side = await runEverywhere({
        ...{ byteOrder, action: 'map', instructions: 60_000, referenceInstructions: 6000, translated: 0.1 },
        build: (a) => {
          a.op('lui', { rt: S0, imm: DATA >>> 16 }).op('addiu', { rt: S2, imm: 2000 });
          a.label('loop').op('andi', { rt: T0, rs: S2, imm: 2 }).op('addiu', { rt: T0, rs: T0, imm: -1 });
          const slot = (): void => {
            segments.add(a.here);
            a.op(access, { base: S0, rt: access === 'lw' ? V0 : S2, offset: 4 });
          };
          const step = (): void => {
            a.op('addiu', { rt: S0, rs: S0, imm: 0x1f00 }).op('addiu', { rt: T1, rs: T1, imm: 1 });
          };
          for (const name of CONDITIONAL) {
            for (const backward of [false, true]) {
              const id = `${name} ${backward}`;
              if (backward) a.branch('beq', {}, `${id} branch`).emit(NOP);
              if (backward) a.label(`${id} back`).op('addiu', { rt: A0, rs: A0, imm: 3 });
              if (backward) a.branch('beq', {}, `${id} done`).emit(NOP);
              a.label(`${id} branch`).branch(name, { rs: T0 }, backward ? `${id} back` : `${id} done`);
              slot();
              a.op('addiu', { rt: A1, rs: A1, imm: 5 });
              a.label(`${id} done`);
              step();
            }
          }
          // Jumps.
          a.jump('j', 'after j');
          slot();
          a.label('after j');
          step();
          a.jump('jal', 'function');
          slot();
          step();
          a.la(T2, 'function').op('jalr', { rs: T2, rd: RA });
          slot();
          step();
          // Stay within 64 KiB, so that every page comes back.
          a.op('andi', { rt: S0, rs: S0, imm: 0xfffc }).op('lui', { rt: T2, imm: DATA >>> 16 });
          a.op('addu', { rd: S0, rs: S0, rt: T2 });
          again(a, 'loop');
          a.label('function').op('addiu', { rt: A2, rs: A2, imm: 1 });
          a.op('jr', { rs: RA });
          slot();
        },
      });
      const log = readLog(side, byteOrder);
      const code = access === 'lw' ? 2 : 3;
      for (const { cause, epc } of log) {
        expect([(cause >>> 2) & 31, cause >>> 31]).toEqual([code, 1]);
        expect(segments.has(epc + 4)).toBe(true);
      }
      // Every slot has missed, unless it belongs to a branch that nullified it each time.
      expect(new Set(log.map(({ epc }) => epc)).size).toBeGreaterThan(segments.size * 0.9);
    },
  );

  it('know the slot of a branch that is not taken when data has taken the code page from the soft TLB', async () => {
    const slots: number[] = [];
    const side = await runEverywhere({
      ...{ byteOrder, instructions: 4000, referenceInstructions: 1000, translated: 0 },
      build: (a) => {
        // The uncached address of the code's own page shares its entry.
        a.op('lui', { rt: S0, imm: (KSEG1 + CODE) >>> 16 }).op('addiu', { rt: S2, imm: 20 });
        a.label('loop').op('lw', { base: S0, rt: T0 });
        a.branch('bne', {}, 'loop');
        slots.push(a.here);
        a.op('lw', { base: S0, rt: T1, offset: 1 }); // not aligned
        a.op('lw', { base: S0, rt: T0 });
        a.branch('bne', {}, 'loop');
        slots.push(a.here);
        a.op('syscall');
        again(a, 'loop');
      },
    });
    const faults = readLog(side, byteOrder);
    expect(faults.length).toBeGreaterThanOrEqual(2 * 20);
    for (const [i, { epc, cause }] of faults.entries())
      expect([epc >>> 0, cause >>> 31]).toEqual([((slots[i % 2] as number) - 4) >>> 0, 1]);
  });

  it('go on in translations at an exception and at the return from it', async () => {
    const side = await runEverywhere({
      ...{ byteOrder, instructions: 300_000, referenceInstructions: 6000, translated: 0.96 },
      build: (a) => {
        // Without permission for anything in HWREna, from user mode on.
        a.op('mtc0', { rt: 0, rd: 7 }).la(T0, 'user').op('mtc0', { rt: T0, rd: 14 });
        a.op('addiu', { rt: S2, imm: 3000 }).op('eret');
        a.label('user').op('syscall').op('addiu', { rt: A0, rs: A0, imm: 1 });
        a.op('rdhwr', { rt: V0, rd: 29 }).op('teq', { rs: S2, rt: S2 });
        again(a, 'user');
      },
      origin: 0x00400000 + CODE,
      status: Status.EXL | (2 << Status.KSU_SHIFT),
      setUp: (each) => writeTlb(each, 0, 0x00400000 + CODE, CODE, CODE + PAGE),
    });
    const codes = readLog(side, byteOrder).map(({ cause }) => (cause >>> 2) & 31);
    expect(codes.length).toBeGreaterThanOrEqual(3 * 500);
    expect(codes.slice(0, 6)).toEqual([8, 10, 13, 8, 10, 13]); // Sys, RI, Tr
  });

  it('leave in LLAddr the physical address that LL read, also when the page shows other memory by then', async () => {
    const LL_ADDR = 17;
    let loop = 0;
    const side = await runEverywhere({
      ...{ byteOrder, instructions: 4000, referenceInstructions: 1000, translated: 0 },
      setUp: (each) => writeTlb(each, 5, DATA, FRAMES, FRAMES + PAGE),
      build: (a) => {
        a.op('lui', { rt: S0, imm: DATA >>> 16 })
          .op('addiu', { rt: S2, imm: 20 })
          .op('addiu', { rt: T0, imm: 5 });
        a.op('mtc0', { rt: T0, rd: 0 })
          .op('mtc0', { rt: S0, rd: 10 })
          .la(T1, 'loop')
          .op('lui', { rt: T2, imm: 0xa000 });
        loop = a.here;
        a.label('loop').op('ll', { base: S0, rt: V0, offset: 0x120 });
        // Index 5 gets the pages of the loop's other half.
        a.op('andi', { rt: T0, rs: S2, imm: 1 }).op('sll', { rd: T0, rt: T0, sa: 7 });
        a.op('addiu', { rt: T0, rs: T0, imm: (FRAMES >>> 6) | 0x1e }).op('mtc0', { rt: T0, rd: 2 });
        a.op('addiu', { rt: T0, rs: T0, imm: PAGE >>> 6 })
          .op('mtc0', { rt: T0, rd: 3 })
          .op('tlbwi');
        a.op('mfc0', { rt: V0, rd: LL_ADDR });
        a.op('ll', { base: T1, rt: A0 }).op('mfc0', { rt: A0, rd: LL_ADDR });
        a.op('or', { rd: T2, rs: T2, rt: T1 }).op('ll', { base: T2, rt: A1 }).op('mfc0', { rt: A1, rd: LL_ADDR });
        again(a, 'loop');
      },
    });
    // The last round's LL read what the round before had mapped.
    expect(register(side, V0)).toBe((FRAMES + 0x120) >>> 4);
    const physical = loop & 0x1fffffff;
    expect([register(side, A0), register(side, A1)]).toEqual([physical >>> 4, physical >>> 4]);
  });

  it('show all registers as they are to exceptions in the middle of a region', async () => {
    const side = await runEverywhere({
      ...{ byteOrder, instructions: 40_000, referenceInstructions: 3000, translated: 0.2 },
      build: (a) => {
        a.li(T0, 0x7fffff00).op('addiu', { rt: S2, imm: 3000 });
        a.op('lui', { rt: S0, imm: (KSEG0 + FRAMES) >>> 16 });
        a.label('loop');
        for (let r = 3; r < 26; r++) {
          if ([T0, S0, S2].includes(r as never)) continue;
          a.op('addiu', { rt: r, rs: r, imm: r });
          a.op('mult', { rs: r, rt: S2 });
          if (r % 4 === 0) a.op('add', { rd: 30, rs: T0, rt: S2 }); // overflows now and then
          if (r % 5 === 0) a.op('lw', { base: S0, rt: 30, offset: 4 * r }).op('teq', { rs: 30, rt: r });
          if (r % 7 === 0) a.op('lh', { base: S0, rt: 30, offset: 1 }); // misaligned
          if (r % 6 === 0) a.op('sw', { base: S0, rt: r, offset: 4 * (r - 1) });
          if (r === 13) a.op('syscall');
          if (r === 14) a.op('tnei', { rs: S2, imm: 77 });
        }
        again(a, 'loop');
      },
    });
    const codes = new Set(readLog(side, byteOrder).map(({ cause }) => (cause >>> 2) & 31));
    expect([...codes].sort((x, y) => x - y)).toEqual([4, 8, 12, 13]);
  });

  // As many as an address has entries, and one more.
  it.each([
    [2, 0.7],
    [3, 0.4],
  ])(
    'are made of %i places that have the same entries in the jump cache and are visited in turn',
    async (count, translated) => {
      const places = [0, 0x20010, 0x40060].slice(0, count).map((distance) => KSEG0 + CODE + distance);
      expect(new Set(places.map((place) => JumpCache.offset(place, 0))).size).toBe(1);
      await runEverywhere({
        ...{ byteOrder, instructions: 20_000, translated },
        build: (a) => {
          for (const [i, place] of places.entries()) {
            while (a.here >>> 0 !== place >>> 0) a.emit(NOP);
            a.label(`place ${i}`);
            for (let j = 0; j < 20; j++)
              a.op('addu', { rd: V0, rs: V0, rt: T0 }).op('addiu', { rt: T0, rs: T0, imm: j });
            a.jump('j', `place ${(i + 1) % count}`).emit(NOP);
          }
        },
      });
    },
  );

  it('take the timer interrupt at each instruction of a loop', async () => {
    let addresses: number[] = [];
    const side = await runEverywhere({
      ...{ byteOrder, action: 'tick', status: Status.IE | (0x80 << 8), instructions: 800_000, translated: 0.1 },
      build: (a) => {
        a.op('lui', { rt: S0, imm: (KSEG0 + FRAMES) >>> 16 });
        a.label('loop').op('subu', { rd: T0, rt: T0 }); // the other sign, so that branches go both ways
        const first = a.words.length;
        for (let i = 0; i < 6; i++) {
          a.op('addiu', { rt: T0, rs: T0, imm: i + 1 });
          a.op('lw', { base: S0, rt: T1, offset: 4 * i }).op('addu', { rd: T1, rs: T1, rt: T0 });
          a.branch(i % 2 === 0 ? 'bgtzl' : 'bltz', { rs: T0 }, `over ${i}`).op('sw', {
            base: S0,
            rt: T1,
            offset: 4 * i,
          });
          a.op('mult', { rs: T1, rt: T0 });
          a.label(`over ${i}`).op('mflo', { rd: T2 });
        }
        a.jump('j', 'loop').op('xor', { rd: T3, rs: T3, rt: T2 });
        // Not the delay slots: there the interrupt is taken before the branch.
        addresses = a.words
          .slice(first)
          .flatMap((_, i, list) => (isBranch(list[i - 1] ?? 0) ? [] : [a.origin + 4 * (first + i)]));
      },
    });
    const log = readLog(side, byteOrder);
    expect(log.length).toBeGreaterThan(150);
    const seen = new Set(log.map(({ epc }) => epc));
    expect(addresses.filter((address) => !seen.has(address))).toEqual([]);
  });

  // ---- pages -------------------------------------------------------------------------------------------------------

  const crossing = (a: MipsAssembler): void => {
    a.op('addiu', { rt: S2, imm: 3000 });
    a.branch('beq', {}, 'loop').emit(NOP);
    while ((a.here & (PAGE - 1)) !== PAGE - 16) a.emit(NOP);
    a.label('loop').op('addiu', { rt: V0, rs: V0, imm: 1 }).op('andi', { rt: T0, rs: S2, imm: 1 });
    a.op('addiu', { rt: V0, rs: V0, imm: 2 });
    a.branch('bne', { rs: T0 }, 'odd').op('addiu', { rt: A0, rs: A0, imm: 1 }); // the slot is on the next page
    a.op('addiu', { rt: A1, rs: A1, imm: 1 });
    a.label('odd').jump('jal', 'far').op('addiu', { rt: A2, rs: A2, imm: 1 });
    while ((a.here & (PAGE - 1)) !== PAGE - 8) a.op('addiu', { rt: T1, rs: T1, imm: 1 }); // straight across the border
    for (let i = 0; i < 4; i++) a.op('addiu', { rt: T1, rs: T1, imm: 1 });
    again(a, 'loop');
    while ((a.here & (PAGE - 1)) !== PAGE - 4) a.emit(NOP);
    a.label('far').op('jr', { rs: RA }).op('addiu', { rt: T2, rs: T2, imm: 1 });
  };

  it.each([
    ['kseg0', KSEG0 + CODE, 0],
    ['kseg1', KSEG1 + CODE, 0],
    ['mapped pages of the kernel', 0xc0400000, 0],
    ['mapped pages of a user', 0x00400000, 2 << Status.KSU_SHIFT],
  ])('cross page borders in %s', async (_name, origin, status) => {
    const side = await runEverywhere({
      ...{ byteOrder, origin, status, build: crossing, instructions: 4_000_000, referenceInstructions: 3000 },
      setUp: (each) => {
        for (let i = 0; i < 4; i++)
          writeTlb(each, i, (origin + 2 * PAGE * i) | 0, CODE + 2 * PAGE * i, CODE + 2 * PAGE * i + PAGE);
      },
    });
    expect([V0, A0, A1, A2, T2].map((r) => register(side, r))).toEqual([9000, 3000, 1500, 3000, 3000]);
  });

  it('miss the TLB on the fetch of a delay slot: EPC is the branch', async () => {
    const origin = 0x00400000;
    let branch = 0;
    // The page with the slot is mapped by the handler, then another page pair takes its entry.
    const side = await runEverywhere({
      ...{ byteOrder, origin, instructions: 30_000, action: 'map', referenceInstructions: 3000, translated: 0.01 },
      setUp: (each) => {
        writeTlb(each, 0, origin, CODE, CODE + PAGE);
        // What the handler maps for the next pair must be the program's own pages.
        const page = each.ram.bytes.slice(CODE + 2 * PAGE, CODE + 4 * PAGE);
        each.bus.writeBytes(FRAMES + 2 * PAGE, page);
      },
      build: (a) => {
        a.op('lui', { rt: S0, imm: DATA >>> 16 });
        a.branch('beq', {}, 'loop').emit(NOP);
        while (a.here !== origin + 2 * PAGE - 40) a.emit(NOP);
        a.label('loop');
        // Four other pairs push the pair out that comes next.
        for (let i = 0; i < 4; i++) a.op('addiu', { rt: S0, rs: S0, imm: 0x2000 }).op('lw', { base: S0, rt: T0 });
        a.op('addiu', { rt: A0, rs: A0, imm: 1 });
        branch = a.here;
        a.branch('bgez', { rs: A0 }, 'loop').op('addiu', { rt: V0, rs: V0, imm: 1 });
      },
    });
    const fetches = readLog(side, byteOrder).filter(({ badVAddr }) => badVAddr === branch + 4);
    expect(fetches.length).toBeGreaterThan(10);
    for (const { epc, cause } of fetches) expect([epc, cause >>> 31]).toEqual([branch, 1]);
  });

  // ---- the same address, other code --------------------------------------------------------------------------------

  /** Functions of two instructions in the pages from {@link FRAMES} on: each page's returns another number. */
  const functions = ({ bus }: MipsSide): void => {
    for (let page = 0; page < 16; page++)
      bus.writeBytes(
        FRAMES + page * PAGE,
        wordsToBytes([asm('jr', { rs: RA }), asm('addiu', { rt: V0, imm: page + 1 })], byteOrder),
      );
  };
  const MAPPED = 0x00600000;

  it('follow the TLB when a page shows other code', async () => {
    const side = await runEverywhere({
      ...{ byteOrder, instructions: 120_000, referenceInstructions: 2000, setUp: functions, translated: 0.3 },
      build: (a) => {
        a.op('addiu', { rt: S2, imm: 3000 }).op('lui', { rt: S0, imm: MAPPED >>> 16 });
        a.label('loop').op('mtc0', { rt: S0, rd: 10 }).op('mtc0', { rt: 0, rd: 0 });
        a.op('andi', { rt: T0, rs: S2, imm: 7 }).op('sll', { rd: T0, rt: T0, sa: 7 });
        a.op('addiu', { rt: T0, rs: T0, imm: (FRAMES >>> 6) | 0x1e }).op('mtc0', { rt: T0, rd: 2 });
        a.op('addiu', { rt: T0, rs: T0, imm: 0x40 }).op('mtc0', { rt: T0, rd: 3 }).op('tlbwi');
        for (const offset of [0, PAGE, 0]) {
          a.op('addiu', { rt: T1, rs: S0, imm: offset }).op('jalr', { rs: T1, rd: RA }).emit(NOP);
          a.op('addu', { rd: A0, rs: A0, rt: V0 });
        }
        again(a, 'loop');
      },
    });
    // Pairs 0..7 of numbers 2p + 1, 2p + 2, and the first once more; each pair 375 times.
    const each = Array.from({ length: 8 }, (_, p) => 2 * (2 * p + 1) + 2 * p + 2).reduce((x, y) => x + y);
    expect(register(side, A0)).toBe(375 * each);
  });

  it('look again where they cross into a page that can change: straight on, by a branch, and by a call', async () => {
    const [near, far] = [MAPPED + 2 * PAGE - 32, MAPPED + 2 * PAGE];
    const side = await runEverywhere({
      ...{ byteOrder, instructions: 120_000, referenceInstructions: 2000, translated: 0.3 },
      setUp: (each) => {
        writeTlb(each, 1, MAPPED, FRAMES, FRAMES + PAGE);
        const put = (physical: number, words: readonly number[]): void =>
          void each.bus.writeBytes(physical, wordsToBytes(words, byteOrder));
        const a = new MipsAssembler(near);
        a.op('addiu', { rt: T1, rs: T1, imm: -1 });
        a.branch('bltz', { rs: T1 }, 'straight').emit(NOP); // T1 = 0
        a.branch('beq', { rs: T1 }, 'far').emit(NOP); // 1
        a.jump('j', 'further').emit(NOP); // 2
        a.words.pop();
        a.emit(asm('addu', { rd: T3, rs: 0, rt: 0 }));
        a.label('straight').emit(NOP);
        if (a.here !== far) throw new Error('the page does not end here');
        a.label('far').emit(NOP, NOP, NOP, NOP).label('further');
        put(FRAMES + 2 * PAGE - 32, a.finish().slice(0, 8));
        for (const pair of [1, 2]) {
          const back = [asm('jr', { rs: RA }), asm('addiu', { rt: V0, rs: V0, imm: pair === 1 ? 1 : 100 })];
          put(FRAMES + 2 * PAGE * pair, [asm('addiu', { rt: V0, imm: 10 * pair }), NOP, ...back, ...back]);
        }
      },
      build: (a) => {
        a.op('addiu', { rt: S2, imm: 3000 }).li(S0, far).li(S1, near).op('addiu', { rt: T2, imm: 0 });
        a.label('loop').op('mtc0', { rt: S0, rd: 10 }).op('addiu', { rt: T0, imm: 2 }).op('mtc0', { rt: T0, rd: 0 });
        // Not each time, so that both pages are there when they are translated.
        a.op('andi', { rt: T0, rs: S2, imm: 7 }).branch('bne', { rs: T0 }, 'same').emit(NOP);
        a.op('andi', { rt: T0, rs: S2, imm: 8 }).op('sll', { rd: T0, rt: T0, sa: 4 });
        a.op('addiu', { rt: T0, rs: T0, imm: ((FRAMES + 2 * PAGE) >>> 6) | 0x1e }).op('mtc0', { rt: T0, rd: 2 });
        a.op('addiu', { rt: T0, rs: T0, imm: 0x40 }).op('mtc0', { rt: T0, rd: 3 }).op('tlbwi');
        a.label('same').op('addiu', { rt: T2, rs: T2, imm: 1 }).op('sltiu', { rt: T0, rs: T2, imm: 3 });
        a.op('movz', { rd: T2, rs: 0, rt: T0 }).op('addu', { rd: T1, rs: T2, rt: 0 }).op('addiu', { rt: V0, imm: 0 });
        a.op('jalr', { rs: S1, rd: RA }).emit(NOP).op('addu', { rd: A0, rs: A0, rt: V0 });
        again(a, 'loop');
      },
    });
    let [sum, way] = [0, 0];
    for (let n = 3000; n > 0; n--) {
      way = way === 2 ? 0 : way + 1;
      const first = (Math.ceil(n / 8) & 1) === 0;
      sum += (way === 2 ? 0 : first ? 10 : 20) + (first ? 1 : 100);
    }
    expect(register(side, A0)).toBe(sum);
  });

  it('follow the address space identifier', async () => {
    const side = await runEverywhere({
      ...{ byteOrder, instructions: 80_000, referenceInstructions: 2000, translated: 0.3 },
      setUp: (each) => {
        functions(each);
        for (let asid = 1; asid <= 6; asid++)
          writeTlb(each, asid, MAPPED, FRAMES + 2 * PAGE * asid, FRAMES + PAGE, asid);
      },
      build: (a) => {
        a.op('addiu', { rt: S2, imm: 3000 })
          .op('lui', { rt: S0, imm: MAPPED >>> 16 })
          .op('addiu', { rt: S1, imm: 0 });
        a.label('loop').op('addiu', { rt: S1, rs: S1, imm: 1 }).op('sltiu', { rt: T0, rs: S1, imm: 7 });
        a.branch('bne', { rs: T0 }, 'good').emit(NOP);
        a.op('addiu', { rt: S1, imm: 1 });
        a.label('good').op('mtc0', { rt: S1, rd: 10 });
        a.op('jalr', { rs: S0, rd: RA }).emit(NOP).op('addu', { rd: A0, rs: A0, rt: V0 });
        again(a, 'loop');
      },
    });
    expect(register(side, A0)).toBe(500 * (3 + 5 + 7 + 9 + 11 + 13));
  });

  it('run one page at two addresses, and see it rewritten through each of its addresses', async () => {
    const [first, second] = [MAPPED, 0x00700000];
    const writers = [KSEG0 + FRAMES, KSEG1 + FRAMES, first, second];
    const side = await runEverywhere({
      ...{ byteOrder, instructions: 400_000, referenceInstructions: 2000, translated: 0.05 },
      setUp: (each) => {
        functions(each);
        writeTlb(each, 1, first, FRAMES, FRAMES + PAGE);
        writeTlb(each, 2, second, FRAMES + PAGE, FRAMES);
      },
      build: (a) => {
        a.op('addiu', { rt: S2, imm: 40 });
        a.label('loop');
        for (const writer of writers) {
          a.op('addiu', { rt: S1, rs: S1, imm: 3 });
          a.li(T0, asm('addiu', { rt: V0 })).op('or', { rd: T0, rs: T0, rt: S1 });
          a.li(T1, writer === second ? second + PAGE : writer).op('sw', { base: T1, rt: T0, offset: 4 });
          // Often enough to be translated.
          a.op('addiu', { rt: T2, imm: 60 });
          a.label(`calls ${writer}`);
          for (const target of [first, second + PAGE, KSEG0 + FRAMES, KSEG1 + FRAMES]) {
            a.li(T1, target >>> 0)
              .op('jalr', { rs: T1, rd: RA })
              .emit(NOP)
              .op('addu', { rd: A0, rs: A0, rt: V0 });
          }
          a.branch('bgtz', { rs: T2 }, `calls ${writer}`).op('addiu', { rt: T2, rs: T2, imm: -1 });
        }
        again(a, 'loop');
      },
    });
    const rewritings = 40 * writers.length;
    expect(register(side, A0)).toBe((61 * 4 * 3 * rewritings * (rewritings + 1)) / 2);
  });

  // ---- code that changes itself ------------------------------------------------------------------------------------

  it('see a store to the next instruction of the running loop', async () => {
    const side = await runEverywhere({
      ...{ byteOrder, instructions: 60_000, referenceInstructions: 3000, translated: 0 },
      build: (a) => {
        a.op('addiu', { rt: S2, imm: 2000 })
          .la(T1, 'site')
          .li(T0, asm('addiu', { rt: V0, rs: V0 }));
        a.label('loop').op('andi', { rt: T2, rs: S2, imm: 0xff }).op('or', { rd: T3, rs: T0, rt: T2 });
        a.op('sw', { base: T1, rt: T3 });
        a.label('site').op('addiu', { rt: V0, rs: V0, imm: 1 });
        again(a, 'loop');
      },
    });
    const sum = Array.from({ length: 2000 }, (_, i) => (i + 1) & 0xff).reduce((x, y) => x + y);
    expect(register(side, V0)).toBe(sum);
  });

  it('see a store to the next instruction after the loop has been hot for long', async () => {
    const side = await runEverywhere({
      ...{ byteOrder, instructions: 60_000, referenceInstructions: 2000, translated: 0.3 },
      build: (a) => {
        // Stores to data until the pointer reaches the code itself, on a page far from it.
        a.op('addiu', { rt: S2, imm: 3000 })
          .la(T1, 'site')
          .op('lui', { rt: S0, imm: (KSEG0 + FRAMES) >>> 16 });
        a.li(T0, asm('addiu', { rt: V0, rs: V0, imm: 100 }));
        a.label('loop').op('addiu', { rt: T2, rs: S2, imm: -1000 });
        a.op('or', { rd: T3, rs: S0, rt: 0 }).op('movz', { rd: T3, rs: T1, rt: T2 });
        a.op('sw', { base: T3, rt: T0 });
        a.label('site').op('addiu', { rt: V0, rs: V0, imm: 1 });
        again(a, 'loop');
      },
    });
    expect(register(side, V0)).toBe(2000 + 1000 * 100);
  });

  it('see a store to code that is checked together with one to data on the page before', async () => {
    const side = await runEverywhere({
      ...{ byteOrder, instructions: 60_000, referenceInstructions: 3000, translated: 0 },
      build: (a) => {
        a.op('addiu', { rt: S2, imm: 2000 })
          .la(S0, 'site')
          .op('addiu', { rt: S0, rs: S0, imm: -8 })
          .li(T0, asm('addiu', { rt: V0, rs: V0 }));
        a.label('loop').op('andi', { rt: T2, rs: S2, imm: 0xff }).op('or', { rd: T3, rs: T0, rt: T2 });
        a.op('sw', { base: S0, rt: S2, offset: 4 }).op('sw', { base: S0, rt: T3, offset: 8 });
        a.jump('jal', 'site').emit(NOP);
        again(a, 'loop');
        while ((a.here & (2 * PAGE - 1)) !== 0) a.emit(NOP);
        a.label('site').op('addiu', { rt: V0, rs: V0, imm: 1 }).op('jr', { rs: RA }).emit(NOP);
      },
    });
    const sum = Array.from({ length: 2000 }, (_, i) => (i + 1) & 0xff).reduce((x, y) => x + y);
    expect(register(side, V0)).toBe(sum);
  });

  it('see functions change by DMA, and survive that memory moves on the bus', async () => {
    const program = {
      ...{ byteOrder, instructions: 200_000, slice: 5000, setUp: functions, translated: 0.3 },
      build: (a: MipsAssembler): void => {
        a.li(S0, KSEG0 + FRAMES);
        a.label('loop').op('jalr', { rs: S0, rd: RA }).emit(NOP).op('addu', { rd: A0, rs: A0, rt: V0 });
        a.jump('j', 'loop').op('addiu', { rt: A1, rs: A1, imm: 1 });
      },
    };
    const side = await runEverywhere({
      ...program,
      between: ({ ram, bus }, slice) => {
        const word = wordsToBytes([asm('addiu', { rt: V0, imm: slice })], byteOrder);
        ram.bytes.set(word, FRAMES + 4);
        ram.markWritten(FRAMES + 4, 4);
        if (slice % 5 === 4) bus.mapRam('moved', 0x1000_0000, ram)();
      },
    });
    const calls = register(side, A1);
    expect(register(side, A0) / calls).toBeGreaterThan(10);
  });

  // ---- control flow ------------------------------------------------------------------------------------------------

  it('enter loops in the middle through a jump table', async () => {
    const side = await runEverywhere({
      ...{ byteOrder, instructions: 500_000, referenceInstructions: 3000 },
      build: (a) => {
        a.op('addiu', { rt: S2, imm: 4000 });
        a.label('loop').op('andi', { rt: T0, rs: S2, imm: 7 }).op('sll', { rd: T0, rt: T0, sa: 3 });
        a.la(T1, 'body').op('addu', { rd: T1, rs: T1, rt: T0 }).op('addiu', { rt: S1, imm: 3 });
        a.op('jr', { rs: T1 }).emit(NOP);
        a.label('body');
        for (let i = 0; i < 8; i++) a.op('addiu', { rt: A0, rs: A0, imm: i + 1 }).op('xor', { rd: A1, rs: A1, rt: A0 });
        a.op('addiu', { rt: S1, rs: S1, imm: -1 });
        a.branch('bgtz', { rs: S1 }, 'body').emit(NOP);
        // Two loops that share a part, each entered from the other.
        a.op('andi', { rt: T2, rs: S2, imm: 3 });
        a.branch('beq', { rs: T2 }, 'right').op('addiu', { rt: T3, imm: 4 });
        a.label('left').op('addiu', { rt: T3, rs: T3, imm: -1 }).branch('blez', { rs: T3 }, 'out').emit(NOP);
        a.op('addiu', { rt: A2, rs: A2, imm: 1 });
        a.label('right').op('addiu', { rt: A2, rs: A2, imm: 2 });
        a.branch('bgtz', { rs: T3 }, 'left').emit(NOP);
        a.label('out');
        again(a, 'loop');
      },
    });
    const full = 36;
    const partial = Array.from({ length: 8 }, (_, skip) => full - (skip * (skip + 1)) / 2).reduce((x, y) => x + y);
    expect(register(side, A0)).toBe(500 * partial + 4000 * 2 * full);
  });

  it('recurse deeply, on a stack whose pages come and go', async () => {
    const side = await runEverywhere({
      ...{ byteOrder, action: 'map', instructions: 400_000, referenceInstructions: 3000, translated: 0.4 },
      build: (a) => {
        a.li(SP, DATA + 0xfff0).op('addiu', { rt: A0, imm: 600 });
        a.jump('jal', 'sum').emit(NOP).op('addu', { rd: S1, rs: V0, rt: 0 });
        a.op('addiu', { rt: A0, imm: 16 });
        a.jump('jal', 'fib').emit(NOP);
        a.label('end').branch('beq', {}, 'end').emit(NOP);
        // sum(n) = n + sum(n - 1), 64 bytes of stack each.
        a.label('sum').branch('beq', { rs: A0 }, 'leaf').op('addiu', { rt: SP, rs: SP, imm: -64 });
        a.op('sw', { base: SP, rt: RA, offset: 60 }).op('sw', { base: SP, rt: A0, offset: 56 });
        a.jump('jal', 'sum').op('addiu', { rt: A0, rs: A0, imm: -1 });
        a.op('lw', { base: SP, rt: A0, offset: 56 }).op('lw', { base: SP, rt: RA, offset: 60 });
        a.op('addu', { rd: V0, rs: V0, rt: A0 }).op('jr', { rs: RA }).op('addiu', { rt: SP, rs: SP, imm: 64 });
        a.label('leaf').op('addiu', { rt: V0, imm: 0 }).op('jr', { rs: RA }).op('addiu', { rt: SP, rs: SP, imm: 64 });
        a.label('fib').op('slti', { rt: T0, rs: A0, imm: 2 });
        a.branch('bne', { rs: T0 }, 'small').op('addiu', { rt: SP, rs: SP, imm: -32 });
        a.op('sw', { base: SP, rt: RA, offset: 28 }).op('sw', { base: SP, rt: A0, offset: 24 });
        a.jump('jal', 'fib').op('addiu', { rt: A0, rs: A0, imm: -1 });
        a.op('lw', { base: SP, rt: A0, offset: 24 }).op('sw', { base: SP, rt: V0, offset: 20 });
        a.jump('jal', 'fib').op('addiu', { rt: A0, rs: A0, imm: -2 });
        a.op('lw', { base: SP, rt: T1, offset: 20 }).op('lw', { base: SP, rt: RA, offset: 28 });
        a.op('addu', { rd: V0, rs: V0, rt: T1 }).op('jr', { rs: RA }).op('addiu', { rt: SP, rs: SP, imm: 32 });
        a.label('small')
          .op('addu', { rd: V0, rs: A0, rt: 0 })
          .op('jr', { rs: RA })
          .op('addiu', { rt: SP, rs: SP, imm: 32 });
      },
    });
    expect([register(side, S1), register(side, V0)]).toEqual([180_300, 987]);
  });

  it('translate code far over the size limits', async () => {
    const side = await runEverywhere({
      ...{ byteOrder, instructions: 900_000 },
      build: (a) => {
        a.op('addiu', { rt: S2, imm: 100 });
        a.label('loop');
        for (let i = 0; i < 3000; i++) a.op('addiu', { rt: 2 + (i % 8), rs: 2 + (i % 8), imm: i & 0xff });
        // Hundreds of blocks, each reached in two ways.
        for (let i = 0; i < 400; i++) {
          a.op('andi', { rt: T3, rs: S2, imm: 1 << (i % 7) });
          a.branch('bne', { rs: T3 }, `skip ${i}`).op('addiu', { rt: 12, rs: 12, imm: 1 });
          a.op('addiu', { rt: 13, rs: 13, imm: i });
          a.label(`skip ${i}`);
        }
        a.op('addiu', { rt: S2, rs: S2, imm: -1 });
        a.branch('beq', { rs: S2 }, 'end').emit(NOP);
        a.la(T3, 'loop').op('jr', { rs: T3 }).emit(NOP);
        a.label('end').branch('beq', {}, 'end').emit(NOP);
      },
    });
    expect(register(side, 12)).toBe(40_000);
    const sum = Array.from({ length: 100 }, (_, n) =>
      Array.from({ length: 400 }, (__, i) => ((n + 1) & (1 << (i % 7)) ? 0 : i)).reduce((x, y) => x + y),
    ).reduce((x, y) => x + y);
    expect(register(side, 13)).toBe(sum);
  });

  it('keep addresses apart that share an entry of the jump cache', async () => {
    const [first, second] = [0x60000, 0x68000 ^ 4];
    const side = await runEverywhere({
      ...{ byteOrder, instructions: 100_000, translated: 0.1 },
      setUp: ({ bus }) => {
        for (const [at, value] of [
          [first, 1],
          [second, 1000],
        ] as const)
          bus.writeBytes(at, wordsToBytes([asm('jr', { rs: RA }), asm('addiu', { rt: V0, imm: value })], byteOrder));
      },
      build: (a) => {
        a.op('addiu', { rt: S2, imm: 3000 })
          .li(T0, KSEG0 + first)
          .li(T1, KSEG0 + second);
        a.label('loop');
        for (const target of [T0, T1, T0])
          a.op('jalr', { rs: target, rd: RA }).emit(NOP).op('addu', { rd: A0, rs: A0, rt: V0 });
        again(a, 'loop');
      },
    });
    expect(register(side, A0)).toBe(3000 * 1002);
  });

  it('know the width of the floating-point registers: the same code with FR = 0 and 1, or without a coprocessor', async () => {
    const side = await runEverywhere({
      ...{ byteOrder, status: Status.CU1, instructions: 300_000, referenceInstructions: 2500, translated: 0.3 },
      build: (a) => {
        a.op('addiu', { rt: S2, imm: 2000 }).op('mfc0', { rt: S0, rd: 12 });
        a.label('loop').op('andi', { rt: T0, rs: S2, imm: 0xc }).op('sll', { rd: T0, rt: T0, sa: 24 }); // FR, and RP
        a.op('andi', { rt: T1, rs: S2, imm: 0x70 }).op('sltiu', { rt: T1, rs: T1, imm: 1 });
        a.op('sll', { rd: T1, rt: T1, sa: 29 }).op('or', { rd: T0, rs: T0, rt: T1 }); // now and then CU1
        a.op('xor', { rd: T0, rs: T0, rt: S0 }).op('mtc0', { rt: T0, rd: 12 });
        a.jump('jal', 'function').emit(NOP);
        again(a, 'loop');
        a.label('function').op('mtc1', { rt: S2, fs: 2 }).op('mtc1', { rt: 0, fs: 3 });
        a.op('cvt.d.w', { fd: 4, fs: 2 }).op('add.d', { fd: 6, fs: 6, ft: 4 });
        a.op('mfc1', { rt: V0, fs: 7 }).op('mfc1', { rt: T2, fs: 3 }).op('addu', { rd: A0, rs: A0, rt: V0 });
        a.op('mfc1', { rt: V0, fs: 2 }).op('addu', { rd: A1, rs: A1, rt: V0 });
        a.op('jr', { rs: RA }).op('mov.s', { fd: 9, fs: 2 });
      },
    });
    const codes = new Set(readLog(side, byteOrder).map(({ cause }) => (cause >>> 2) & 31));
    expect([...codes]).toEqual([11]);
  });
});
