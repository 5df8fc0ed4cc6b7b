import { describe, expect, it } from '@jest/globals';
import { MIPS_MODELS, mipsInstructions } from '../../targets/index.js';
import { matchInstruction, RandomInstructions } from '../../testkit/random-instructions.js';
import { SeededRandom } from '../../testkit/random.js';
import { parsePattern } from '../ir/index.js';
import { buildDecodeTree, decode, joinSwitches } from './decode-tree.js';

const entry = (name: string, pattern: string) => ({ name, encoding: parsePattern(pattern, 16) });

describe('a decode tree', () => {
  it.each(MIPS_MODELS)('of $id finds what a search through the patterns finds', (model) => {
    const { instructions } = mipsInstructions(model, 'little');
    const tree = buildDecodeTree(instructions);
    const random = new SeededRandom(11);
    const likely = new RandomInstructions(instructions, random, { openBits: 'random' });
    for (let i = 0; i < 5000; i++) {
      const word = random.chance(0.5)
        ? random.word()
        : random.chance(0.5)
          ? likely.any()
          : likely.any() ^ (1 << random.below(32)); // next to an instruction
      expect([word, decode(tree, word)?.name]).toEqual([word, matchInstruction(instructions, word)?.name]);
    }
  });

  it('prefers the pattern with more fixed bits', () => {
    const tree = buildDecodeTree([entry('move', '0001 rd:4 rs:8'), entry('clear', '0001 rd:4 00000000')]);
    expect(decode(tree, 0x1200)?.name).toBe('clear');
    expect(decode(tree, 0x1201)?.name).toBe('move');
  });

  it('knows words that no pattern has', () => {
    const tree = buildDecodeTree([entry('move', '0001 rd:4 rs:8'), entry('add', '0010 rd:4 rs:8')]);
    expect(decode(tree, 0x3000)).toBeUndefined();
    expect(decode(buildDecodeTree([]), 0)).toBeUndefined();
  });

  it('tells two fields apart that lie in different places', () => {
    const tree = buildDecodeTree([
      entry('a', '0001 -------- 0001'),
      entry('b', '0001 0001 -------0'),
      entry('c', '0001 0001 -------1'),
    ]);
    expect(decode(tree, 0x1100)?.name).toBe('b');
    expect(decode(tree, 0x1003)?.name).toBeUndefined();
    expect(decode(tree, 0x1201)?.name).toBe('a');
  });

  it('refuses the same encoding twice', () => {
    expect(() => buildDecodeTree([entry('a', '0001 x:12'), entry('b', '0001 y:12')])).toThrow(/'a' and 'b'/);
  });
});

describe('joined switches', () => {
  it.each(MIPS_MODELS)('of $id lead to what the tree decodes', (model) => {
    const { instructions } = mipsInstructions(model, 'big');
    const tree = buildDecodeTree(instructions);
    const joined = joinSwitches(tree);
    if (!joined) throw new Error('MIPS has an opcode and a function field');
    const { rotation, table, nodes } = joined;
    expect([rotation, table.length]).toEqual([6, 4096]);
    const random = new SeededRandom(12);
    const likely = new RandomInstructions(instructions, random, { openBits: 'random' });
    for (let i = 0; i < 5000; i++) {
      const word = (random.chance(0.5) ? random.word() : likely.any()) >>> 0;
      const node = nodes[table[(word >>> 26) | ((word & 63) << 6)] as number];
      expect([word, node && decode(node, word)?.name]).toEqual([word, decode(tree, word)?.name]);
    }
  });

  it('are given up where the tree has no two of them', () => {
    expect(joinSwitches(buildDecodeTree([]))).toBeUndefined();
    expect(
      joinSwitches(buildDecodeTree([entry('move', '0001 rd:4 rs:8'), entry('add', '0010 rd:4 rs:8')])),
    ).toBeUndefined();
  });
});
