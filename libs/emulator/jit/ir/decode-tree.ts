import { getOrInsertComputed } from '../../core/index.js';
import type { Encoding } from './encoding.js';

/** A decoder as a tree: switches over bit fields, tests of single patterns, instructions at the leaves. */
export type DecodeNode<T> =
  | { readonly kind: 'leaf'; readonly instruction: T }
  | { readonly kind: 'undefined' }
  /** `cases[v]` for field value v; absent values are undefined instructions. */
  | {
      readonly kind: 'switch';
      readonly low: number;
      readonly bits: number;
      readonly cases: ReadonlyMap<number, DecodeNode<T>>;
    }
  | {
      readonly kind: 'test';
      readonly mask: number;
      readonly match: number;
      readonly then: DecodeNode<T>;
      readonly otherwise: DecodeNode<T>;
    };

/** Widest field that one switch looks at: a table of 256 targets. */
const MAX_SWITCH_BITS = 8;

/**
 * Builds the decoder of a set of encodings. Where patterns overlap, the one with more fixed bits wins; two different
 * patterns with the same fixed bits are an error.
 */
export function buildDecodeTree<T extends { readonly name: string; readonly encoding: Encoding }>(
  instructions: readonly T[],
): DecodeNode<T> {
  const specificFirst = [...instructions].sort((a, b) => bitCount(b.encoding.mask) - bitCount(a.encoding.mask));
  for (const [i, a] of specificFirst.entries()) {
    const twin = specificFirst
      .slice(i + 1)
      .find((b) => b.encoding.mask === a.encoding.mask && b.encoding.match === a.encoding.match);
    if (twin) throw new Error(`'${a.name}' and '${twin.name}' have the same encoding`);
  }
  return build(specificFirst, 0);
}

function build<T extends { readonly encoding: Encoding }>(candidates: readonly T[], decided: number): DecodeNode<T> {
  const first = candidates[0];
  if (!first) return { kind: 'undefined' };
  const open = (first.encoding.mask & ~decided) >>> 0;
  if (open === 0) return { kind: 'leaf', instruction: first };

  const common = candidates.reduce((bits, c) => bits & c.encoding.mask, ~decided) >>> 0;
  const field = highestRun(common);
  if (candidates.length > 1 && field) {
    const groups = new Map<number, T[]>();
    for (const candidate of candidates) {
      const value = (candidate.encoding.match >>> field.low) & (2 ** field.bits - 1);
      getOrInsertComputed(groups, value, () => []).push(candidate);
    }
    const nowDecided = (decided | ((2 ** field.bits - 1) << field.low)) >>> 0;
    const cases = new Map([...groups].map(([value, group]) => [value, build(group, nowDecided)]));
    return { kind: 'switch', ...field, cases };
  }
  return {
    kind: 'test',
    mask: open,
    match: (first.encoding.match & open) >>> 0,
    then: { kind: 'leaf', instruction: first },
    otherwise: build(candidates.slice(1), decided),
  };
}

/** The topmost run of ones, cut to {@link MAX_SWITCH_BITS}. */
function highestRun(mask: number): { low: number; bits: number } | undefined {
  if (mask === 0) return undefined;
  const top = 31 - Math.clz32(mask);
  let low = top;
  while (low > 0 && (mask >>> (low - 1)) & 1 && top - low + 1 < MAX_SWITCH_BITS) low--;
  return { low, bits: top - low + 1 };
}

/** Most index bits of a {@link JoinedSwitch}: a table of 4 KiB. */
const MAX_JOINED_BITS = 12;

interface BitField {
  readonly low: number;
  readonly bits: number;
}

/** A switch over a word's top bits and those under it over its lowest ones, as one look-up. */
export interface JoinedSwitch<T> {
  /** The word rotated left by this has both fields at its low end. */
  readonly rotation: number;
  /** At (word rotated) mod the table's size, a power of two: which of {@link nodes} decodes the rest. */
  readonly table: Uint8Array<ArrayBuffer>;
  readonly nodes: readonly DecodeNode<T>[];
}

/**
 * Joins the root's switch with the switches under it that share a field, so that a decoder looks up most instructions in
 * one step. @returns undefined where the tree has no such shape
 */
export function joinSwitches<T>(root: DecodeNode<T>): JoinedSwitch<T> | undefined {
  if (root.kind !== 'switch') return undefined;
  const inner = commonField([...root.cases.values()]);
  if (inner?.low !== 0 || root.low + root.bits !== 32 || root.bits + inner.bits > MAX_JOINED_BITS) return undefined;
  const table = new Uint8Array(2 ** (root.bits + inner.bits));
  const indices = new Map<DecodeNode<T>, number>();
  const indexOf = (node: DecodeNode<T>): number => {
    const index = indices.get(node) ?? indices.size;
    indices.set(node, index);
    return index;
  };
  const undefinedNode: DecodeNode<T> = { kind: 'undefined' };
  for (let at = 0; at < table.length; at++) {
    const outer = root.cases.get(at & (2 ** root.bits - 1)) ?? undefinedNode;
    const joined = outer.kind === 'switch' && sameField(outer, inner);
    table[at] = indexOf(joined ? (outer.cases.get(at >>> root.bits) ?? undefinedNode) : outer);
  }
  if (indices.size > 256) return undefined;
  return { rotation: root.bits, table, nodes: [...indices.keys()] };
}

/** The instructions that a node may lead to. */
export function instructionsOf<T>(node: DecodeNode<T>): T[] {
  switch (node.kind) {
    case 'leaf':
      return [node.instruction];
    case 'undefined':
      return [];
    case 'test':
      return [...instructionsOf(node.then), ...instructionsOf(node.otherwise)];
    case 'switch':
      return [...node.cases.values()].flatMap(instructionsOf);
  }
}

/** The field that most of the switches among these nodes look at. */
function commonField<T>(nodes: readonly DecodeNode<T>[]): BitField | undefined {
  const fields = nodes.filter((node) => node.kind === 'switch').map(({ low, bits }) => ({ low, bits }));
  const count = (field: BitField): number => fields.filter((other) => sameField(field, other)).length;
  return fields.sort((a, b) => count(b) - count(a))[0];
}

const sameField = (a: BitField, b: BitField): boolean => a.low === b.low && a.bits === b.bits;

function bitCount(mask: number): number {
  let count = 0;
  for (let rest = mask >>> 0; rest !== 0; rest = (rest & (rest - 1)) >>> 0) count++;
  return count;
}

/** Looks an instruction word up, as the generated decoder does. Undefined where no pattern matches. */
export function decode<T>(node: DecodeNode<T>, word: number): T | undefined {
  switch (node.kind) {
    case 'leaf':
      return node.instruction;
    case 'undefined':
      return undefined;
    case 'test':
      return decode((word & node.mask) >>> 0 === node.match ? node.then : node.otherwise, word);
    case 'switch': {
      const next = node.cases.get((word >>> node.low) & (2 ** node.bits - 1));
      return next && decode(next, word);
    }
  }
}
