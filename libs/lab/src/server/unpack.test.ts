import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import * as zlib from 'node:zlib';
import { temporaryFolder } from '../testing/index.js';
import { PACKED_TYPES, UNPACK_DEFAULTS, unpackFile, type PackedType, type UnpackLimits } from './unpack.js';

jest.setTimeout(120_000); // a busy machine must not fail them

const LIMITS: UnpackLimits = { ...UNPACK_DEFAULTS, maxBytes: 2 ** 26 };
const TOOL: Record<PackedType, string[]> = {
  gzip: ['gzip', '-c'],
  xz: ['xz', '-c'],
  zstd: ['zstd', '-q', '-c'],
  bzip2: ['bzip2', '-c'],
};

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeAll(async () => {
  folder = await temporaryFolder();
});
afterAll(() => folder.remove());

let files = 0;
const newFile = () => path.join(folder.path, `file-${files++}`);
const pack = (type: PackedType, input: Buffer): Buffer => {
  const [tool = '', ...args] = TOOL[type];
  return execFileSync(tool, args, { input, maxBuffer: 2 ** 28 });
};
async function unpack(type: PackedType, bytes: Buffer, limits: Partial<UnpackLimits> = {}) {
  const from = newFile();
  await writeFile(from, bytes);
  return unpackFile(type, from, newFile(), { ...LIMITS, ...limits });
}

// Bytes that hardly shrink, a long run, and text: what disk images are made of.
const CONTENT = Buffer.concat([randomBytes(1_500_000), Buffer.alloc(3_000_000), Buffer.from('text\n'.repeat(50_000))]);

describe.each(PACKED_TYPES)('%s', (type) => {
  const packed = pack(type, CONTENT);

  it('gives back what was packed, with its digest', async () => {
    const unpacked = await unpack(type, packed);
    expect(unpacked.sizeBytes).toBe(CONTENT.length);
    expect(unpacked.sha256).toBe(createHash('sha256').update(CONTENT).digest('hex'));
    expect(CONTENT.equals(await readFile(unpacked.path))).toBe(true);
  });

  it('unpacks nothing into nothing', async () => {
    expect(await unpack(type, pack(type, Buffer.alloc(0)))).toMatchObject({ sizeBytes: 0 });
  });

  it('unpacks what was packed in parts, as its own tool does', async () => {
    const parts = Buffer.concat([pack(type, Buffer.from('one ')), pack(type, Buffer.from('two'))]);
    const { path: file } = await unpack(type, parts);
    expect((await readFile(file)).toString()).toBe('one two');
  });

  it('refuses what ends in the middle, and leaves nothing behind', async () => {
    for (const share of [0.2, 0.5, 0.999]) {
      const before = await readdir(folder.path);
      await expect(unpack(type, packed.subarray(0, Math.floor(packed.length * share)))).rejects.toThrow(
        'does not unpack',
      );
      expect((await readdir(folder.path)).length).toBe(before.length + 1); // the packed file
    }
  });

  // The decoder for zstd before Node 22.15 knows no checksums; a digest given with the file finds the damage then.
  const checked = type !== 'zstd' || 'createZstdDecompress' in zlib;
  it(`${checked ? 'refuses' : 'cannot see'} bytes that were changed in data that did not shrink`, async () => {
    const damaged = Buffer.from(packed);
    damaged.fill(0x55, 200_000, 200_100);
    if (checked) await expect(unpack(type, damaged)).rejects.toThrow('does not unpack');
    else expect((await unpack(type, damaged)).sizeBytes).toBe(CONTENT.length);
  });

  it('refuses what is no such file', async () => {
    await expect(unpack(type, randomBytes(10_000))).rejects.toThrow('does not unpack');
  });

  it('stops at the size limit', async () => {
    await expect(unpack(type, packed, { maxBytes: 1_000_000 })).rejects.toThrow('larger than this lab takes');
  });
});

describe.each(PACKED_TYPES)('a bomb in %s', (type) => {
  it('is stopped by its ratio', async () => {
    const bomb = pack(type, Buffer.alloc(2 ** 25));
    const started = performance.now();
    await expect(unpack(type, bomb, { ratio: 100, ratioFromBytes: 2 ** 20 })).rejects.toThrow('100 times its size');
    expect(performance.now() - started).toBeLessThan(20_000);
  });

  it('may still be a small file of any ratio', async () => {
    const zeros = pack(type, Buffer.alloc(2 ** 20));
    expect(await unpack(type, zeros, { ratio: 10, ratioFromBytes: 2 ** 20 })).toMatchObject({ sizeBytes: 2 ** 20 });
  });
});

it('is ended when its time is up', async () => {
  const slow = pack('bzip2', randomBytes(20_000_000));
  const before = await readdir(folder.path);
  await expect(unpack('bzip2', slow, { timeMs: 100 })).rejects.toThrow('took longer than 100ms');
  expect((await readdir(folder.path)).length).toBe(before.length + 1);
});

it('tells how far it is, and stops when it is told to', async () => {
  const from = newFile();
  const to = newFile();
  await writeFile(from, zlib.gzipSync(Buffer.alloc(2 ** 26)));
  const controller = new AbortController();
  const seen: number[] = [];
  const onProgress = (sizeBytes: number) => {
    seen.push(sizeBytes);
    controller.abort(new Error('enough'));
  };
  await expect(unpackFile('gzip', from, to, LIMITS, { onProgress, signal: controller.signal })).rejects.toThrow(
    'enough',
  );
  expect(seen[0]).toBeGreaterThanOrEqual(2 ** 23);
  expect(existsSync(to)).toBe(false);
});
