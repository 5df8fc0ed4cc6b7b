import type { Fragment, TargetDescription } from '../ir/index.js';
import type { PairedFragment } from './access-steps.js';
import type { CheckPlan } from './checks.js';
import { planChecks } from './checks.js';
import type { InstructionReader } from './classify.js';
import type { RegisterUse } from './dataflow.js';
import { liveRegisters } from './dataflow.js';
import type { DirectWindow } from './direct-window.js';
import { RegionGraph } from './region-graph.js';
import type { Block, Region } from './region.js';
import type { RegisterLoads } from './register-loads.js';
import type { KeepingLoop } from './keeping-loops.js';
import { planKeeping } from './keeping-loops.js';
import { planLoads } from './register-loads.js';
import type { RegisterFile } from './register-use.js';
import { registerFile, registerUse } from './register-use.js';
import type { Reuse } from './reuse.js';
import { planReuse } from './reuse.js';
import { strayingIn } from './straying.js';
import { findPairs } from './unaligned.js';

/** What is decided about a region before its function is written. */
export interface RegionPlan {
  /** The window that the host offers, if the region's code may use it. */
  readonly window: DirectWindow | undefined;
  readonly graph: RegionGraph;
  /** The region's blocks, in their order. */
  readonly blocks: readonly PlannedBlock[];
  readonly registers: RegisterFile;
  /** Registers that some block reads or writes. */
  readonly usedRegisters: bigint;
  /** By node: registers that it writes whatever happens in it. */
  readonly kills: readonly bigint[];
  readonly loads: RegisterLoads;
  /** By node: the loop that it keeps registers in. */
  readonly keeping: readonly (KeepingLoop | undefined)[];
  /** See `ReusePlan`; nothing is kept where there is a window. */
  readonly kept: ReadonlySet<number>;
  /** Where there is a window. */
  readonly checks: CheckPlan | undefined;
  /** Some accesses look into the soft TLB. */
  readonly asksTlb: boolean;
}

export interface PlannedBlock extends PairedFragment {
  /** One for each access where there is no window, else nothing. */
  readonly reuse: readonly Reuse[];
}

const NO_PAIRS: PlannedBlock['pairs'] = new Map();
const NO_USE: RegisterUse = { reads: 0n, kills: 0n, writes: 0n };

/** What is offered to a region. */
interface Offer {
  readonly window: DirectWindow | undefined;
  readonly strays: ReadonlySet<number>;
}

/** @returns the plan; its fragments are the reader's, to be given back */
export function planRegion(
  target: TargetDescription,
  reader: InstructionReader,
  region: Region,
  offered: Offer,
): RegionPlan {
  const [start] = region.entries;
  const window = offered.window && isMeantFor(offered.window, start) ? offered.window : undefined;
  const strays = new Set(region.blocks.flatMap((block) => strayingIn(block, offered.strays, reader)));
  const isMirrored = window?.kind === 'mirror';
  const blocks = region.blocks.map((block): PairedFragment => {
    const pairs = window ? findPairs(block, reader, target, strays) : NO_PAIRS;
    return { pairs, fragment: fragmentOf(block, pairs, reader) };
  });
  const reuse = window ? undefined : planReuse(blocks.map(({ fragment }) => fragment));
  const graph = new RegionGraph(region, isMirrored);
  const { origins, successors, order } = graph;
  const ofNodes = origins.map((_, node) => blocks[graph.blockIndex(node)]);
  const registers = registerFile(target.registers);
  const usesOf = new Map(blocks.map((block) => [block, registerUse(block.fragment, registers)])); // nodes may be copies
  const uses = ofNodes.map((block) => (block && usesOf.get(block)) ?? NO_USE);
  const live = liveRegisters(successors, order, uses);
  const loads = planLoads(graph, uses, live);
  const isKnown = (node: number, register: number): boolean =>
    ((registers.get(register)?.bit ?? 0n) & (loads.known[node] as bigint)) !== 0n;
  const checks = window && planChecks(graph, ofNodes, isKnown, strays);
  return {
    window,
    graph,
    blocks: blocks.map((block, i) => ({ ...block, reuse: reuse?.blocks[i] ?? [] })),
    registers,
    usedRegisters: uses.reduce((used, { reads, writes }) => used | reads | writes, 0n),
    kills: uses.map(({ kills }) => kills),
    loads,
    keeping: window ? planKeeping(graph, uses, live, loads) : uses.map(() => undefined),
    kept: reuse?.kept ?? new Set(),
    checks,
    asksTlb: !checks || checks.ofAccesses.some((ofNode) => ofNode.some(({ kind }) => kind === 'anywhere')),
  };
}

/** Is code at an address likely to access what a window holds? */
const isMeantFor = (window: DirectWindow, address: number): boolean =>
  window.kind === 'mirror' || (address - window.virtualBase) >>> 0 < window.sizeBytes;

function fragmentOf({ instructions }: Block, pairs: PlannedBlock['pairs'], reader: InstructionReader): Fragment {
  const fragment = reader.acquire();
  instructions.forEach(({ address, word }, i) => {
    const part = pairs.get(i);
    if (part?.kind === 'whole') reader.appendWhole(fragment, part.access, address);
    else if (part) reader.appendDone(fragment, address);
    else reader.append(fragment, word, address);
  });
  return fragment;
}
