import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { KeptFilesOptions } from './kept-files.js';
import { KeptFiles } from './kept-files.js';

let base: string;
let folder: string;
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'bootlab-files-'));
  folder = join(base, 'made', 'when', 'needed');
});
afterEach(() => rmSync(base, { recursive: true }));

const open = (options: Partial<KeptFilesOptions> = {}): KeptFiles => new KeptFiles('things', { folder, ...options });
const keep = (key: string, text = key, options: Partial<KeptFilesOptions> = {}): void =>
  open(options).write([key, 1], Buffer.from(text));
const textOf = (key: string): string | undefined => open().read([key, 1], (content) => Buffer.from(content).toString());
const isOwn = (key: string): boolean | undefined => open().read([key, 1], (_, own) => own);
const filesIn = (): string[] => readdirSync(folder).map((name) => join(folder, name));
const onlyFile = (): string => {
  expect(filesIn()).toHaveLength(1);
  return filesIn()[0] as string; // there is one
};

describe('kept files', () => {
  it('give back what was written last under a key', () => {
    keep('key', 'first');
    keep('key', 'second');
    expect(textOf('key')).toBe('second');
    expect(textOf('another key')).toBeUndefined();
    expect(open().read(['key', 2], () => 'found')).toBeUndefined();
    expect(new KeptFiles('others', { folder }).read(['key', 1], () => 'found')).toBeUndefined();
    expect([open().has(['key', 1]), open().has(['key', 2])]).toEqual([true, false]);
  });

  it('are private, unless others may read them', () => {
    keep('key');
    expect(statSync(onlyFile()).mode & 0o777).toBe(0o600);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    folder = join(base, 'public');
    keep('key', 'text', { public: true });
    expect(statSync(onlyFile()).mode & 0o777 & ~0o022).toBe(0o644);
    expect(statSync(folder).mode & 0o777 & ~0o022).toBe(0o755);
  });

  it.each<[string, (file: string) => void]>([
    ['cut off', (file) => truncateSync(file, statSync(file).size - 10)],
    ['empty', (file) => truncateSync(file, 0)],
    ['cut off within the digest', (file) => truncateSync(file, 7)],
    [
      'changed by one bit anywhere',
      (file) => {
        const bytes = readFileSync(file);
        const at = bytes.length - 100;
        bytes[at] = (bytes[at] as number) ^ 4;
        writeFileSync(file, bytes);
      },
    ],
    ['something else', (file) => writeFileSync(file, 'hello, world'.repeat(100))],
  ])('that are %s are removed', (_, damage) => {
    keep('key', 'x'.repeat(1000));
    damage(onlyFile());
    expect(textOf('key')).toBeUndefined();
    expect(filesIn()).toEqual([]);
    keep('key');
    expect(textOf('key')).toBe('key');
  });

  it('that lie under the name of another are removed', () => {
    keep('one');
    const one = onlyFile();
    keep('two');
    const two = filesIn().find((file) => file !== one) as string; // two keys, two files
    renameSync(one, two);
    expect(textOf('two')).toBeUndefined();
    expect(filesIn()).toEqual([]);
  });

  it('that make no sense to their reader are removed', () => {
    keep('key');
    const fail = (): never => {
      throw new Error('what is this?');
    };
    expect(open().read(['key', 1], fail)).toBeUndefined();
    expect(filesIn()).toEqual([]);
  });

  it('are known as this user’s own where nobody else could have written them', () => {
    keep('key');
    expect([open().isOwn(), isOwn('key')]).toEqual([true, true]);
    chmodSync(onlyFile(), 0o620);
    expect([open().isOwn(), isOwn('key')]).toEqual([true, false]);
    chmodSync(onlyFile(), 0o644);
    expect(isOwn('key')).toBe(true);
    chmodSync(folder, 0o702);
    expect([open().isOwn(), isOwn('key')]).toEqual([false, false]);
  });

  it('have a folder that is made when somebody asks whose it is', () => {
    expect(open().isOwn()).toBe(true);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('make room: those go first that were not used for longest', () => {
    const limit = { maxBytes: 100_000 };
    for (const [index, key] of ['a', 'b', 'c'].entries()) {
      keep(key, key.repeat(30_000), limit);
      for (const file of filesIn()) utimesSync(file, Date.now() / 1000 - 60, Date.now() / 1000 - 60 + index);
    }
    expect(textOf('a')).toHaveLength(30_000); // used now
    new KeptFiles('others', { folder, ...limit }).write(['d'], new Uint8Array(30_000)); // all kinds count
    expect(filesIn()).toHaveLength(3);
    expect(textOf('a')).toHaveLength(30_000);
  });

  it('that are not ours stay', () => {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'notes.things'), 'x'.repeat(1000));
    keep('key', 'text', { maxBytes: 100 });
    expect(filesIn()).toContain(join(folder, 'notes.things'));
    expect(textOf('key')).toBe('text');
  });

  it('that a process left unfinished are removed in time', () => {
    keep('key');
    const left = `${onlyFile()}.left.new`;
    writeFileSync(left, 'half');
    keep('other');
    expect(filesIn()).toContain(left); // somebody may be writing it
    utimesSync(left, 1, 1);
    keep('third');
    expect(filesIn()).not.toContain(left);
    expect(filesIn()).toHaveLength(3);
  });

  it('that cannot be written or read are no error', () => {
    writeFileSync(join(base, 'file'), '');
    folder = join(base, 'file', 'below');
    keep('key');
    expect(textOf('key')).toBeUndefined();
    expect(open().has(['key', 1])).toBe(false);
    expect(open().isOwn()).toBe(false);
  });
});
