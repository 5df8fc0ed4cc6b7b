import { expect, it } from '@jest/globals';
import { FileType } from '../vfs/inode.js';
import { FileSystem } from './file-system.js';
import { filesAt, type GuestFile } from './guest-files.js';
import { TestClock } from './guest.test-support.js';
import type { TreeEntry } from './tree-content.js';

const file = (path: string, text: string): TreeEntry => ({ path, mode: 0o640, kind: 'file', bytes: Buffer.from(text) });

function guest(...content: TreeEntry[]) {
  const fileSystem = new FileSystem({ content, clock: new TestClock(), seed: 1 });
  const { mounts } = fileSystem;
  const at = (path: string) =>
    [...filesAt(mounts, path, (inode) => inode.open({ read: true, write: false }))].map(described);
  return { at, mounts };
}

/** What a file is, its bytes included. */
function described(found: GuestFile): string {
  if (found.kind === 'directory') return `${found.path}/`;
  if (found.kind === 'symlink') return `${found.path} -> ${found.target}`;
  return `${found.path} (${found.mode.toString(8)})`;
}

it('reads a file in pieces, and finds it through links as the guest would', () => {
  const { mounts } = guest(
    file('out/result.xml', '<testsuites/>'),
    { path: 'link', kind: 'symlink', target: '/out' },
    { path: 'out/up', kind: 'symlink', target: '../../../out/result.xml' },
  );
  for (const path of ['/out/result.xml', '/link/result.xml', '/out/up']) {
    for (const found of filesAt(mounts, path, (inode) => inode.open({ read: true, write: false }))) {
      expect(found).toMatchObject({ path: '', kind: 'file', sizeBytes: 13, mode: 0o640 });
      const piece = new Uint8Array(6);
      const read = found.kind === 'file' ? [found.read(0, piece), found.read(12, piece)] : [];
      expect([...read, Buffer.from(piece).toString()]).toEqual([6, 1, '>tests']);
    }
  }
});

it('walks a directory in order, tells of links without following them, and leaves devices and other mounts out', () => {
  const { at, mounts } = guest(
    file('out/b', '1'),
    file('out/a/x', '2'),
    { path: 'out/passwd', kind: 'symlink', target: '/etc/passwd' },
    { path: 'out/loop', kind: 'symlink', target: '/out' },
  );
  mounts.root.inode.lookup('out')?.createNode('fifo', FileType.FIFO, { mode: 0o600, uid: 0, gid: 0 });
  expect(at('/out')).toEqual(['/', 'a/', 'a/x (640)', 'b (640)', 'loop -> /out', 'passwd -> /etc/passwd']);
  expect(at('/').filter((each) => /^(proc|dev|sys)\b/.test(each))).toEqual([]);
});

it.each(['/nothing', '/out/b/c', '/loop', '/../..'])('has nothing, or the root, at %s', (path) => {
  const { at } = guest(file('out/b', '1'), { path: 'loop', kind: 'symlink', target: 'loop' });
  expect(at(path)).toEqual(path === '/../..' ? ['/', 'loop -> loop', 'out/', 'out/b (640)'] : []);
});

it('does not mind how deep directories are', () => {
  const { at, mounts } = guest();
  let { inode } = mounts.root;
  for (let depth = 0; depth < 5000; depth++) {
    inode.createDirectory('d', { mode: 0o755, uid: 0, gid: 0 });
    inode = inode.lookup('d')!;
  }
  expect(at('/d')).toHaveLength(5000);
});
