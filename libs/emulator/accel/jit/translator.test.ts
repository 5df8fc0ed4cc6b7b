import { expect, it } from '@jest/globals';
import { wordOf } from '../../jit/ir/index.js';
import * as S from '../../targets/mips/state.js';
import { asm, NOP, wordsToBytes } from '../../testkit/mips-assembler.js';
import { advance, createMipsSide } from '../../testkit/mips-bench.js';
import type { CompiledBatch, TranslationRequest } from './region-compiler.js';
import type { TranslationServiceFactory } from './service.js';

const KSEG0 = 0x80000000;
const CODE = 0x1000;

const answer = (parts: Partial<CompiledBatch>): CompiledBatch => ({
  ...{ made: undefined, refused: [], covered: [], postponed: [], wasmBytes: 0, translateMs: 0, compileMs: 0 },
  ...parts,
});

/** A CPU that jumps to the same place again and again, and what it asks for until it is refused. */
async function requestsOf(reply: (request: TranslationRequest) => CompiledBatch, image?: () => string) {
  const requests: TranslationRequest[] = [];
  const started: (string | undefined)[] = [];
  const service: TranslationServiceFactory = ({ image: named }) => {
    started.push(named);
    const batches: CompiledBatch[] = [];
    return {
      request(request) {
        requests.push(request);
        batches.push(reply(request));
      },
      poll() {
        const batch = batches.shift();
        return batch && { kind: 'answer', batch };
      },
      close: () => undefined,
    };
  };
  const side = await createMipsSide({ threshold: 3, service, image }, 'little');
  side.core.reset();
  side.bus.writeBytes(CODE, wordsToBytes([asm('j', { index: CODE >>> 2 }), NOP], 'little'));
  side.words[wordOf(S.engine.pc)] = KSEG0 | CODE;
  side.words[wordOf(S.engine.runStart)] = KSEG0 | CODE;
  return { requests, started, run: (instructions: number) => advance(side, instructions, () => 100_000) };
}

it('remembers all that became of a request, so that no two reasons to put it off take turns for ever', async () => {
  const { requests, run } = await requestsOf((request) => {
    if (!request.before.includes('covered')) return answer({ covered: [request] });
    if (!request.before.includes('postponed')) return answer({ postponed: [request] });
    return answer({ refused: [request] });
  });
  run(100_000);
  expect(requests.map(({ address, before }) => [address, before])).toEqual([
    [KSEG0 + CODE, []],
    [KSEG0 + CODE, ['covered']],
    [KSEG0 + CODE, ['covered', 'postponed']],
  ]);
});

it('asks what it runs, and for a service, only when something is hot', async () => {
  const { started, run } = await requestsOf(
    (request) => answer({ refused: [request] }),
    () => 'a digest',
  );
  run(4);
  expect(started).toEqual([]);
  run(100_000);
  expect(started).toEqual(['a digest']);
});
