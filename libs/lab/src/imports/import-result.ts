import { stringify } from 'yaml';
import { parseImageReference } from '../image.js';
import { fieldPath, type FieldError } from '../problem.js';

/** A job made of somebody else's. */
export interface ImportedJob {
  /** A job file, not validated yet: `expandJob` takes it. */
  readonly job: Record<string, unknown>;
  /** What the job needs and this lab does not have: it must not run as if it did. */
  readonly unsupported: readonly FieldError[];
  /** What is done in another way, or not needed here. */
  readonly notes: readonly string[];
}

/** The job as a file of ours, with what is to be known about it in comments. */
export function importedJobText({ job, unsupported, notes }: ImportedJob): string {
  const comments = [
    ...unsupported.map(({ field, message, mend }) => `NOT SUPPORTED: ${field}: ${message}. ${mend}`),
    ...notes,
  ];
  return `${comments.map((text) => `# ${text.replaceAll('\n', ' ')}\n`).join('')}${stringify(job, { lineWidth: 0 })}`;
}

/** A job as YAML, keys in the order in which they stand. */
export function jobText(job: object): string {
  return stringify(job, { lineWidth: 0 });
}

/** Collects findings while a definition is read. */
export class ImportFindings {
  readonly unsupported: FieldError[] = [];
  readonly notes: string[] = [];

  refuse(field: string, message: string, mend: string): void {
    this.unsupported.push({ field, message, mend });
  }

  note(text: string): void {
    if (!this.notes.includes(text)) this.notes.push(text);
  }
}

/** A mapping of a definition that remembers which of its keys somebody has read. */
export class Section {
  private readonly read = new Set<string>();

  private constructor(
    private readonly values: Readonly<Record<string, unknown>>,
    readonly path: readonly PropertyKey[],
    private readonly findings: ImportFindings,
  ) {}

  /** @returns undefined, and an error, where the value is no mapping */
  static of(value: unknown, path: readonly PropertyKey[], findings: ImportFindings): Section | undefined {
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      return new Section(value as Record<string, unknown>, path, findings);
    }
    findings.refuse(fieldPath(path) || 'body', 'This is no mapping', 'Write keys and values.');
    return undefined;
  }

  field(key: string): string {
    return fieldPath([...this.path, key]);
  }

  has(key: string): boolean {
    return Object.hasOwn(this.values, key);
  }

  raw(key: string): unknown {
    this.read.add(key);
    return this.has(key) ? this.values[key] : undefined;
  }

  /** A text; numbers and booleans as they are written. */
  text(key: string): string | undefined {
    const value = this.raw(key);
    if (value === undefined || value === null) return undefined;
    if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return String(value);
    this.findings.refuse(this.field(key), 'This is no text', 'Write a text.');
    return undefined;
  }

  section(key: string): Section | undefined {
    const value = this.raw(key);
    return value === undefined ? undefined : Section.of(value, [...this.path, key], this.findings);
  }

  /** A list; one value alone is a list of one. */
  list(key: string): unknown[] {
    const value = this.raw(key);
    if (value === undefined || value === null) return [];
    return Array.isArray(value) ? (value as unknown[]) : [value];
  }

  texts(key: string): string[] {
    return this.list(key).flatMap((value) => (typeof value === 'string' ? [value] : []));
  }

  sections(key: string): Section[] {
    return this.list(key).flatMap((value, index) => Section.of(value, [...this.path, key, index], this.findings) ?? []);
  }

  keys(): string[] {
    return Object.keys(this.values);
  }

  /** Keys that mean nothing here and change nothing. */
  ignore(...keys: string[]): void {
    for (const key of keys) {
      if (this.has(key)) this.findings.note(`${this.field(key)} is not needed here.`);
      this.read.add(key);
    }
  }

  /** Refuses every key that nobody has read. */
  close(): void {
    for (const key of this.keys()) {
      if (this.read.has(key)) continue;
      this.findings.refuse(this.field(key), `"${key}" is not supported`, 'Remove it, or write a job file of our own.');
    }
  }
}

/** Splits a command line as a shell does: blanks, single and double quotes, backslash (POSIX.1-2017, 2.2 Quoting). */
export function splitWords(text: string): string[] {
  const words: string[] = [];
  let word: string | undefined;
  let quote: string | undefined;
  for (let index = 0; index < text.length; index++) {
    const character = text.charAt(index);
    if (quote !== undefined) {
      if (character === quote) quote = undefined;
      else if (quote === '"' && character === '\\' && /["\\$`]/.test(text.charAt(index + 1)))
        word += text.charAt(++index);
      else word += character;
    } else if (character === "'" || character === '"') {
      quote = character;
      word ??= '';
    } else if (/\s/.test(character)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else word = (word ?? '') + (character === '\\' ? text.charAt(++index) : character);
  }
  if (word !== undefined) words.push(word);
  return words;
}

/** The board of our catalogue for what QEMU calls an architecture. */
const BOARDS: Readonly<Record<string, string>> = { mips: 'malta', mipsel: 'malta', mips32: 'malta', mips32el: 'malta' };

export function boardOfArch(arch: string, field: string, findings: ImportFindings): string {
  const board = BOARDS[arch];
  if (board !== undefined) return board;
  const known = Object.keys(BOARDS).join(', ');
  findings.refuse(field, `There is no board for the architecture "${arch}"`, `Supported are: ${known}.`);
  return arch;
}

/** An image for our specs: LAVA's and tuxrun's URLs and paths, and what a lab has under our own names. */
export function fileReference(url: string, field: string, findings: ImportFindings): string {
  const source = parseImageReference(url);
  if (source && source.kind !== 'file') return url;
  if (url.startsWith('file://')) return decodeURI(url.slice('file://'.length));
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(url)) {
    findings.refuse(field, `${url} has to be downloaded first`, 'Fetch it, and name the file: file:///path or /path.');
  }
  return url.startsWith('/') || url.startsWith('./') || url.startsWith('../') ? url : `./${url}`;
}

/** Compressed files that a kernel unpacks itself are left alone; disks have to be unpacked before. */
export function refusePacked(
  name: string,
  compression: string | undefined,
  field: string,
  findings: ImportFindings,
): void {
  const packed = compression ?? /\.(gz|xz|bz2|zst|zip)$/.exec(name)?.[1];
  if (packed === undefined) return;
  findings.refuse(field, `The image is compressed (${packed})`, 'Unpack it, and name the unpacked file.');
}

const METACHARACTERS = /[\\^$.|?*+()[\]{}]/g;
export const literalPattern = (text: string): string => text.replace(METACHARACTERS, '\\$&');
export const quoteShell = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;
