import { expect, it } from '@jest/globals';
import { Scheduler } from '../../core/index.js';
import { MirrorPage } from '../../jit/ir/index.js';
import { AddressSpace, LinearMemory, PAGE_BYTES } from '../../memory/index.js';
import type { UserMmu } from '../../targets/index.js';
import { mipsModel } from '../../targets/index.js';
import { MipsUserCpu } from '../../targets/mips/user-cpu.js';
import { asm, MipsAssembler, wordsToBytes } from '../../testkit/mips-assembler.js';
import type { TranslationRequest } from '../jit/index.js';
import { InterpreterVcpu } from './interpreter-vcpu.js';

const CODE = 0x10000;
const DATA = 0x20000;
const POOL_BYTES = 0x40000;
const [T0, S0] = [8, 16] as const;

/** Every page lies at its own address, as far as it is present. */
class FakeMmu implements UserMmu {
  physical = 0;
  readonly writable = true;
  readonly blockBytes = 0;
  readonly fault = { signal: 'SIGSEGV', code: 1 };
  /** Pages that were asked about quietly, in turn. */
  readonly found: number[] = [];

  constructor(private readonly present: ReadonlySet<number>) {}

  translate(address: number): boolean {
    this.physical = address;
    return this.present.has(address - (address % PAGE_BYTES));
  }

  find(address: number): boolean {
    this.found.push(address);
    return this.translate(address);
  }

  loadByte(): number {
    throw new Error('nothing is unaligned here');
  }

  storeByte(): void {
    throw new Error('nothing is unaligned here');
  }
}

/** Runs a loop that stores to addresses. @returns what the table of reads and that of writes then say of a page, and who was asked about */
async function afterStores(addresses: readonly number[], present: readonly number[], written: readonly number[]) {
  const byteOrder = 'little';
  const memory = new LinearMemory(
    InterpreterVcpu.linearBytes + InterpreterVcpu.mirrorBytes + LinearMemory.ramFootprint(POOL_BYTES),
  );
  const block = memory.allocateRam('pages', POOL_BYTES);
  const bus = new AddressSpace('pages');
  bus.mapRam('pages', 0, block);
  const requests: TranslationRequest[] = [];
  const service = () => ({
    request: (request: TranslationRequest) => void requests.push(request),
    poll: () => undefined,
    close: () => undefined,
  });
  const mmu = new FakeMmu(new Set([CODE, ...present]));
  let cpu: MipsUserCpu | undefined;
  const vcpu = await InterpreterVcpu.create({
    ...{ memory, bus, byteOrder, scheduler: new Scheduler(), nsPerInstruction: 2, deviceAccessNs: 2 },
    ...{ mirror: block, translation: { threshold: 3, service } },
    createCore: (host) => {
      return (cpu = new MipsUserCpu(host, { model: mipsModel('24Kf'), byteOrder, mmu, cycles: () => 0 }));
    },
  });
  const a = new MipsAssembler(CODE);
  a.label('loop');
  for (const address of addresses) a.li(S0, address).op('sw', { base: S0, rt: T0, offset: 0 });
  a.jump('j', 'loop').emit(asm('addiu', { rt: T0, rs: T0, imm: 1 }));
  bus.writeBytes(CODE, wordsToBytes(a.finish(), byteOrder));
  for (const page of written) bus.writeBytes(page, Uint8Array.of(1));
  cpu?.reset();
  cpu?.boot({ pc: CODE, gpr: {} });
  vcpu.run(10_000);
  const window = requests[0]?.window;
  if (window?.kind !== 'mirror') throw new Error('no mirror was offered');
  const bytes = new Uint8Array(memory.buffer);
  const of = (table: number) => (page: number) => bytes[table + page / PAGE_BYTES];
  return { reads: of(window.reads), writes: of(window.writes), found: mmu.found };
}

const { there, next } = MirrorPage;

it('says of the page behind one that is accessed that it is there, though nothing has accessed it', async () => {
  const { reads, writes } = await afterStores([DATA], [DATA, DATA + PAGE_BYTES], [DATA + PAGE_BYTES]);
  expect([reads(DATA), writes(DATA)]).toEqual([there | next, there | next]);
  expect([reads(DATA + PAGE_BYTES), writes(DATA + PAGE_BYTES)]).toEqual([there, there]);
});

it('does not say so where that has not been written, is not present, or only precedes what is accessed', async () => {
  const unwritten = await afterStores([DATA], [DATA, DATA + PAGE_BYTES], []);
  expect([unwritten.reads(DATA), unwritten.writes(DATA)]).toEqual([there | next, there]);
  const absent = await afterStores([DATA], [DATA], [DATA + PAGE_BYTES]);
  expect([absent.reads(DATA), absent.writes(DATA)]).toEqual([there, there]);
  const before = await afterStores([DATA + PAGE_BYTES], [DATA, DATA + PAGE_BYTES], [DATA]);
  expect(before.reads(DATA)).toBe(0);
});

it('does not ask about it where it has been accessed', async () => {
  const pages = [DATA, DATA + PAGE_BYTES];
  const { writes, found } = await afterStores(pages.toReversed(), pages, pages);
  expect(pages.map(writes)).toEqual([there | next, there]);
  expect(found).toEqual([DATA + 2 * PAGE_BYTES]);
});
