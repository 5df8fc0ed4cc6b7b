import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { TestGuest } from '../files/guest.test-support.js';

/** A host directory with a secret beside the guest's root. */
let outside: string;
let root: string;
let guest: TestGuest;

beforeEach(() => {
  outside = mkdtempSync(join(tmpdir(), 'bootlab-vfs-'));
  root = join(outside, 'root');
  mkdirSync(join(root, 'dir/sub'), { recursive: true });
  writeFileSync(join(outside, 'secret'), 'secret');
  writeFileSync(join(root, 'file'), 'inside');
  guest = new TestGuest({ root });
});

afterEach(() => {
  guest.fileSystem.close();
  rmSync(outside, { recursive: true, force: true });
});

describe('a host directory as root', () => {
  it('ends at its root, however many `..` are tried', () => {
    expect(guest.open('/../secret')).toBe('ENOENT');
    expect(guest.open('/dir/sub/../../../../../secret')).toBe('ENOENT');
    expect(guest.readFile('/dir/sub/../../../../../file')).toBe('inside');
    guest.ok('chdir', '/dir/sub');
    expect(guest.open('../../../secret')).toBe('ENOENT');
  });

  it('follows absolute links from the guest root', () => {
    symlinkSync('/secret', join(root, 'absolute'));
    symlinkSync(join(outside, 'secret'), join(root, 'host-path'));
    symlinkSync('/file', join(root, 'to-file'));
    expect(guest.open('/absolute')).toBe('ENOENT');
    expect(guest.open('/host-path')).toBe('ENOENT');
    expect(guest.readFile('/to-file')).toBe('inside');
  });

  it('keeps relative links and chains of links inside', () => {
    symlinkSync('../../../secret', join(root, 'dir/up'));
    symlinkSync('/dir/up', join(root, 'first'));
    symlinkSync('first', join(root, 'second'));
    symlinkSync('../..', join(root, 'dir/parent'));
    expect(guest.open('/second')).toBe('ENOENT');
    expect(guest.open('/dir/parent/secret')).toBe('ENOENT');
    expect(guest.readFile('/dir/parent/file')).toBe('inside');
  });

  it('gives ELOOP for circles', () => {
    symlinkSync('b', join(root, 'a'));
    symlinkSync('a', join(root, 'b'));
    expect(guest.open('/a')).toBe('ELOOP');
    expect(guest.open('/a/x')).toBe('ELOOP');
  });

  it('creates through links inside only', () => {
    symlinkSync('../../new', join(root, 'dir/escape'));
    expect(guest.open('/dir/escape', ['O_WRONLY', 'O_CREAT'])).not.toBe('ENOENT');
    expect(readFileSync(join(root, 'new'), 'utf8')).toBe('');
    expect(() => readFileSync(join(outside, 'new'))).toThrow('ENOENT');
  });

  it.each(['/proc/self/root', '/proc/self/root/..', '/proc/self/cwd/../..', '/proc/100/root/proc/self/root'])(
    '%s is the guest root',
    (path) => {
      expect(guest.open(`${path}/secret`)).toBe('ENOENT');
      expect(guest.readFile(`${path}/file`)).toBe('inside');
    },
  );

  it('shows guest paths in /proc/self/fd, and follows them inside', () => {
    const fd = guest.opened('/dir', ['O_DIRECTORY']);
    expect(guest.readlink(`/proc/self/fd/${fd}`)).toBe('/dir');
    expect(guest.open(`/proc/self/fd/${fd}/../../secret`)).toBe('ENOENT');
    expect(guest.readFile(`/proc/self/fd/${fd}/../file`)).toBe('inside');
    expect(guest.open('/proc/self/fd/999')).toBe('ENOENT');
  });

  it('does not let a directory that is exchanged for a link by another process lead outside', () => {
    mkdirSync(join(outside, 'elsewhere'));
    writeFileSync(join(outside, 'elsewhere/file'), 'secret');
    writeFileSync(join(root, 'dir/file'), 'inside dir');
    const fd = guest.opened('/dir', ['O_DIRECTORY']);
    guest.ok('chdir', '/dir');
    // The host's side of a race: the name now leads out.
    renameSync(join(root, 'dir'), join(root, 'moved'));
    symlinkSync(join(outside, 'elsewhere'), join(root, 'dir'));
    expect(guest.open('/dir/file')).toBe('ENOENT');
    const again = guest.call('openat', fd, 'file', 0, 0);
    expect(guest.read(again as number)).toBe('inside dir');
    expect(guest.readFile('file')).toBe('inside dir');
  });

  it('does not change what links point to outside', () => {
    symlinkSync(join(outside, 'secret'), join(root, 'link'));
    expect(guest.call('chmod', '/link', 0)).toBe('ENOENT');
    expect(guest.call('truncate64', '/link', 0, 0, 0)).toBe('ENOENT');
    guest.ok('unlink', '/link');
    expect(readFileSync(join(outside, 'secret'), 'utf8')).toBe('secret');
  });

  it('cannot link, rename or bind its way out', () => {
    expect(guest.call('link', '/../secret', '/got')).toBe('ENOENT');
    expect(guest.call('rename', '/file', '/../file2')).toBe(0);
    expect(readFileSync(join(root, 'file2'), 'utf8')).toBe('inside');
    expect(guest.call('chroot', '/dir')).toBe('EPERM');
    expect(guest.call('mount', 'x', '/dir', 'proc', 0, 0)).toBe('EPERM');
  });

  it('keeps the working directory of a directory that moves', () => {
    guest.ok('chdir', '/dir/sub');
    guest.ok('rename', '/dir', '/renamed');
    expect(guest.call('getcwd', 0x2000, 100)).toBe('/renamed/sub'.length + 1);
    guest.ok('rmdir', '/renamed/sub');
    expect(guest.call('getcwd', 0x2000, 100)).toBe('ENOENT');
    expect(guest.open('new', ['O_WRONLY', 'O_CREAT'])).toBe('ENOENT');
  });

  it('goes deeper than it holds directories open, and gives every descriptor back', () => {
    const before = readdirSync('/proc/self/fd').length;
    const deep = new TestGuest({ root });
    for (let depth = 0; depth < 300; depth++) {
      deep.ok('mkdir', 'deep', 0o755);
      deep.ok('chdir', 'deep');
    }
    deep.writeFile('bottom', 'x');
    deep.ok('chdir', '/');
    for (let depth = 0; depth < 300; depth++) deep.ok('chdir', 'deep');
    expect(deep.readFile('bottom')).toBe('x');
    expect(deep.readlink('/proc/self/cwd')).toHaveLength(300 * 5);
    deep.opened('bottom'); // never closed by the guest
    deep.ok('renameat2', -100, 'bottom', -100, '/top', 0);
    expect(deep.readFile('/top')).toBe('x');
    expect(readdirSync('/proc/self/fd').length).toBeGreaterThan(before + 10);
    deep.fileSystem.close();
    expect(readdirSync('/proc/self/fd')).toHaveLength(before);
  });

  it('opens no devices but those of /dev', () => {
    guest.writeFile('/dev/null', 'gone');
    expect(guest.readFile('/dev/null')).toBe('');
    expect(guest.call('mknod', '/disk', 0o060644, 0x800)).toBe('EPERM');
  });

  it('refuses bad paths', () => {
    expect(guest.open('')).toBe('ENOENT');
    expect(guest.open('/file/')).toBe('ENOTDIR');
    expect(guest.open('/file/x')).toBe('ENOTDIR');
    expect(guest.open(`/${'n'.repeat(256)}`)).toBe('ENAMETOOLONG');
    expect(guest.open(`/${'d/'.repeat(3000)}`)).toBe('ENAMETOOLONG');
  });
});

