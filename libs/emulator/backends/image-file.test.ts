import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { openImageFile } from './index.js';

describe('an image in a file', () => {
  let folder: string;
  let file: string;
  const image = Buffer.from('\x7fELF and so on');

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'bootlab-image-'));
    file = join(folder, 'vmlinux');
    writeFileSync(file, image);
  });

  afterEach(() => rmSync(folder, { recursive: true }));

  it('is read as often as it is needed', () => {
    const opened = openImageFile(file);
    expect(Buffer.from(opened.read())).toEqual(image);
    expect(Buffer.from(opened.read())).toEqual(image);
    opened.close();
  });

  it('stays the same when another file takes its name', () => {
    const opened = openImageFile(file);
    writeFileSync(join(folder, 'new'), 'another kernel');
    renameSync(join(folder, 'new'), file);
    expect(Buffer.from(opened.read())).toEqual(image);
    opened.close();
  });

  it('is refused once it was written to', () => {
    const opened = openImageFile(file);
    writeFileSync(file, 'another kernel, built into the same file');
    expect(() => opened.read()).toThrow(/vmlinux was changed while a board used it: start the board anew/);
    opened.close();
  });

  it('may be a pipe, which is read once', () => {
    const pipe = join(folder, 'pipe');
    execFileSync('mkfifo', [pipe]);
    spawn('cp', [file, pipe]);
    const opened = openImageFile(pipe);
    expect(Buffer.from(opened.read())).toEqual(image);
    expect(Buffer.from(opened.read())).toEqual(image);
    opened.close();
  });

  it.each(['.', 'missing'])('cannot be %s', (name) => {
    expect(() => openImageFile(join(folder, name))).toThrow(/EISDIR|ENOENT/);
  });
});
