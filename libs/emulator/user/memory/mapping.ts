import type { MappedPages } from './mapped-pages.js';

/** Protection of memory, in the values that all of Linux's ABIs share. */
export const Protection = { None: 0, Read: 1, Write: 2, Execute: 4 } as const;

/** A range of a process's addresses with one protection and one source of pages (a VMA). */
export interface Mapping {
  /** Page-aligned; `end` is exclusive. */
  readonly start: number;
  readonly end: number;
  /** {@link Protection} bits. */
  readonly protection: number;
  /** Writes are seen by all who map the same pages. */
  readonly shared: boolean;
  /** Extends downwards when the page below is touched. */
  readonly growsDown: boolean;
  /** Where pages come from; without it they are zero and the process's own. */
  readonly source: MappedPages | undefined;
  /** Page of {@link source} at `start`. */
  readonly sourcePage: number;
  /** The descriptor was open for writing: PROT_WRITE may be asked for later. */
  readonly mayWrite: boolean;
  /** Shown in /proc/self/maps for what is no file: `[heap]`, `[stack]`. */
  readonly name: string;
}

/** The part of a mapping between two addresses within it. */
export function slice(mapping: Mapping, start: number, end: number): Mapping {
  return { ...mapping, start, end, sourcePage: mapping.sourcePage + (start - mapping.start) / 4096 };
}

/** Can two neighbours be one mapping? */
export function mergeable(a: Mapping, b: Mapping): boolean {
  return (
    a.end === b.start &&
    a.protection === b.protection &&
    a.shared === b.shared &&
    a.growsDown === b.growsDown &&
    a.source === b.source &&
    a.mayWrite === b.mayWrite &&
    a.name === b.name &&
    (a.source === undefined || a.sourcePage + (a.end - a.start) / 4096 === b.sourcePage)
  );
}
