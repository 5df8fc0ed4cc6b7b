import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Errno } from '../kernel/contracts.js';
import { TestGuest } from './guest.test-support.js';
import { lookupExecutable, mappedFile } from './index.js';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'bootlab-mapping-'));
  writeFileSync(join(root, 'program'), 'ELF here');
  chmodSync(join(root, 'program'), 0o755);
  writeFileSync(join(root, 'data'), 'data');
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');
const code = (call: () => unknown): string => {
  try {
    call();
    return 'no error';
  } catch (error) {
    return (error as Errno).code;
  }
};

describe('executables', () => {
  const find = (guest: TestGuest, path: string, options?: Parameters<typeof lookupExecutable>[3]) =>
    lookupExecutable(guest.files, guest.context.process, path, options);

  it.each([[{}], [{ overlay: true }]])('stay readable while anyone holds them, also when replaced (%j)', (options) => {
    const guest = new TestGuest({ root, ...options });
    const file = find(guest, '/program');
    expect(file).toMatchObject({ path: '/program', size: 8 });
    const mapping = file.mapping();
    file.close();
    guest.ok('unlink', '/program');
    guest.writeFile('/program', 'other');
    const copy = mapping.duplicate();
    mapping.close();
    const read = (offset: number, length: number): string => {
      const bytes = new Uint8Array(length);
      return text(bytes.subarray(0, copy.read(offset, bytes)));
    };
    expect(read(0, 100)).toBe('ELF here');
    expect(read(4, 4)).toBe('here');
    copy.close();
  });

  it('tell the path without links, and follow /proc/self/exe', () => {
    const guest = new TestGuest({ root });
    guest.ok('symlink', '/program', '/link');
    expect(find(guest, '/link').path).toBe('/program');
    Object.assign(guest.context.process, { executable: '/program' });
    expect(text(find(guest, '/proc/self/exe').read(0, 3))).toBe('ELF');
    expect(find(guest, '/proc/self/exe').path).toBe('/program');
    const fd = guest.opened('/program');
    expect(find(guest, '', { directory: fd, emptyPath: true }).path).toBe('/program');
  });

  it('must be regular files with execute permission', () => {
    const guest = new TestGuest({ root });
    expect(code(() => find(guest, '/data'))).toBe('EACCES');
    expect(code(() => find(guest, '/'))).toBe('EACCES');
    expect(code(() => find(guest, '/none'))).toBe('ENOENT');
    expect(code(() => find(guest, '/data/x'))).toBe('ENOTDIR');
    guest.ok('symlink', '/program', '/link');
    expect(code(() => find(guest, '/link', { noFollow: true }))).toBe('ELOOP');
  });
});

describe('mapped files', () => {
  it('outlive the descriptor, and never grow by writing back', () => {
    const guest = new TestGuest({ root });
    const fd = guest.opened('/data', ['O_RDWR']);
    const mapped = mappedFile(guest.files, fd, { sharedWrite: true });
    guest.ok('close', fd);
    mapped.writeBack(0, Buffer.from('DATA and more'));
    expect(guest.readFile('/data')).toBe('DATA');
    mapped.close();
  });

  it('may be opened through links of /proc, and have their own path', () => {
    const guest = new TestGuest({ root });
    Object.assign(guest.context.process, { executable: '/program' });
    for (const path of ['/proc/self/exe', `/proc/self/fd/${guest.opened('/program')}`]) {
      const fd = guest.opened(path);
      expect(mappedFile(guest.files, fd, { sharedWrite: false }).path).toBe('/program');
      expect(guest.files.pathOf(guest.files.file(fd))).toBe('/program');
    }
    const memory = guest.opened(`/proc/self/fd/${guest.ok('memfd_create', 'name', 0)}`, ['O_RDWR']);
    expect(mappedFile(guest.files, memory, { sharedWrite: true }).path).toBe('/memfd: (deleted)');
    const pipe = guest.opened(`/proc/self/fd/${guest.pipe()[0]}`);
    expect(guest.files.pathOf(guest.files.file(pipe))).toMatch(/^pipe:/);
  });

  it('need the right access', () => {
    const guest = new TestGuest({ root });
    const [readOnly, writeOnly] = [guest.opened('/data'), guest.opened('/data', ['O_WRONLY'])];
    const map = (fd: number, sharedWrite: boolean): string => code(() => mappedFile(guest.files, fd, { sharedWrite }));
    expect(map(readOnly, false)).toBe('no error');
    expect(map(readOnly, true)).toBe('EACCES');
    expect(map(writeOnly, false)).toBe('EACCES');
    expect(map(guest.opened('/', ['O_DIRECTORY']), false)).toBe('ENODEV');
    expect(map(guest.pipe()[0], false)).toBe('ENODEV');
    expect(map(99, false)).toBe('EBADF');
    expect(mappedFile(guest.files, guest.opened('/dev/zero', ['O_RDWR']), { sharedWrite: true }).anonymous).toBe(true);
  });

  it('tell the pages in memory of reads, writes and sizes, by file', () => {
    const guest = new TestGuest({ root });
    const events: string[] = [];
    guest.fileSystem.filePages = {
      beforeRead: (file) => void events.push(`read ${file}`),
      written: (file, offset, bytes) => void events.push(`write ${file} ${offset} ${text(bytes)}`),
      resized: (file, size) => void events.push(`size ${file} ${size}`),
    };
    const fd = guest.opened('/data', ['O_RDWR']);
    const { st_dev, st_ino } = guest.stat('/data');
    const file = `${st_dev}:${st_ino}`;
    guest.ok('pwrite64', fd, Buffer.from('xy'), 2, 0, 1, 0);
    guest.read(fd, 2);
    guest.ok('truncate', '/data', 1);
    expect(events).toEqual([`write ${file} 1 xy`, `read ${file}`, `size ${file} 1`]);
    const mapped = mappedFile(guest.files, fd, { sharedWrite: true });
    mapped.writeBack(0, Buffer.from('m'));
    expect(events).toHaveLength(3); // mappings are the pages themselves
  });
});

it('two guests alike see the same numbers', () => {
  const numbers = (): number[] => {
    const guest = new TestGuest({});
    guest.writeFile('/f', '');
    return ['/f', '/dev/null', '/dev/shm', '/proc/self/status'].flatMap((path) => {
      const { st_dev, st_ino } = guest.stat(path);
      return [st_dev!, st_ino!];
    });
  };
  expect(numbers()).toEqual(numbers());
});
