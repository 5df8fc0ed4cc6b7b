import { z } from 'zod';
import { resultSchema, type Result } from '../job.js';

const pairSchema = z.object({
  suite: z.string(),
  name: z.string(),
  base: resultSchema.nullable(),
  head: resultSchema.nullable(),
});
export type ResultPair = z.infer<typeof pairSchema>;

/** What became of the cases of one job in another. */
export const differencesSchema = z.object({
  regressions: z.array(pairSchema).describe('Failed or broke in head, and did neither in base'),
  fixes: z.array(pairSchema).describe('Failed or broke in base, passed in head'),
  stillFailing: z.array(pairSchema).describe('Failed or broke in both'),
  added: z.array(pairSchema).describe('Only in head'),
  missing: z.array(pairSchema).describe('Only in base'),
  changed: z.array(pairSchema).describe('Skipped in one of them, and failed in neither or only before'),
  unchanged: z.number().int().describe('Cases with the same good outcome in both'),
});
export type Differences = z.infer<typeof differencesSchema>;

const isBad = ({ outcome }: Result): boolean => outcome === 'fail' || outcome === 'error';

/**
 * Sets the results of two jobs side by side, by suite and name. Cases that are called the same are told apart by
 * their order.
 */
export function compareResults(base: readonly Result[], head: readonly Result[]): Differences {
  const bases = keyed(base);
  const heads = keyed(head);
  const differences: Differences = {
    regressions: [],
    fixes: [],
    stillFailing: [],
    added: [],
    missing: [],
    changed: [],
    unchanged: 0,
  };
  for (const [key, after] of heads) {
    const before = bases.get(key);
    const pair = { suite: after.suite, name: after.name, base: before ?? null, head: after };
    if (!before) differences.added.push(pair);
    else if (isBad(before) && isBad(after)) differences.stillFailing.push(pair);
    else if (isBad(after)) differences.regressions.push(pair);
    else if (isBad(before) && after.outcome === 'pass') differences.fixes.push(pair);
    else if (before.outcome !== after.outcome) differences.changed.push(pair);
    else differences.unchanged += 1;
  }
  for (const [key, before] of bases) {
    if (heads.has(key)) continue;
    differences.missing.push({ suite: before.suite, name: before.name, base: before, head: null });
  }
  return differences;
}

function keyed(results: readonly Result[]): Map<string, Result> {
  const seen = new Map<string, number>();
  return new Map(
    results.map((result) => {
      const name = JSON.stringify([result.suite, result.name]);
      const count = (seen.get(name) ?? 0) + 1;
      seen.set(name, count);
      return [`${name}${count}`, result];
    }),
  );
}
