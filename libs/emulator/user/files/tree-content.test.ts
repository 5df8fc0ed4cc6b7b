import { describe, expect, it } from '@jest/globals';
import type { TreeEntry } from './tree-content.js';
import { FileSystem } from './file-system.js';
import { TestClock } from './guest.test-support.js';

const common = { mode: 0o644 };
const file = (path: string, text = 'x'): TreeEntry => ({ ...common, path, kind: 'file', bytes: Buffer.from(text) });

function treeOf(...content: TreeEntry[]) {
  const fileSystem = new FileSystem({ content, clock: new TestClock(), seed: 1, kernelTrees: false });
  return (path: string) =>
    path
      .split('/')
      .filter(Boolean)
      .reduce(
        (at, name) => at?.lookup(name),
        fileSystem.mounts.root.inode as ReturnType<typeof fileSystem.mounts.root.inode.lookup>,
      );
}

describe('what a tree has from the start', () => {
  it('is files, folders and links; later entries take the place of earlier ones', () => {
    const at = treeOf(
      { path: './', kind: 'directory', mode: 0o711 },
      file('/a/b/c', 'first'),
      file('a/b/c', 'second'),
      { path: 'link', kind: 'symlink', target: '../../etc/passwd' },
      { path: 'hard', kind: 'hardlink', target: 'a/b/c' },
      { path: 'a/b', kind: 'directory', mode: 0o700 },
    );
    const bytes = new Uint8Array(10);
    const content = at('hard')!.open({ read: true, write: false });
    expect(Buffer.from(bytes.subarray(0, content.read(0, bytes))).toString()).toBe('second');
    expect(at('/a/b')!.attributes().mode & 0o777).toBe(0o700);
    expect(at('/')!.attributes().mode & 0o777).toBe(0o711);
    expect(at('link')!.readLink()).toBe('../../etc/passwd');
    expect(at('a/b/c')!.attributes().links).toBe(2);
  });

  it.each<[string, TreeEntry[]]>([
    ['a path that leads out', [file('../x')]],
    ['one that does so in its middle', [file('a/../../x')]],
    ['a hard link to something outside', [{ path: 'x', kind: 'hardlink', target: '../../etc/passwd' }]],
    ['a way through a link', [{ path: 'etc', kind: 'symlink', target: '/somewhere' }, file('etc/passwd')]],
    ['a way through a file', [file('etc'), file('etc/passwd')]],
    ['a file where a folder is', [file('etc/passwd'), file('etc')]],
    ['a name that is too long', [file('x'.repeat(256))]],
    ['a NUL', [file('a\0b')]],
    ['no name', [file('.')]],
  ])('is never %s', (_, content) => {
    expect(() => treeOf(...content)).toThrow(/^root/);
  });
});
