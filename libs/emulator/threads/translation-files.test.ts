import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { RegionModuleBytes } from '../accel/jit/index.js';
import { generatorVersion } from './generator-version.js';
import { TranslationFiles } from './translation-files.js';

let folder: string;
beforeEach(() => {
  folder = join(mkdtempSync(join(tmpdir(), 'bootlab-files-')), 'made', 'when', 'needed');
});
afterEach(() => rmSync(join(folder, '..', '..', '..'), { recursive: true }));

const open = (version = 'one', maxBytes?: number): TranslationFiles =>
  new TranslationFiles({ folder, version, maxBytes });

/** A module that nobody will run. */
function moduleOf(id: number, sizeBytes = 1000): RegionModuleBytes {
  const region = {
    name: '0',
    modeKey: 0,
    window: undefined,
    instructions: 2,
    wasmBytes: sizeBytes,
    entries: [id],
    pages: [[id & ~0xfff, 0x1000]] as [number, number][],
    places: [],
    addresses: Uint32Array.of(id, id + 4),
    words: Uint32Array.of(id, 0),
  };
  return { bytes: new Uint8Array(sizeBytes).fill(id), regions: [region] };
}

function keep(files: TranslationFiles, key: string, ...modules: RegionModuleBytes[]): void {
  for (const made of modules) files.add(key, made);
  files.save(key);
}

const idsOf = (modules: readonly RegionModuleBytes[]): (number | undefined)[] =>
  modules.map(({ regions }) => regions[0]?.entries[0]);
const filesIn = (): string[] => readdirSync(folder).map((name) => join(folder, name));
const onlyFile = (): string => {
  expect(filesIn()).toHaveLength(1);
  return filesIn()[0] as string;
};

describe('translation files', () => {
  it('give back what was kept, in its order, and add to it', () => {
    keep(open(), 'key', moduleOf(1), moduleOf(2));
    const files = open();
    const modules = files.load('key');
    expect(modules).toEqual([moduleOf(1), moduleOf(2)]);
    keep(files, 'key', moduleOf(3));
    expect(idsOf(open().load('key'))).toEqual([1, 2, 3]);
    expect(open().load('another key')).toEqual([]);
  });

  it('have memory of their own, so that handing one to another thread copies no more than it', () => {
    keep(open(), 'key', moduleOf(1), moduleOf(2));
    const [first] = open().load('key');
    expect(first?.bytes.buffer.byteLength).toBe(1000);
    expect(first?.regions[0]?.words.buffer.byteLength).toBe(8);
  });

  it('are not written when nothing came new', () => {
    keep(open(), 'key', moduleOf(1));
    const before = statSync(onlyFile());
    const files = open();
    files.load('key');
    files.save('key');
    expect(statSync(onlyFile()).ino).toBe(before.ino);
  });

  it('are private', () => {
    keep(open(), 'key', moduleOf(1));
    expect(statSync(onlyFile()).mode & 0o777).toBe(0o600);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
  });

  it('of another version are never used', () => {
    keep(open('one'), 'key', moduleOf(1));
    expect(open('two').load('key')).toEqual([]);
    keep(open('two'), 'key', moduleOf(2));
    expect(idsOf(open('one').load('key'))).toEqual([1]);
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
  ])('that are %s are dropped', (_, damage) => {
    keep(open(), 'key', moduleOf(1));
    damage(onlyFile());
    expect(open().load('key')).toEqual([]);
    expect(filesIn()).toEqual([]);
    keep(open(), 'key', moduleOf(2));
    expect(idsOf(open().load('key'))).toEqual([2]);
  });

  it('make room: those go first that were not used for longest', () => {
    for (const [index, key] of ['a', 'b', 'c'].entries()) {
      keep(open('one', 100_000), key, moduleOf(index + 1, 30_000));
      for (const file of filesIn()) utimesSync(file, Date.now() / 1000 - 60, Date.now() / 1000 - 60 + index);
    }
    expect(idsOf(open('one', 100_000).load('a'))).toEqual([1]); // used now
    keep(open('one', 100_000), 'd', moduleOf(4, 30_000));
    expect(filesIn()).toHaveLength(3);
    expect(idsOf(open().load('a'))).toEqual([1]);
    expect(idsOf(open().load('d'))).toEqual([4]);
  });

  it('under one key hold the newest when there is too much', () => {
    const size = 5 << 20;
    keep(open(), 'key', ...[1, 2, 3, 4, 5, 6, 7, 8].map((id) => moduleOf(id, size)));
    expect(idsOf(open().load('key'))).toEqual([3, 4, 5, 6, 7, 8]);
  });

  it('that a process left unfinished are removed in time', () => {
    keep(open(), 'key', moduleOf(1));
    const left = `${onlyFile()}.left.new`;
    writeFileSync(left, 'half');
    keep(open(), 'other', moduleOf(2));
    expect(filesIn()).toContain(left); // somebody may be writing it
    utimesSync(left, 1, 1);
    keep(open(), 'third', moduleOf(3));
    expect(filesIn()).not.toContain(left);
    expect(filesIn()).toHaveLength(3);
  });

  it('that cannot be written or read are no error', () => {
    writeFileSync(join(folder, '..', '..', '..', 'file'), '');
    const files = new TranslationFiles({ folder: join(folder, '..', '..', '..', 'file', 'below'), version: 'one' });
    keep(files, 'key', moduleOf(1));
    expect(files.load('key')).toEqual([]);
  });
});

describe('the version of the translator', () => {
  it('changes with the build, and there is none without one', () => {
    const build = join(folder, '..', '..', '..', 'build');
    const url = new URL(`file://${build}`);
    expect(generatorVersion(url)).toBeUndefined();
    writeFileSync(build, 'one');
    const one = generatorVersion(url);
    expect(one).toMatch(/^[0-9a-f]{64}$/);
    writeFileSync(build, 'two');
    expect(generatorVersion(url)).not.toBe(one);
  });
});
