import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { CompiledRegion, KeptModule, KeptTranslations } from '../accel/jit/index.js';
import { ByteWriter } from '../jit/wasm/index.js';
import { generatorVersion } from './generator-version.js';
import { TranslationFiles } from './translation-files.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bootlab-files-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const open = (version = 'one', format = 1): TranslationFiles => new TranslationFiles({ folder, version, format });

/** A module with nothing but a custom section of some length (core specification, section 5.5.3): nobody will run it. */
function moduleOf(id: number, paddingBytes = 1000): KeptModule {
  const section = new ByteWriter();
  section.name('padding');
  section.bytes(new Uint8Array(paddingBytes).fill(id));
  const out = new ByteWriter();
  out.bytes(Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 0));
  out.u32(section.length);
  out.bytes(section.take());
  const bytes = Uint8Array.from(out.take());
  const region: CompiledRegion = {
    name: '0',
    modeKey: 0,
    window: undefined,
    instructions: 2,
    wasmBytes: paddingBytes,
    entries: [id],
    pages: [[id & ~0xfff, 0x1000]],
    places: [],
    addresses: Uint32Array.of(id, id + 4),
    words: Uint32Array.of(id, 0),
    calls: [],
    tableTargets: [],
    strays: [],
    joined: false,
  };
  const memory = { pages: 1, shared: false };
  return { bytes, module: new WebAssembly.Module(bytes), regions: [region], memory };
}

function keep(files: TranslationFiles, key: string, ...modules: KeptModule[]): void {
  for (const made of modules) files.add(key, made);
  files.save(key);
}

const idsOf = ({ modules }: KeptTranslations): (number | undefined)[] =>
  modules.map(({ regions }) => regions[0]?.entries[0]);
const NOTHING: KeptTranslations = { modules: [], putOff: new Map() };
const onlyFile = (): string => {
  expect(readdirSync(folder)).toHaveLength(1);
  return join(folder, readdirSync(folder)[0] as string); // there is one
};

describe('translation files', () => {
  it('give back what was kept, in its order, and add to it', () => {
    keep(open(), 'key', moduleOf(1), moduleOf(2));
    const files = open();
    const { modules } = files.load('key');
    expect(modules).toEqual([moduleOf(1), moduleOf(2)]);
    expect(modules.map(({ module }) => module instanceof WebAssembly.Module)).toEqual([true, true]);
    keep(files, 'key', moduleOf(3));
    expect(idsOf(open().load('key'))).toEqual([1, 2, 3]);
    expect(open().load('another key')).toEqual(NOTHING);
  });

  it('have memory of their own, so that handing one to another thread copies no more than it', () => {
    keep(open(), 'key', moduleOf(1), moduleOf(2));
    const [first] = open().loadApart('key').modules;
    expect(first?.bytes.buffer.byteLength).toBe(moduleOf(1).bytes.length);
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

  it('tell what was asked for in vain', () => {
    const putOff = (...places: string[]): void => {
      const files = open();
      files.load('key');
      for (const place of places) files.putOff('key', place, 'covered');
      files.save('key');
    };
    keep(open(), 'key', moduleOf(1));
    putOff('a');
    expect([...open().load('key').putOff]).toEqual([['a', 'covered']]);
    const before = statSync(onlyFile()).ino;
    putOff('a');
    expect(statSync(onlyFile()).ino).toBe(before);
    putOff('b', 'a');
    expect([...open().load('key').putOff]).toEqual([
      ['a', 'covered'],
      ['b', 'covered'],
    ]);
  });

  it.each<[string, () => TranslationFiles]>([
    ['version', () => open('two')],
    ['format', () => open('one', 2)],
  ])('of another %s are never used', (_, other) => {
    keep(open(), 'key', moduleOf(1));
    expect(other().load('key')).toEqual(NOTHING);
    keep(other(), 'key', moduleOf(2));
    expect(idsOf(open().load('key'))).toEqual([1]);
  });

  it('are dropped whole when a bit of them is wrong', () => {
    keep(open(), 'key', moduleOf(1), moduleOf(2));
    const bytes = readFileSync(onlyFile());
    bytes[bytes.length - 500] = 7; // in the last module
    writeFileSync(onlyFile(), bytes);
    expect(open().load('key')).toEqual(NOTHING);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('under one key hold the newest when there is too much', () => {
    const size = 5 << 20;
    keep(open(), 'key', ...[1, 2, 3, 4, 5, 6, 7, 8].map((id) => moduleOf(id, size)));
    expect(idsOf(open().load('key'))).toEqual([3, 4, 5, 6, 7, 8]);
  });
});

describe('the version of the translator', () => {
  it('changes with the build, and there is none without one', () => {
    const build = join(folder, 'build');
    const url = new URL(`file://${build}`);
    expect(generatorVersion(url)).toBeUndefined();
    writeFileSync(build, 'one');
    const one = generatorVersion(url);
    expect(one).toMatch(/^[0-9a-f]{64}$/);
    writeFileSync(build, 'two');
    expect(generatorVersion(url)).not.toBe(one);
  });
});
