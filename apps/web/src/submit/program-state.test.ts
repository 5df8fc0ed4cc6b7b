import { describe, expect, it } from '@jest/globals';
import type { JobSpec } from '../api/types.js';
import { blankProgram, checkProgram, newFile, programOfJob, specOfProgram } from './program-state.js';

const file = new File(['elf'], 'unit-tests');
const picked = { ...blankProgram(), program: { kind: 'upload', file } as const };
const fields = (form: ReturnType<typeof blankProgram>): string[] => checkProgram(form).map(({ field }) => field);

describe('the spec of a program form', () => {
  it('needs no more than a program', () => {
    const { spec, files } = specOfProgram(picked);
    expect(spec).toEqual({
      ...{ kind: 'process', board: 'linux-user', images: {}, arch: 'mipsel', program: 'upload:program' },
      ...{ timeout: '5m', clock: 'virtual' },
    });
    expect([...files]).toEqual([['program', file]]);
    expect(checkProgram(picked)).toEqual([]);
  });

  it('takes arguments, variables and input as they are meant', () => {
    const form = {
      ...picked,
      arguments: '-v\n\n""\ntwo\\nlines',
      environment: 'A=1\nB=x=y',
      stdinKind: 'text' as const,
      stdinText: 'in\n',
      format: 'tap' as const,
      files: [newFile('/etc/x', { kind: 'upload', file })],
    };
    expect(specOfProgram(form).spec).toMatchObject({
      arguments: ['-v', '', 'two\nlines'],
      environment: { A: '1', B: 'x=y' },
      stdin_text: 'in\n',
      results: { format: 'tap' },
      files: { '/etc/x': 'upload:file0' },
    });
    expect(checkProgram(form)).toEqual([]);
  });

  it('of an earlier job means the same again', () => {
    const digest = (digit: string): string => `sha256:${digit.repeat(64)}`;
    const spec: JobSpec = {
      ...{ kind: 'process', board: 'linux-user', images: {}, name: 'n', arch: 'mips', program: '/bin/x' },
      ...{
        arguments: ['a\\b', '', '""', 'c\nd'],
        environment: { E: 'f\ng' },
        root: digest('1'),
        files: { '/y': digest('2') },
      },
      ...{ stdin: digest('3'), results: { format: 'gtest' }, memory: '64M', timeout: '9s', clock: 'wall', retries: 2 },
    };
    expect(specOfProgram(programOfJob({ spec })).spec).toEqual(spec);
  });
});

describe('the check of a program form', () => {
  it.each<[Partial<ReturnType<typeof blankProgram>>, string[]]>([
    [{ program: { kind: 'upload', file: undefined } }, ['program']],
    [{ program: { kind: 'none' } }, ['program']],
    [{ program: { kind: 'none' }, path: '/bin/x' }, ['program']],
    [{ program: { kind: 'none' }, path: '/bin/x', root: { kind: 'upload', file } }, []],
    [{ root: { kind: 'library', reference: '', name: '' } }, ['root']],
    [{ files: [newFile('relative', { kind: 'upload', file })] }, ['files.relative']],
    [{ files: [newFile('/x')] }, ['files']],
    [{ stdinKind: 'file' }, ['stdin']],
    [{ environment: 'no variable' }, ['environment']],
    [{ memory: '1M' }, ['memory']],
    [{ timeout: 'soon' }, ['timeout']],
  ])('%j: wrong are %j', (part, wrong) => {
    expect(fields({ ...picked, ...part })).toEqual(wrong);
  });
});
