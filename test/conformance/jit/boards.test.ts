import { describe, expect, it, jest } from '@jest/globals';
import type { MachineConfig } from '@bootlab/emulator';
import { selfTestFirmware } from '@bootlab/emulator';
import { IN_THREAD, INTERPRETER, JIT_ONLY, TIERED } from '../../support/engines.js';
import { describeWith } from '../../support/requirements.js';
import type { RunShape } from './engines.js';
import { expectSameOutcome, linux } from './engines.js';

jest.setTimeout(300_000);

const ORDERS = ['little', 'big'] as const;
const CPUS = ['4Kc', '24Kc', '24Kf', '34Kf'] as const;

describe.each(CPUS)('the self-test firmware on a %s', (cpu) => {
  it.each(ORDERS)('runs the same on every engine, however it is cut into slices; %s-endian', async (byteOrder) => {
    const firmware = selfTestFirmware('malta', byteOrder);
    const config: MachineConfig = { board: 'malta', cpu, memoryBytes: 32 << 20, firmware };
    const shape = (engine: RunShape['engine'], slice: number): RunShape => ({ engine, slice, instructions: 1e9 });
    const runs = await expectSameOutcome(config, [
      shape(INTERPRETER, Infinity),
      shape(JIT_ONLY, Infinity),
      shape(JIT_ONLY, 2003),
      shape(TIERED, 4099),
      shape(IN_THREAD, 20_011),
      shape({ jitThreshold: 3e9 }, Infinity), // more than a word of the jump cache counts
    ]);
    expect(runs[0]?.outcome.text).toContain('SELFTEST: PASS');
    expect(runs[0]?.outcome.end).toBe('power-off');
    expect(runs[1]?.translated).toBeGreaterThan(0.5);
    expect(runs[5]?.translated).toBe(0);
  });
});

describeWith(['malta-el', 'malta-be'], 'Linux', () => {
  // Debian's kernel unpacks itself first, and takes two thousand million instructions for it. boards.slow.test.ts boots.
  it.each([
    ['malta-el', 60e6, undefined],
    ['malta-be', 25e6, 'Linux version'],
  ] as const)('%s begins to boot in the same way on every engine', async (name, instructions, text) => {
    const runs = await expectSameOutcome(linux(name), [
      { engine: INTERPRETER, instructions, slice: 4e6 },
      { engine: JIT_ONLY, instructions, slice: 1e6 + 3 },
      { engine: TIERED, instructions, slice: 33_331 },
      { engine: IN_THREAD, instructions, slice: 100_003 },
    ]);
    if (text) expect(runs[0]?.outcome.text).toContain(text);
    expect(runs[1]?.translated).toBeGreaterThan(0.9);
  });
});
