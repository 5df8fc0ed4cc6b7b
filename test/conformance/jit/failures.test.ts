import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import type { EngineOptions, MachineConfig } from '@bootlab/emulator';
import { selfTestFirmware } from '@bootlab/emulator';
import type { TranslationRequest, TranslationServiceFactory } from '@bootlab/emulator/accel';
import { translateInline } from '@bootlab/emulator/accel';
import { translateInThread } from '@bootlab/emulator/threads';
import { INTERPRETER, TIERED } from '../../support/engines.js';
import { expectSameOutcome, runBoard, serviceFor } from './engines.js';

const SELF_TEST: MachineConfig = {
  board: 'malta',
  memoryBytes: 32 << 20,
  firmware: selfTestFirmware('malta', 'little'),
};

/** Nothing can be read there, which the translator does not expect: a fault as good as any. */
const NOWHERE = 0xffff0000;

/** Every third request. */
const failing = (request: TranslationRequest, index: number): TranslationRequest =>
  index % 3 === 0 ? { ...request, linear: NOWHERE } : request;

const failingInline: TranslationServiceFactory = (setup, description) => {
  const service = translateInline(setup, description);
  let requests = 0;
  return { ...service, request: (request) => service.request(failing(request, requests++)) };
};

describe('code that the translator has a fault with', () => {
  const run = (engine: EngineOptions) => ({ engine, slice: 20_011, instructions: 1e9 });

  it('is interpreted, and somebody is told once', async () => {
    const lines: string[] = [];
    const engine = { ...TIERED, translationService: failingInline, warn: (line: string) => lines.push(line) };
    const [, tiered] = await expectSameOutcome(SELF_TEST, [run(INTERPRETER), run(engine)]);
    expect(tiered?.outcome.text).toContain('SELFTEST: PASS');
    expect(tiered?.translated).toBeGreaterThan(0.1);
    expect(tiered?.translation?.failures).toBeGreaterThan(1);
    expect(lines).toEqual([
      expect.stringMatching(/^the code at 0x[0-9a-f]{8} cannot be translated and is interpreted, .* report it: ./),
    ]);
  });

  it('ends the run where nobody wants to be told', async () => {
    const engine = { ...TIERED, translationService: failingInline };
    await expect(runBoard(SELF_TEST, run(engine))).rejects.toThrow('cannot be translated');
  });

  it('does not keep a thread from translating what else it is asked for', async () => {
    const { machine, service, requests } = await serviceFor(SELF_TEST, translateInThread);
    for (const request of requests.map(failing)) service.request(request);
    const failed: unknown[] = [];
    let regions = 0;
    const some = requests.length / 3;
    while (failed.length < some || regions < some / 2) {
      const result = service.poll();
      if (!result) await sleep(20);
      else if (result.kind === 'failed') failed.push(result.failure.request?.linear);
      else if (result.kind === 'answer') regions += result.batch.made?.regions.length ?? 0;
    }
    expect(new Set(failed)).toEqual(new Set([NOWHERE]));
    service.close();
    machine.close();
  });
});
