import { describe, expect, it } from '@jest/globals';
import { checkBoard } from './board-check.js';
import { expandJob } from './job-file.js';
import { processFiles, withProcessFiles } from './process-check.js';

/** The one job of a file. */
function specOf(file: object) {
  const result = expandJob(file);
  if (!result.ok || !result.jobs[0]) throw new Error(JSON.stringify(result));
  return result.jobs[0].spec;
}
const process = { kind: 'process', arch: 'mips', program: './prog' };
const fieldsOf = (more: object): string[] => checkBoard(specOf({ ...process, ...more }), []).map(({ field }) => field);

describe('a job of the kind process', () => {
  it('needs neither board nor images, and is stored so that it can be submitted again', () => {
    const spec = specOf(process);
    expect(spec).toMatchObject({ board: 'linux-user', images: {} });
    expect(checkBoard(spec, [])).toEqual([]);
    expect(specOf(spec)).toEqual(spec);
  });

  it.each([
    [{ arch: undefined }, ['arch']],
    [{ program: undefined }, ['program']],
    [{ program: 'prog' }, ['program']],
    [{ program: '/bin/prog' }, ['program']],
    [{ program: '/bin/prog', root: './root.tar' }, []],
    [{ program: '/bin/prog', files: { '/bin/prog': './prog' } }, []],
    [{ cpu: '24Kf', cmdline: 'x', steps: [{ wait: '1s' }] }, ['cpu', 'cmdline', 'steps']],
    [{ images: { kernel: './vmlinux' } }, ['images.kernel']],
    [{ board: 'malta' }, ['board']],
    [{ memory: '1M' }, ['memory']],
    [{ stdin: './input' }, []],
    [{ stdin: './input', stdin_text: 'x' }, ['stdin_text']],
    [{ results: { fail_on: ['kernel-panic'] } }, ['results.fail_on']],
    [{ artifacts: [{ path: '/out', as: 'out.tar' }] }, []],
    [{ artifacts: [{ disk: 'sda', as: 'x' }] }, ['artifacts[0].disk']],
    [{ artifacts: [{ path: '/usage', as: 'usage.json' }] }, ['artifacts[0].as']],
  ])('%j: wrong are %j', (more, fields) => {
    expect(fieldsOf(more)).toEqual(fields);
  });

  it.each([
    { files: { '/../etc/passwd': './x' } },
    { files: { relative: './x' } },
    { files: { '/a/./b': './x' } },
    { environment: { 'A=B': 'x' } },
    { root: 'no reference' },
    { arch: 'x86_64' },
    { results: { format: 'exit-code' } },
    { artifacts: [{ path: '/a/../b', as: 'x' }] },
    { artifacts: [{ path: '/a', as: '../x' }] },
    { artifacts: [{ as: 'x' }] },
    { artifacts: [{ path: '/a', drive: 0, as: 'x' }] },
  ])('cannot say %j', (more) => {
    expect(expandJob({ ...process, ...more }).ok).toBe(false);
  });

  it('can be a matrix over architectures', () => {
    const result = expandJob({ kind: 'process', program: './prog-${{ arch }}', matrix: { arch: ['mips', 'mipsel'] } });
    expect(result.ok && result.jobs.map(({ spec }) => [spec.arch, spec.program])).toEqual([
      ['mips', './prog-mips'],
      ['mipsel', './prog-mipsel'],
    ]);
  });

  it('names its files, each with a position, and takes digests for them', () => {
    const spec = specOf({ ...process, root: './r', files: { '/a': './x', '/b': './y' }, stdin: './in' });
    expect(processFiles(spec).map(({ position, field, use }) => [position, field, use])).toEqual([
      [0, 'program', { kind: 'file', path: '/program' }],
      [1, 'root', { kind: 'root' }],
      [2, 'files./a', { kind: 'file', path: '/a' }],
      [3, 'files./b', { kind: 'file', path: '/b' }],
      [4, 'stdin', { kind: 'stdin' }],
    ]);
    expect(withProcessFiles(spec, (position) => `d${position}`)).toMatchObject({
      program: 'd0',
      root: 'd1',
      files: { '/a': 'd2', '/b': 'd3' },
      stdin: 'd4',
    });
  });

  it('lends its fields to no other job', () => {
    const spec = specOf({ board: 'malta', images: {}, arch: 'mips', root: './r', stdin: './s' });
    expect(checkBoard(spec, []).map(({ field }) => field)).toEqual(['arch', 'root', 'stdin']);
  });
});