describe('openat2', () => {
  const how = (resolve: number): Uint8Array => {
    const bytes = new Uint8Array(24);
    bytes[16] = resolve;
    return bytes;
  };
  it('RESOLVE_BENEATH refuses `..` above, absolute paths and links', () => {
    symlinkSync('/file', join(root, 'dir/absolute'));
    const fd = guest.opened('/dir', ['O_DIRECTORY']);
    expect(guest.call('openat2', fd, '../file', how(8), 24)).toBe('EXDEV');
    expect(guest.call('openat2', fd, 'sub/../../file', how(8), 24)).toBe('EXDEV');
    expect(guest.call('openat2', fd, '/file', how(8), 24)).toBe('EXDEV');
    expect(guest.call('openat2', fd, 'absolute', how(8), 24)).toBe('EXDEV');
    expect(guest.call('openat2', fd, 'sub/..', how(8), 24)).toEqual(expect.any(Number));
  });
  it('RESOLVE_IN_ROOT takes the directory for the root', () => {
    writeFileSync(join(root, 'dir/file'), 'below');
    const fd = guest.opened('/dir', ['O_DIRECTORY']);
    const opened = guest.ok('openat2', fd, '/../../file', how(16), 24);
    expect(guest.read(opened)).toBe('below');
  });
});

