import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { BUFFER, TestGuest } from '../files/guest.test-support.js';

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'bootlab-trees-'));
});
afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});

const makers: [string, () => TestGuest][] = [
  ['memory', () => new TestGuest({})],
  ['host', () => new TestGuest({ root })],
  ['overlay', () => new TestGuest({ root, overlay: true })],
];

describe.each(makers)('files of a tree: %s', (_kind, make) => {
  let guest: TestGuest;
  beforeEach(() => {
    guest = make();
    guest.ok('mkdir', '/w', 0o777);
    guest.ok('chdir', '/w');
  });
  afterEach(() => guest.fileSystem.close());

  it('keeps what is written', () => {
    guest.writeFile('a', 'hello');
    expect(guest.readFile('a')).toBe('hello');
    expect(guest.stat('a')).toMatchObject({ st_size: 5, st_nlink: 1, st_mode: 0o100644 });
    const fd = guest.opened('a', ['O_RDWR', 'O_APPEND']);
    guest.write(fd, ' world');
    expect(guest.readFile('a')).toBe('hello world');
  });

  it('applies the umask and not the host one', () => {
    guest.ok('umask', 0);
    guest.ok('close', guest.opened('open', ['O_WRONLY', 'O_CREAT'], 0o666));
    guest.ok('mkdir', 'dir', 0o777);
    expect(guest.stat('open').st_mode).toBe(0o100666);
    expect(guest.stat('dir').st_mode).toBe(0o040777);
    guest.ok('umask', 0o077);
    guest.ok('close', guest.opened('private', ['O_WRONLY', 'O_CREAT'], 0o666));
    expect(guest.stat('private').st_mode).toBe(0o100600);
  });

  it('O_CREAT and O_EXCL', () => {
    guest.writeFile('a', 'x');
    expect(guest.open('a', ['O_WRONLY', 'O_CREAT', 'O_EXCL'])).toBe('EEXIST');
    guest.ok('symlink', 'nowhere', 'dangling');
    expect(guest.open('dangling', ['O_WRONLY', 'O_CREAT', 'O_EXCL'])).toBe('EEXIST');
    expect(guest.open('dangling')).toBe('ENOENT');
    guest.ok('close', guest.opened('dangling', ['O_WRONLY', 'O_CREAT']));
    expect(guest.list('.')).toEqual(expect.arrayContaining(['a', 'dangling', 'nowhere']));
  });

  it('sparse files: holes read as zeros, and truncation forgets', () => {
    const fd = guest.opened('sparse', ['O_RDWR', 'O_CREAT']);
    guest.ok('_llseek', fd, 0, 100_000, BUFFER, 0);
    guest.write(fd, 'end');
    expect(guest.stat('sparse').st_size).toBe(100_003);
    guest.ok('_llseek', fd, 0, 99_998, BUFFER, 0);
    expect(guest.read(fd, 10)).toBe('\0\0end');
    guest.ok('ftruncate64', fd, 0, 100_001, 0);
    guest.ok('ftruncate64', fd, 0, 100_004, 0);
    guest.ok('_llseek', fd, 0, 100_000, BUFFER, 0);
    expect(guest.read(fd, 10)).toBe('e\0\0\0');
  });

  it('hard links are one file', () => {
    guest.writeFile('a', 'one');
    guest.ok('link', 'a', 'b');
    expect(guest.stat('a').st_nlink).toBe(2);
    expect(guest.stat('a').st_ino).toBe(guest.stat('b').st_ino);
    guest.writeFile('b', 'two');
    expect(guest.readFile('a')).toBe('two');
    guest.ok('unlink', 'a');
    expect(guest.stat('b').st_nlink).toBe(1);
    expect(guest.call('link', '.', 'c')).toBe('EPERM');
    expect(guest.call('link', 'b', 'b')).toBe('EEXIST');
  });

  it('an unlinked file lives while it is open', () => {
    const fd = guest.opened('gone', ['O_RDWR', 'O_CREAT']);
    guest.ok('unlink', 'gone');
    guest.write(fd, 'still here');
    guest.ok('lseek', fd, 0, 0);
    expect(guest.read(fd)).toBe('still here');
    expect(guest.readlink(`/proc/self/fd/${fd}`)).toBe('/w/gone (deleted)');
  });

  it('rename replaces, moves directories and refuses nonsense', () => {
    guest.writeFile('a', 'A');
    guest.writeFile('b', 'B');
    guest.ok('rename', 'a', 'b');
    expect(guest.readFile('b')).toBe('A');
    expect(guest.open('a')).toBe('ENOENT');
    guest.ok('mkdir', 'd', 0o755);
    guest.ok('mkdir', 'd/e', 0o755);
    guest.writeFile('d/e/f', 'deep');
    expect(guest.call('rename', 'd', 'd/e/x')).toBe('EINVAL');
    expect(guest.call('rename', 'b', 'd')).toBe('EISDIR');
    expect(guest.call('rename', 'd', 'b')).toBe('ENOTDIR');
    guest.ok('mkdir', 'empty', 0o755);
    guest.ok('rename', 'd', 'empty');
    expect(guest.readFile('empty/e/f')).toBe('deep');
    guest.ok('mkdir', 'other', 0o755);
    expect(guest.call('rename', 'other', 'empty')).toBe('ENOTEMPTY');
    expect(guest.call('rename', 'empty/e', 'empty')).toBe('ENOTEMPTY');
    expect(guest.call('renameat2', -100, 'b', -100, 'other', 1)).toBe('EEXIST');
    expect(guest.call('rename', 'nothing', 'x')).toBe('ENOENT');
    expect(guest.call('rename', 'b', '/dev/b')).toBe('EXDEV');
  });

  it('rmdir and unlink', () => {
    guest.ok('mkdir', 'd', 0o755);
    guest.writeFile('d/f', '');
    expect(guest.call('rmdir', 'd')).toBe('ENOTEMPTY');
    expect(guest.call('unlink', 'd')).toBe('EISDIR');
    expect(guest.call('rmdir', 'd/f')).toBe('ENOTDIR');
    expect(guest.call('rmdir', 'd/.')).toBe('EINVAL');
    guest.ok('unlinkat', -100, 'd/f', 0);
    guest.ok('unlinkat', -100, 'd', 0x200);
    expect(guest.call('access', 'd', 0)).toBe('ENOENT');
  });

  it('symbolic links', () => {
    guest.ok('symlink', 'target', 'link');
    expect(guest.readlink('link')).toBe('target');
    expect(guest.stat('link', 'lstat64')).toMatchObject({ st_mode: 0o120777, st_size: 6 });
    expect(guest.call('readlink', 'link', BUFFER, 3)).toBe(3);
    expect(guest.call('readlink', '.', BUFFER, 3)).toBe('EINVAL');
    expect(guest.open('link', ['O_NOFOLLOW'])).toBe('ELOOP');
  });

  it('times and permissions', () => {
    guest.writeFile('a', '');
    guest.ok('chmod', 'a', 0o4711);
    guest.memory.setU32(BUFFER, 1000);
    guest.memory.setU32(BUFFER + 4, 0);
    guest.memory.setU32(BUFFER + 8, 2000);
    guest.memory.setU32(BUFFER + 12, 500_000_000);
    guest.ok('utimensat', -100, 'a', BUFFER, 0);
    expect(guest.stat('a')).toMatchObject({
      st_mode: 0o104711,
      st_atime: 1000,
      st_mtime: 2000,
      st_mtime_nsec: 500_000_000,
    });
    expect(guest.call('utimensat', -100, 'none', BUFFER, 0)).toBe('ENOENT');
  });

  it('names with any bytes', () => {
    const name = Buffer.from([0xff, 0xc3, 0x28, 0x0a, 0]);
    const fd = guest.ok('open', new Uint8Array(name), 0x101, 0o644);
    guest.write(fd, 'x');
    expect(guest.list('.')).toEqual(['\xff\xc3(\n']);
    guest.ok('unlink', new Uint8Array(name));
    expect(guest.list('.')).toEqual([]);
  });

  it('FIFOs', () => {
    guest.ok('mknod', 'fifo', 0o010644, 0);
    expect(guest.stat('fifo').st_mode).toBe(0o010644);
    expect(guest.open('fifo', ['O_WRONLY', 'O_NONBLOCK'])).toBe('ENXIO');
    const reader = guest.waits('open', 'fifo', 0, 0);
    const writer = guest.opened('fifo', ['O_WRONLY']);
    expect(reader.done).toBe(true);
    guest.write(writer, 'through');
    expect(guest.read(reader.result as number)).toBe('through');
    guest.ok('unlink', 'fifo');
    expect(guest.list('.')).toEqual([]);
  });

  it('a listing that does not fit goes on where it stopped', () => {
    const names = Array.from({ length: 50 }, (_, i) => `file-with-a-longer-name-${String(i).padStart(2, '0')}`);
    for (const name of names) guest.writeFile(name, '');
    const fd = guest.opened('.', ['O_DIRECTORY']);
    expect(guest.call('getdents64', fd, BUFFER, 10)).toBe('EINVAL');
    let calls = 0;
    while (guest.ok('getdents64', fd, BUFFER, 300) > 0) calls++;
    expect(calls).toBeGreaterThan(5);
    expect(guest.list('.').sort()).toEqual(names);
    expect(guest.ok('getdents', guest.opened('.'), BUFFER, 300)).toBeGreaterThan(200);
  });
});

