import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ConfigError } from '../core/index.js';
import { BoardFiles } from './index.js';

describe('the files of a board', () => {
  let folder: string;
  let kernel: string;
  let disk: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'bootlab-board-files-'));
    kernel = join(folder, 'vmlinux');
    disk = join(folder, 'disk.img');
    writeFileSync(kernel, 'a kernel');
    writeFileSync(disk, 'a disk');
  });

  afterEach(() => rmSync(folder, { recursive: true }));

  it('are images to read and drives to write to, and stay as they are', () => {
    const files = new BoardFiles();
    const drive = files.drive(disk);
    drive.write(2, Buffer.from('DISK'));
    const read = new Uint8Array(6);
    drive.read(0, read);
    expect(Buffer.from(read).toString()).toBe('a DISK');
    expect(Buffer.from(files.image(kernel)?.read() ?? []).toString()).toBe('a kernel');
    expect(files.image(undefined)).toBeUndefined();
    files.close();
    expect(readFileSync(disk, 'utf8')).toBe('a disk');
  });

  it('are all closed together, also after one of them could not be opened', () => {
    const open = (): number => readdirSync('/proc/self/fd').length;
    const before = open();
    const files = new BoardFiles();
    files.image(kernel);
    files.drive(disk);
    expect(() => files.drive(join(folder, 'missing'))).toThrow(ConfigError);
    expect(() => files.image(join(folder, 'missing'))).toThrow(/ENOENT/);
    expect(open()).toBe(before + 2);
    files.close();
    expect(open()).toBe(before);
    files.close(); // nothing is left to close
  });
});
