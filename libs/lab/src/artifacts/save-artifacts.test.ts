import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readRootArchive } from '../process/root-archive.js';
import type { GuestFile } from './guest-archive.js';
import { saveArtifacts, type SaveOptions } from './save-artifacts.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bootlab-artifacts-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const options = (more: Partial<SaveOptions> = {}): SaveOptions => ({ fileFor: (name) => join(folder, name), ...more });
const bytes = (content: Buffer) => ({
  sizeBytes: content.length,
  read: (offset: number, target: Uint8Array) => content.copy(target, 0, offset),
});
const common = { mode: 0o640, uid: 3, gid: 4, modifiedNs: 1_767_225_600_000_000_000n };
const file = (path: string, content: Buffer): GuestFile => ({ ...common, path, kind: 'file', ...bytes(content) });
const directory = (path: string): GuestFile => ({ ...common, path, kind: 'directory' });

it('saves drives as the guest left them, by their numbers and by the names that Linux gives them', async () => {
  const drives = [Buffer.alloc(3 * 2 ** 20 + 5, 1), Buffer.from('second')];
  const requests = [
    { drive: 0, as: 'a.img' },
    { disk: 'sdb', as: 'b.img' },
    { disk: 'hdc', as: 'c.img' },
  ];
  const { saved, missing } = await saveArtifacts(requests, { drives: drives.map(bytes) }, options());
  expect(missing).toEqual([{ name: 'c.img', reason: 'The board had no such drive after the run' }]);
  expect(saved.map(({ name, sizeBytes, sha256 }) => [name, sizeBytes, sha256])).toEqual(
    drives.map((drive, index) => [requests[index]?.as, drive.length, createHash('sha256').update(drive).digest('hex')]),
  );
  expect(readFileSync(join(folder, 'a.img')).equals(drives[0] ?? Buffer.alloc(0))).toBe(true);
});

it('saves a file of a program as it is, and a directory as an archive that makes the same tree', async () => {
  const large = Buffer.alloc(2 ** 21 + 7, 'x');
  const long = `deep/${'d'.repeat(150)}/ü`;
  const tree: Record<string, GuestFile[]> = {
    '/result.xml': [file('', Buffer.from('<x/>'))],
    '/empty': [file('', Buffer.alloc(0))],
    '/out': [
      directory(''),
      directory('deep'),
      file(Buffer.from(long).toString('latin1'), large),
      { ...common, path: 'link', kind: 'symlink', target: '/etc/passwd', modifiedNs: -1n, uid: 2 ** 32 - 1 },
      { ...file('none', Buffer.alloc(0)), modifiedNs: 2n ** 100n },
    ],
  };
  const requests = Object.keys({ ...tree, '/gone': 0 }).map((path) => ({ path, as: path.slice(1) }));
  const { saved, missing } = await saveArtifacts(requests, { filesAt: (path) => tree[path] ?? [] }, options());
  expect(missing).toEqual([{ name: 'gone', reason: 'There is nothing at /gone after the run' }]);
  expect(saved.map(({ name }) => name)).toEqual(['result.xml', 'empty', 'out']);
  expect(readFileSync(join(folder, 'result.xml'), 'utf8')).toBe('<x/>');
  const entries = await readRootArchive(readFileSync(join(folder, 'out')));
  expect(entries.map(({ kind, path, mode, uid }) => [kind, path, mode, uid])).toEqual([
    ['directory', 'deep', 0o640, 3],
    ['file', Buffer.from(long).toString('latin1'), 0o640, 3],
    ['symlink', 'link', 0o640, 0o777777],
    ['file', 'none', 0o640, 3],
  ]);
  expect(entries[1]?.kind === 'file' && Buffer.from(entries[1].bytes).equals(large)).toBe(true);
});

it('leaves out what would pass the limit, keeps the rest, and leaves no half files', async () => {
  const tree: Record<string, GuestFile[]> = {
    '/large': [directory(''), file('a', Buffer.alloc(3_000_000))],
    '/small': [file('', Buffer.from('small'))],
  };
  const requests = ['/large', '/small'].map((path) => ({ path, as: path.slice(1) }));
  const { saved, missing } = await saveArtifacts(
    requests,
    { filesAt: (path) => tree[path] ?? [] },
    options({ limitBytes: 2 ** 20 }),
  );
  expect(saved.map(({ name }) => name)).toEqual(['small']);
  expect(missing).toEqual([
    { name: 'large', reason: 'With it the artifacts of this job would be larger than 1M together' },
  ]);
  expect(readdirSync(folder)).toEqual(['small']);
});
