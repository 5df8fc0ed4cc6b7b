import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { expect, it } from '@jest/globals';
import { sha256InPlace } from './sha256.js';

it.each([0, 1, (16 << 20) - 1, 16 << 20, (17 << 20) + 5])('hashes %d bytes as they are', async (length) => {
  const bytes = new Uint8Array(length).map((_, i) => i * 7 + (i >>> 16));
  expect(await sha256InPlace(bytes)).toBe(createHash('sha256').update(bytes).digest('hex'));
});

it('takes no memory for pages of shared memory that nobody touched', async () => {
  if (process.platform !== 'linux') return;
  const resident = (): number => Number(/VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]) / 1024;
  const { buffer } = new WebAssembly.Memory({ initial: 8192, maximum: 8192, shared: true });
  const before = resident();
  const hash = await sha256InPlace(new Uint8Array(buffer));
  expect(hash).toBe('9acca8e8c22201155389f65abbf6bc9723edc7384ead80503839f49dcc56d767'); // of 512 MiB of zeros
  expect(resident() - before).toBeLessThan(100);
});
