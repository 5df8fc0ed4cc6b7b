import { describe, expect, it } from '@jest/globals';
import { MipsControlFlow } from '../../testkit/mips-control-flow.js';

// Random control flow on every engine. `CONTROL_FLOW_SEED` and `CONTROL_FLOW_PROGRAMS` choose what to run by hand.

const FIRST = Number(process.env['CONTROL_FLOW_SEED'] ?? 1);
const PROGRAMS = Number(process.env['CONTROL_FLOW_PROGRAMS'] ?? (process.env['BOOTLAB_TEST_ALL'] ? 3000 : 400));

describe.each(['little', 'big'] as const)('random control flow, %s-endian', (byteOrder) => {
  it('leaves the same state on interpreter, JIT from the first visit, tiers, and reference', async () => {
    const engines = ['reference', 1, 20] as const;
    const runs = new MipsControlFlow({ byteOrder, engines, instructions: 20_000, referenceInstructions: 400 });
    for (let i = 0; i < PROGRAMS; i++) await runs.run(FIRST + i);
    const { translations = 0, all = 1 } = runs.translated.get(1) ?? {};
    if (process.env['CONTROL_FLOW_SEED']) console.log(runs.followed, translations / all);
    expect(runs.followed).toBeGreaterThan(PROGRAMS * 0.8);
    expect(translations / all).toBeGreaterThan(0.3);
  }, 900_000);
});