describe('an overlay', () => {
  let guest: TestGuest;
  beforeEach(() => {
    writeFileSync(join(root, 'a'), 'lower a');
    mkdirSync(join(root, 'd'));
    writeFileSync(join(root, 'd/x'), 'lower x');
    symlinkSync('a', join(root, 'link'));
    guest = new TestGuest({ root, overlay: true });
  });
  afterEach(() => guest.fileSystem.close());

  it('shows what is below and changes nothing there', () => {
    expect(guest.readFile('/link')).toBe('lower a');
    const fd = guest.opened('/a', ['O_RDWR']);
    guest.ok('pwrite64', fd, Buffer.from('UPPER'), 5, 0, 0, 0);
    expect(guest.readFile('/a')).toBe('UPPER a');
    guest.writeFile('/d/new', 'new');
    guest.ok('unlink', '/d/x');
    guest.ok('chmod', '/a', 0o600);
    expect(readFileSync(join(root, 'a'), 'utf8')).toBe('lower a');
    expect(statSync(join(root, 'a')).mode & 0o777).not.toBe(0o600);
    expect(readdirSync(join(root, 'd'))).toEqual(['x']);
    expect(guest.list('/d')).toEqual(['new']);
  });

  it('remembers removed names, and what takes their place', () => {
    guest.ok('unlink', '/d/x');
    expect(guest.open('/d/x')).toBe('ENOENT');
    guest.writeFile('/d/x', 'again');
    expect(guest.readFile('/d/x')).toBe('again');
    guest.ok('unlink', '/d/x');
    expect(guest.list('/d')).toEqual([]);
    guest.ok('rmdir', '/d');
    expect(guest.open('/d')).toBe('ENOENT');
    guest.ok('mkdir', '/d', 0o755);
    expect(guest.list('/d')).toEqual([]); // opaque: nothing of the old one shows through
    expect(existsSync(join(root, 'd/x'))).toBe(true);
  });

  it('moves directories of the tree below with all they hold', () => {
    guest.ok('rename', '/d', '/e');
    expect(guest.readFile('/e/x')).toBe('lower x');
    expect(guest.open('/d/x')).toBe('ENOENT');
    expect(
      guest
        .list('/')
        .filter((name) => name.length === 1)
        .sort(),
    ).toEqual(['a', 'e']);
    guest.ok('rename', '/e', '/d');
    expect(guest.readFile('/d/x')).toBe('lower x');
  });

  it('exchanges two names', () => {
    guest.ok('renameat2', -100, '/a', -100, '/d', 2);
    expect(guest.readFile('/a/x')).toBe('lower x');
    expect(guest.readFile('/d')).toBe('lower a');
  });

  it('truncates without reading back what was below', () => {
    guest.ok('truncate', '/a', 3);
    guest.ok('truncate', '/a', 7);
    expect(guest.readFile('/a')).toBe('low\0\0\0\0');
  });

  it('belongs to root', () => {
    expect(guest.stat('/a')).toMatchObject({ st_uid: 0, st_gid: 0 });
    guest.ok('chown', '/a', 12, 34);
    expect(guest.stat('/a')).toMatchObject({ st_uid: 12, st_gid: 34 });
  });
});

