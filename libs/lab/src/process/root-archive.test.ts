import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import { pack, type Pack } from 'tar-stream';
import { readRootArchive, RootArchiveError, scanRootArchive } from './root-archive.js';

async function archive(fill: (to: Pack) => void): Promise<Buffer> {
  const to = pack();
  fill(to);
  to.finalize();
  const parts: Buffer[] = [];
  for await (const part of to) parts.push(part as Buffer);
  return Buffer.concat(parts);
}

describe('a root archive', () => {
  it.each(['plain', 'gzip'])('is read into entries, %s', async (packing) => {
    const bytes = await archive((to) => {
      to.entry({ name: './bin/', type: 'directory', mode: 0o700 });
      to.entry({ name: './bin/hello', mode: 0o755, uid: 3 }, 'text');
      to.entry({ name: 'sh', type: 'symlink', linkname: '/bin/hello' });
      to.entry({ name: 'again', type: 'link', linkname: 'bin/hello' });
      to.entry({ name: 'dev/null', type: 'character-device', devmajor: 1, devminor: 3 });
      to.entry({ name: 'λ' }, '');
    });
    const entries = await readRootArchive(packing === 'gzip' ? gzipSync(bytes) : bytes);
    expect(entries).toMatchObject([
      { path: './bin/', kind: 'directory', mode: 0o700 },
      { path: './bin/hello', kind: 'file', uid: 3, bytes: Buffer.from('text') },
      { path: 'sh', kind: 'symlink', target: '/bin/hello' },
      { path: 'again', kind: 'hardlink', target: 'bin/hello' },
      { path: '\u00ce\u00bb', kind: 'file' },
    ]);
  });

  it.each([
    ['nothing', Buffer.alloc(0)],
    ['noise', Buffer.from('no archive at all '.repeat(100))],
    ['half an archive', undefined],
    ['broken gzip', Buffer.from([0x1f, 0x8b, 8, 0, 1, 2, 3, 4])],
  ])('that is %s is refused', async (_, bytes) => {
    const whole = await archive((to) => to.entry({ name: 'file' }, 'x'.repeat(5000)));
    await expect(readRootArchive(bytes ?? whole.subarray(0, 2000))).rejects.toThrow(RootArchiveError);
  });

  it.each(['plain', 'gzip'])('is read from a file with the content that is wanted only, %s', async (packing) => {
    const folder = mkdtempSync(join(tmpdir(), 'bootlab-root-'));
    try {
      const bytes = await archive((to) => {
        to.entry({ name: './bin/hello' }, 'text');
        to.entry({ name: 'large', mode: 0o755 }, 'x'.repeat(100_000));
        to.entry({ name: 'data', mode: 0o644 }, 'x'.repeat(100));
        to.entry({ name: 'empty' }, '');
      });
      const file = join(folder, 'root.tar');
      const unread = Buffer.from('unread');
      writeFileSync(file, packing === 'gzip' ? gzipSync(bytes) : bytes);
      const entries = await scanRootArchive(file, (path) => path === './bin/hello', unread);
      expect(entries).toMatchObject([
        { path: './bin/hello', bytes: Buffer.from('text') },
        { path: 'large', bytes: unread },
        { path: 'data', bytes: Buffer.alloc(0) },
        { path: 'empty', bytes: Buffer.alloc(0) },
      ]);
      writeFileSync(file, bytes.subarray(0, 2000));
      await expect(scanRootArchive(file, () => false, unread)).rejects.toThrow(RootArchiveError);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
