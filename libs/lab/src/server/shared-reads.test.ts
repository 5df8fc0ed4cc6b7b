import { describe, expect, it } from '@jest/globals';
import { SharedReads } from './shared-reads.js';

describe('reads that are shared', () => {
  const setUp = () => {
    const reads = new SharedReads<string>();
    const asked: string[] = [];
    const ends: ((answer: string | Error) => void)[] = [];
    const get = (key: string, version: number): Promise<string> =>
      reads.get(key, version, () => {
        asked.push(`${key}@${version}`);
        return new Promise((resolve, reject) =>
          ends.push((answer) => (answer instanceof Error ? reject(answer) : resolve(answer))),
        );
      });
    return { asked, ends, get };
  };

  it('are one read for all who ask at the same time', async () => {
    const { asked, ends, get } = setUp();
    const answers = [get('a', 0), get('a', 0), get('b', 0)];
    ends[0]?.('first');
    ends[1]?.('second');
    expect(await Promise.all(answers)).toEqual(['first', 'first', 'second']);
    expect(asked).toEqual(['a@0', 'b@0']);
  });

  it('are read anew once answered', async () => {
    const { asked, ends, get } = setUp();
    const before = get('a', 0);
    ends[0]?.('old');
    await before;
    const after = get('a', 0);
    ends[1]?.('new');
    expect(await after).toBe('new');
    expect(asked).toHaveLength(2);
  });

  it('are never older than what was announced before the question', async () => {
    const { asked, ends, get } = setUp();
    const early = get('a', 0);
    const late = [get('a', 1), get('a', 1)];
    ends[1]?.('new');
    expect(await Promise.all(late)).toEqual(['new', 'new']);
    ends[0]?.('old');
    expect(await early).toBe('old');
    expect(asked).toEqual(['a@0', 'a@1']);
  });

  it('fail for all who share them, and not for those who ask after that', async () => {
    const { ends, get } = setUp();
    const answers = [get('a', 0), get('a', 0)];
    ends[0]?.(new Error('away'));
    for (const answer of answers) await expect(answer).rejects.toThrow('away');
    const again = get('a', 0);
    ends[1]?.('back');
    expect(await again).toBe('back');
  });
});