describe('memory', () => {
  it('is limited, also for files without content', () => {
    const guest = new TestGuest({ memoryLimitBytes: 300_000 });
    const fd = guest.opened('/big', ['O_RDWR', 'O_CREAT']);
    expect(guest.write(fd, new Uint8Array(1_000_000))).toBeLessThan(300_000);
    expect(guest.write(fd, new Uint8Array(5000))).toBe('ENOSPC');
    guest.ok('ftruncate64', fd, 0, 0, 0);
    expect(guest.write(fd, new Uint8Array(5000))).toBe(5000);
    guest.ok('close', fd);
    guest.ok('unlink', '/big');
    let created = 0;
    while (typeof guest.call('mkdir', `/d${created}`, 0o755) === 'number') created++;
    expect(created).toBeLessThan(1000);
  });

  it('is given back by what has no name', () => {
    const guest = new TestGuest({ memoryLimitBytes: 100_000 });
    for (let i = 0; i < 1000; i++) {
      const [reader, writer] = guest.pipe();
      const memory = guest.ok('memfd_create', 'm', 0);
      expect(guest.write(memory, 'content')).toBe(7);
      for (const fd of [reader, writer, memory]) guest.ok('close', fd);
    }
    expect(guest.write(guest.opened('/f', ['O_WRONLY', 'O_CREAT']), new Uint8Array(50_000))).toBe(50_000);
  });

  it('checks permissions of users that are not root', () => {
    const guest = new TestGuest({});
    guest.writeFile('/private', 'x');
    guest.ok('chmod', '/private', 0o600);
    guest.ok('mkdir', '/closed', 0o700);
    guest.ok('mkdir', '/tmp', 0o777);
    guest.ok('chmod', '/tmp', 0o1777);
    guest.writeFile('/tmp/mine', '');
    Object.assign(guest.context.process.credentials, { uid: 1000, gid: 1000, euid: 1000, egid: 1000 });
    expect(guest.open('/private')).toBe('EACCES');
    expect(guest.open('/closed/x')).toBe('EACCES');
    expect(guest.open('/new', ['O_WRONLY', 'O_CREAT'])).toBe('EACCES');
    guest.writeFile('/tmp/yours', '');
    expect(guest.stat('/tmp/yours').st_uid).toBe(1000);
    expect(guest.call('unlink', '/tmp/mine')).toBe('EPERM');
    expect(guest.call('chmod', '/tmp/mine', 0o777)).toBe('EPERM');
    guest.ok('unlink', '/tmp/yours');
  });
});

