import type { Machine, MachineStats } from '@bootlab/emulator';
import type { Verdict } from '@bootlab/lab';

/** What `--stats` writes. Only `ramSha256`, `instructions`, `virtualSeconds` and the counters repeat from run to run. */
export interface RunStats extends Verdict {
  board: string;
  instructions: number;
  /** Host time that the run took, without loading images and compiling the interpreter. */
  wallSeconds: number;
  virtualSeconds: number;
  /** Million guest instructions per host second. */
  mips: number;
  exits: Record<string, number>;
  tlbMisses: number;
  /** What the JIT did; null where everything was interpreted. Apart from the times it depends on the host, too. */
  jit: JitStats | null;
  peakRssBytes: number;
  /** Digest of the guest's RAM at the end; null where a person or this host chose the end, and it would say nothing. */
  ramSha256: string | null;
}

export interface JitStats extends Omit<Translation, 'instructions'> {
  /** Share of all instructions that translations executed, 0 to 1; the interpreter did the others. */
  share: number;
}

type Translation = NonNullable<MachineStats['translation']>;

/** @param stats of a machine, or of a program */
export function jitStatsOf(stats: Pick<MachineStats, 'instructions' | 'translation'>): JitStats | null {
  const { instructions: all, translation } = stats;
  if (!translation) return null;
  const { instructions, ...rest } = translation;
  return { share: all > 0 ? instructions / all : 0, ...rest };
}

export async function collectStats(machine: Machine, verdict: Verdict, wallMs: number): Promise<RunStats> {
  const { instructions, virtualNs, exits, tlbMisses } = machine.stats();
  const repeatable = verdict.outcome !== 'cancelled' && verdict.outcome !== 'infra';
  return {
    ...verdict,
    board: machine.board.id,
    instructions,
    wallSeconds: wallMs / 1000,
    virtualSeconds: virtualNs / 1e9,
    mips: wallMs > 0 ? instructions / (wallMs * 1000) : 0,
    exits,
    tlbMisses,
    jit: jitStatsOf(machine.stats()),
    peakRssBytes: process.resourceUsage().maxRSS * 1024,
    ramSha256: repeatable ? await machine.ramSha256() : null,
  };
}

/** One line for the person at the end of a run. */
export function summaryOf(machine: Machine, { outcome, reason }: Verdict, wallMs: number): string {
  const { instructions, virtualNs } = machine.stats();
  const seconds = (ms: number): string => `${(ms / 1000).toFixed(2)} s`;
  const millions = Math.round(instructions / 1e6).toLocaleString('en-US');
  const numbers = `${seconds(virtualNs / 1e6)} virtual, ${seconds(wallMs)} wall, ${millions} M instructions`;
  return `bootlab: ${outcome}: ${reason} (${numbers})`;
}
