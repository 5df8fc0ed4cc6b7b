import { UsageError } from '../exit-codes.js';

const SHORTEST_ID = 4;

/**
 * The one that somebody means, by its id, the beginning of its id, or what people call it.
 * @param what what all of them are, as in "there is no webhook …"
 * @throws UsageError when it is none of them, or several
 */
export function chosen<T>(
  items: readonly T[],
  reference: string,
  what: string,
  { id, names }: { id(item: T): string; names(item: T): readonly string[] },
): T {
  const exact = items.filter((item) => id(item) === reference || names(item).includes(reference));
  const isBeginning = reference.length >= SHORTEST_ID;
  const found = exact.length > 0 || !isBeginning ? exact : items.filter((item) => id(item).startsWith(reference));
  const [only, ...others] = found;
  if (!only) {
    const known = items.map((item) => names(item)[0] ?? id(item)).join(', ') || 'none';
    throw new UsageError(`there is no ${what} "${reference}". There are: ${known}.`);
  }
  if (others.length > 0) {
    const ids = found.map(id).join(', ');
    throw new UsageError(`"${reference}" is more than one ${what}. Name it by its id: ${ids}.`);
  }
  return only;
}
