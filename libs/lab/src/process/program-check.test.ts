import { execFileSync } from 'node:child_process';
import { linkSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { JobSpec } from '../spec/job-spec.js';
import { checkProgramFiles, type ProgramCheckOptions } from './program-check.js';

const unread = Buffer.from('unread');
const base: JobSpec = { kind: 'process', board: 'linux-user', images: {}, arch: 'mips' };
type Content = Parameters<ProgramCheckOptions['check']>[0]['content'];

describe('the check of a program before it runs', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'bootlab-check-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const file = (name: string, content: string): string => {
    writeFileSync(join(folder, name), content);
    return join(folder, name);
  };
  const contentOf = (content: Content, path: string): string | undefined => {
    const entry = content.find((each) => each.path === path);
    return entry?.kind === 'file' ? Buffer.from(entry.bytes).toString() : undefined;
  };
  const wrong = (field: string): Error =>
    Object.assign(new Error(), { field, problem: 'no --arch', mend: 'Use --root DIR' });

  it('reads the files that it asks for, those that are linked too, and no others', async () => {
    const root = join(folder, 'root');
    mkdirSync(join(root, 'lib'), { recursive: true });
    writeFileSync(join(root, 'lib', 'ld-2.so'), 'linker', { mode: 0o755 });
    linkSync(join(root, 'lib', 'ld-2.so'), join(root, 'lib', 'ld.so.1'));
    writeFileSync(join(root, 'other'), 'other', { mode: 0o755 });
    symlinkSync('other', join(root, 'link'));
    execFileSync('tar', ['-czf', join(folder, 'root.tar.gz'), '-C', root, './lib', './other', './link']);
    const paths = new Map([
      [0, file('program', 'ELF')],
      [1, join(folder, 'root.tar.gz')],
    ]);
    const asked: string[] = [];
    const check: ProgramCheckOptions['check'] = ({ arch, program, content }) => {
      expect([arch, program]).toEqual(['mips', '/program']);
      expect(contentOf(content, './other')).toBe('unread');
      const next = asked.length === 0 ? '/program' : asked.length === 1 ? '/lib/ld.so.1' : undefined;
      if (asked.length > 0) expect(contentOf(content, '/program')).toBe('ELF');
      if (asked.length > 1) {
        const read = ['./lib/ld-2.so', './lib/ld.so.1'].map((path) => contentOf(content, path));
        expect(read).toContain('linker');
      }
      asked.push(next ?? 'nothing');
      return next;
    };
    const spec: JobSpec = { ...base, program: './program', root: './root.tar.gz' };
    expect(await checkProgramFiles(spec, { check, unread, pathOf: (at) => paths.get(at) })).toBeUndefined();
    expect(asked).toEqual(['/program', '/lib/ld.so.1', 'nothing']);
  });

  it.each(['program', 'root'])('names %s, in the words of a job', async (field) => {
    const path = file('program', 'ELF');
    const check = (): never => {
      throw wrong(field);
    };
    expect(await checkProgramFiles({ ...base, program: './program' }, { check, unread, pathOf: () => path })).toEqual({
      field,
      message: 'no arch',
      mend: 'Use root.',
    });
  });

  it('says that a root is no archive', async () => {
    const path = file('program', 'noise '.repeat(200));
    const spec: JobSpec = { ...base, program: '/bin/x', root: './program' };
    const problem = await checkProgramFiles(spec, { check: () => undefined, unread, pathOf: () => path });
    expect(problem).toMatchObject({ field: 'root', message: expect.stringContaining('no archive') });
  });

  it('says nothing where it cannot know: a file that never satisfies, a file that is not here', async () => {
    const path = file('program', 'ELF');
    const spec: JobSpec = { ...base, program: './program' };
    const check = (): string => '/program';
    expect(await checkProgramFiles(spec, { check, unread, pathOf: () => path })).toBeUndefined();
    expect(await checkProgramFiles(spec, { check, unread, pathOf: () => undefined })).toBeUndefined();
  });
});