describe('/proc and /dev', () => {
  const guest = new TestGuest({
    system: { hostname: 'h', release: '6.1', version: '#1', cpuinfo: 'cpu: x\n', memoryBytes: 2 ** 28 },
  });
  it('tell of the process that asks', () => {
    expect(guest.readlink('/proc/self')).toBe('100');
    expect(guest.readlink('/proc/self/exe')).toBe('/bin/test');
    expect(guest.readFile('/proc/self/cmdline')).toBe('test\0');
    expect(guest.readFile('/proc/self/environ')).toBe('A=1\0');
    expect(guest.readFile('/proc/self/maps')).toContain('/bin/test');
    expect(guest.readFile('/proc/self/stat').split(' ')).toHaveLength(52);
    expect(guest.readFile('/proc/self/status')).toContain('Pid:\t100\n');
    expect(guest.readFile('/proc/100/task/100/comm')).toBe('test\n');
    expect(guest.list('/proc')).toEqual(expect.arrayContaining(['100', 'self', 'meminfo']));
    expect(guest.open('/proc/101')).toBe('ENOENT');
    expect(guest.open('/proc/constructor')).toBe('ENOENT');
    expect(guest.open('/proc/self/__proto__')).toBe('ENOENT');
  });
  it('tell of the system', () => {
    expect(guest.readFile('/proc/cpuinfo')).toBe('cpu: x\n');
    expect(guest.readFile('/proc/sys/kernel/osrelease')).toBe('6.1\n');
    expect(guest.readFile('/proc/meminfo')).toContain('MemTotal:         262144 kB');
    expect(guest.readFile('/proc/mounts')).toContain('proc /proc proc rw');
    expect(guest.open('/proc/cpuinfo', ['O_WRONLY'])).toBe('EACCES');
    expect(guest.open('/proc/new', ['O_WRONLY', 'O_CREAT'])).toBe('EACCES');
  });
  it('have the usual devices', () => {
    expect(guest.read(guest.opened('/dev/zero'), 4)).toBe('\0\0\0\0');
    expect(guest.write(guest.opened('/dev/full', ['O_WRONLY']), 'x')).toBe('ENOSPC');
    expect(guest.open('/dev/tty', ['O_RDWR'])).toBe('ENXIO');
    expect(guest.stat('/dev/null')).toMatchObject({ st_mode: 0o020666, st_rdev: 0x103 });
  });
  it('give the same random bytes in every run', () => {
    const bytes = (seed: number): string => {
      const other = new TestGuest({ seed });
      return other.read(other.opened('/dev/urandom'), 16);
    };
    expect(bytes(7)).toBe(bytes(7));
    expect(bytes(7)).not.toBe(bytes(8));
  });
});
