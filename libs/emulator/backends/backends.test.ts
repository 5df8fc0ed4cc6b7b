import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { BlockBackend } from '../core/index.js';
import { CopyOnWriteOverlay, MemoryBlock, openRawImage } from './index.js';

/** `length` bytes in which every position is recognisable. */
const pattern = (length: number, seed = 1): Uint8Array =>
  Uint8Array.from({ length }, (_, i) => (i * 7 + (i >> 8) + seed) & 0xff);

const read = (block: BlockBackend, offset: number, length: number): Uint8Array => {
  const target = new Uint8Array(length);
  block.read(offset, target);
  return target;
};

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bootlab-backends-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const imageFile = (bytes: Uint8Array): string => {
  const path = join(folder, 'disk.img');
  writeFileSync(path, bytes);
  return path;
};

describe.each([
  ['MemoryBlock', (bytes: Uint8Array) => new MemoryBlock(bytes.slice())],
  ['raw image', (bytes: Uint8Array) => openRawImage(imageFile(bytes))],
  ['overlay on memory', (bytes: Uint8Array) => new CopyOnWriteOverlay(new MemoryBlock(bytes, true))],
  [
    'overlay on a raw image',
    (bytes: Uint8Array) => new CopyOnWriteOverlay(openRawImage(imageFile(bytes), { readOnly: true })),
  ],
])('every block backend: %s', (_name, open: (bytes: Uint8Array) => BlockBackend) => {
  it('reads what it was made from, at any offset', () => {
    const bytes = pattern(1000);
    const block = open(bytes);
    expect(block.sizeBytes).toBe(1000);
    expect(read(block, 0, 1000)).toEqual(bytes);
    expect(read(block, 313, 77)).toEqual(bytes.slice(313, 390));
    expect(read(block, 1000, 0)).toHaveLength(0);
  });

  it('gives back what was written and leaves the neighbours alone', () => {
    const bytes = pattern(200_001);
    const block = open(bytes);
    const data = pattern(70_000, 99);
    block.write(65_530, data);
    block.flush();
    const expected = bytes.slice();
    expected.set(data, 65_530);
    expect(read(block, 0, 200_001)).toEqual(expected);
  });

  it('writes its very last byte in a size that is no multiple of anything', () => {
    const block = open(pattern(65_536 + 3));
    block.write(65_538, Uint8Array.of(0xee));
    expect(read(block, 65_536, 3)).toEqual(Uint8Array.of(...pattern(65_539).slice(65_536, 65_538), 0xee));
  });

  it.each([
    [-1, 1],
    [999, 2],
    [1000, 1],
    [0.5, 1],
    [Number.MAX_SAFE_INTEGER, 1],
  ])('refuses %d+%d of 1000 bytes', (offset, length) => {
    const block = open(pattern(1000));
    expect(() => read(block, offset, length)).toThrow(RangeError);
    expect(() => block.write(offset, new Uint8Array(length))).toThrow(RangeError);
    expect(read(block, 0, 1000)).toEqual(pattern(1000));
  });
});

describe('MemoryBlock', () => {
  it('refuses writes when read-only and names the mend', () => {
    expect(() => new MemoryBlock(new Uint8Array(4), true).write(0, Uint8Array.of(1))).toThrow(
      /read-only.*CopyOnWriteOverlay/,
    );
  });
});

describe('raw image', () => {
  it('stores writes in the file', () => {
    const path = imageFile(pattern(600));
    const image = openRawImage(path);
    image.write(599, Uint8Array.of(0xaa));
    image.flush();
    image.close();
    expect(readFileSync(path)[599]).toBe(0xaa);
  });

  it('never writes a file that was opened read-only', () => {
    const path = imageFile(pattern(600));
    const image = openRawImage(path, { readOnly: true });
    expect(() => image.write(0, Uint8Array.of(1))).toThrow(/read-only/);
    image.flush();
    expect(new Uint8Array(readFileSync(path))).toEqual(pattern(600));
  });

  it('says so when the file shrinks under it', () => {
    const path = imageFile(pattern(600));
    const image = openRawImage(path);
    truncateSync(path, 100);
    expect(() => read(image, 90, 20)).toThrow(/became shorter/);
  });

  it.each([
    ['missing', (): string => join(folder, 'nowhere.img'), /cannot open disk image: ENOENT/],
    ['empty', (): string => imageFile(new Uint8Array()), /is empty/],
  ])('refuses a %s file with a ConfigError on drives', (_name, path, message) => {
    expect(() => openRawImage(path())).toThrow(message);
    expect(() => openRawImage(path())).toThrow(expect.objectContaining({ name: 'ConfigError', field: 'drives' }));
  });

  it('refuses a folder', () => {
    expect(() => openRawImage(folder, { readOnly: true })).toThrow(/not a regular file/);
  });
});

describe('CopyOnWriteOverlay', () => {
  it('never changes its base', () => {
    const bytes = pattern(300_000);
    const overlay = new CopyOnWriteOverlay(new MemoryBlock(bytes));
    overlay.write(0, new Uint8Array(300_000));
    expect(bytes).toEqual(pattern(300_000));
  });

  it('costs memory only for the 64 KiB chunks that were written', () => {
    const overlay = new CopyOnWriteOverlay(new MemoryBlock(pattern(300_000), true));
    read(overlay, 0, 300_000);
    expect(overlay.overlayBytes).toBe(0);
    overlay.write(65_535, Uint8Array.of(1, 2));
    expect(overlay.overlayBytes).toBe(2 * 65_536);
    overlay.write(65_000, Uint8Array.of(3));
    expect(overlay.overlayBytes).toBe(2 * 65_536);
  });
});