describe('binds', () => {
  it('are reached by their path, and end where they begin', () => {
    mkdirSync(join(outside, 'shared'));
    writeFileSync(join(outside, 'shared/data'), 'shared');
    const bound = new TestGuest({ root, binds: [{ host: join(outside, 'shared'), guest: '/mnt/shared' }] });
    expect(bound.readFile('/mnt/shared/data')).toBe('shared');
    expect(bound.readFile('/mnt/shared/../../file')).toBe('inside');
    expect(bound.open('/mnt/shared/../secret')).toBe('ENOENT');
    expect(bound.list('/mnt')).toEqual(['shared']);
    bound.ok('chdir', '/mnt/shared');
    expect(bound.call('getcwd', 0x2000, 100)).toBe('/mnt/shared'.length + 1);
    expect(bound.call('rename', '/mnt/shared/data', '/data')).toBe('EXDEV');
    expect(bound.call('link', '/mnt/shared/data', '/data')).toBe('EXDEV');
    expect(bound.call('rmdir', '/mnt/shared')).toBe('EBUSY');
  });

  it('can be one file, and read-only', () => {
    const bound = new TestGuest({
      root,
      binds: [{ host: join(outside, 'secret'), guest: '/etc/only', readOnly: true }],
    });
    expect(bound.readFile('/etc/only')).toBe('secret');
    expect(bound.open('/etc/only', ['O_WRONLY'])).toBe('EROFS');
    expect(bound.open('/etc/only/../../secret')).toBe('ENOTDIR');
  });

  it('say what is wrong with them', () => {
    expect(() => new TestGuest({ root, binds: [{ host: '/no/such', guest: '/x' }] })).toThrow(
      'bind: /no/such:/x: no such file or directory',
    );
    expect(() => new TestGuest({ root, binds: [{ host: outside, guest: 'x' }] })).toThrow('not absolute');
  });
});

describe('a read-only root', () => {
  it('gives EROFS for every change', () => {
    const fixed = new TestGuest({ root, readOnly: true });
    expect(fixed.readFile('/file')).toBe('inside');
    expect(fixed.open('/file', ['O_RDWR'])).toBe('EROFS');
    expect(fixed.open('/new', ['O_WRONLY', 'O_CREAT'])).toBe('EROFS');
    expect(fixed.call('unlink', '/file')).toBe('EROFS');
    expect(fixed.call('mkdir', '/d', 0o755)).toBe('EROFS');
    expect(fixed.call('rename', '/file', '/f')).toBe('EROFS');
    expect(fixed.call('chmod', '/file', 0)).toBe('EROFS');
    expect(fixed.call('utimes', '/file', 0)).toBe('EROFS');
    expect(fixed.call('access', '/file', 2)).toBe('EROFS');
    expect(fixed.call('truncate', '/file', 0)).toBe('EROFS');
    fixed.writeFile('/dev/shm/x', 'memory is not the root');
  });
});
