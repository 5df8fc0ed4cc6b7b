import { describe, expect, it } from '@jest/globals';
import { ConfigError } from '../core/index.js';
import { checkProgram, UNREAD } from './check-program.js';
import type { TreeEntry } from './files/index.js';

/** A 32-bit ELF program whose one segment is the file, and which names an interpreter if one is given. */
function elf({ big = false, machine = 8, interpreter = '', flags = 0x70001000 } = {}): Uint8Array {
  const bytes = new Uint8Array(512);
  const view = new DataView(bytes.buffer);
  const words = (at: number, values: readonly number[]): void =>
    values.forEach((value, i) => view.setUint32(at + 4 * i, value, !big));
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 1, big ? 2 : 1, 1]);
  view.setUint16(16, 2, !big);
  view.setUint16(18, machine, !big);
  words(20, [1, 0x400100, 52, 0, flags]);
  view.setUint16(42, 32, !big);
  view.setUint16(44, interpreter === '' ? 1 : 2, !big);
  words(52, [1, 0, 0x400000, 0x400000, 512, 512, 5, 0x1000]);
  words(84, [3, 256, 0x400100, 0x400100, interpreter.length + 1, interpreter.length + 1, 4, 1]);
  bytes.set(Buffer.from(interpreter), 256);
  return bytes;
}

const file = (path: string, bytes: Uint8Array | string, mode = 0o755): TreeEntry => ({
  path,
  kind: 'file',
  bytes: Buffer.from(bytes),
  mode,
});
const check = (content: readonly TreeEntry[], program = '/program'): string | undefined =>
  checkProgram({ arch: 'mipsel', program, content });

function refusal(content: readonly TreeEntry[], program?: string): { field: string; problem: string; mend: string } {
  try {
    check(content, program);
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

describe('a program that is only looked at', () => {
  it('is good when it and its interpreter are', () => {
    expect(check([file('program', elf())])).toBeUndefined();
    const tree = [file('lib/ld.so.1', elf()), file('program', elf({ interpreter: '/lib/ld.so.1' }))];
    expect(check(tree)).toBeUndefined();
    expect(check([...tree, file('script', '#!/program -x\n')], '/script')).toBeUndefined();
  });

  it.each<[string, Uint8Array | string, RegExp]>([
    ['of the other byte order', elf({ big: true }), /big-endian program/],
    ['for another machine', elf({ machine: 243 }), /for RISC-V/],
    ['for a newer CPU', elf({ flags: 0x90001000 }), /release 6/],
    ['that is cut short', elf().subarray(0, 300), /truncated ELF file/],
    ['that is text', 'hello', /neither an ELF program nor a script/],
    ['that is empty', '', /neither an ELF program nor a script/],
    ['for a shell that is not there', '#!/bin/sh\n', /is a script for \/bin\/sh, which does not exist/],
    ['for a shell that is a directory', '#!/dev\n', /is a script for \/dev, which is a directory/],
  ])('%s is refused', (_, bytes, problem) => {
    expect(refusal([file('program', bytes)])).toMatchObject({
      field: 'program',
      problem: expect.stringMatching(problem),
    });
  });

  it('must exist and be executable', () => {
    expect(refusal([])).toMatchObject({ field: 'program', problem: '/program does not exist' });
    expect(refusal([file('program', elf(), 0o644)]).problem).toBe('/program may not be executed');
    expect(refusal([file('program/file', elf())]).problem).toBe('/program is a directory');
  });

  it('lacks an interpreter, or has one of the wrong kind', () => {
    const program = file('program', elf({ interpreter: '/lib/ld.so.1' }));
    expect(refusal([program])).toMatchObject({
      field: 'root',
      problem: expect.stringContaining('needs /lib/ld.so.1, which does not exist'),
    });
    expect(refusal([program, file('lib/ld.so.1', elf({ big: true }))])).toMatchObject({
      field: 'root',
      problem: expect.stringMatching(/needs \/lib\/ld\.so\.1, which is a big-endian program/),
    });
  });

  it('and a tree that cannot be are told apart', () => {
    expect(refusal([file('../escape', 'x')]).field).toBe('root');
  });

  it('asks for the content that it needs, by its real path', () => {
    const link = { path: 'bin', kind: 'symlink', target: 'usr/bin' } as const;
    const unread = [file('usr/bin/sh', UNREAD), file('lib/ld.so.1', UNREAD), link];
    expect(check(unread, '/bin/sh')).toBe('/usr/bin/sh');
    const half = [file('usr/bin/sh', elf({ interpreter: '/lib/ld.so.1' })), file('lib/ld.so.1', UNREAD), link];
    expect(check(half, '/bin/sh')).toBe('/lib/ld.so.1');
  });
});
