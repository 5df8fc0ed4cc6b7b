import { describe, expect, it } from '@jest/globals';
import type { Board, Job } from '../api/types.js';
import { applyPreset, blankForm, checkForm, curlOfForm, formOfJob, newStep, specOfForm } from './form-state.js';

const board: Board = {
  id: 'malta',
  name: 'MIPS Malta',
  description: '',
  arch: 'mips',
  byteOrders: ['little', 'big'],
  cpus: [{ id: '24Kf', description: '' }],
  defaultCpu: '24Kf',
  memory: { minBytes: 2 ** 24, maxBytes: 2 ** 31, defaultBytes: 2 ** 28 },
  consoles: [],
  devices: [],
  drives: 2,
  defaultCmdline: 'console=ttyS0',
  boot: '',
  instructionsPerSecond: 1e8,
  selfTest: true,
};
const SELF_TEST = 'builtin:malta-selftest-el';
const fields = (errors: { field: string }[]): string[] => errors.map(({ field }) => field);

describe('the spec of a form', () => {
  it('is the self-test with one click', () => {
    const form = applyPreset(blankForm(board), 'self-test', SELF_TEST);
    expect(specOfForm(form).spec).toEqual({
      board: 'malta',
      images: { firmware: SELF_TEST },
      timeout: '1m',
      clock: 'virtual',
    });
    expect(checkForm(form, board)).toEqual([]);
  });

  it('names uploads by the field their file is sent in', () => {
    const kernel = new File(['elf'], "it's vmlinux");
    const form = { ...blankForm(board), kernel: { kind: 'upload', file: kernel } as const, cmdline: ' console=ttyS0 ' };
    const built = specOfForm(form);
    expect(built.spec.images).toEqual({ kernel: 'upload:kernel' });
    expect(built.spec.cmdline).toBe('console=ttyS0');
    expect([...built.files]).toEqual([['kernel', kernel]]);
    expect(curlOfForm(built, 'http://lab')).toContain(`-F 'kernel=@it'\\''s vmlinux'`);
  });

  it('types what the escapes mean', () => {
    const form = { ...blankForm(board), steps: [newStep('expect', 'login:'), newStep('send', 'root\\n')] };
    expect(specOfForm(form).spec.steps).toEqual([{ expect: 'login:' }, { send: 'root\n' }]);
  });
});

describe('a job that is submitted again', () => {
  it('keeps what the form has no field for', () => {
    const spec = {
      board: board.id,
      images: { firmware: SELF_TEST },
      timeout: '1m',
      clock: 'virtual' as const,
      retries: 2,
      steps: [{ run: 'uname' }, { run: 'uname', expect: 'Linux' }, { wait: '2s' }, { send: 'a\n' }],
    };
    const form = formOfJob({ spec, images: { drives: [] } } as unknown as Job);
    expect(form.steps.map(({ kind }) => kind)).toEqual(['run', 'json', 'json', 'send']);
    expect(specOfForm(form).spec).toEqual(spec);
  });

  it('says which step is no JSON', () => {
    const form = { ...applyPreset(blankForm(board), 'self-test', SELF_TEST), steps: [newStep('json', '{"wait"')] };
    expect(fields(checkForm(form, board))).toEqual(['steps[0]']);
  });
});

describe('the check before anything is uploaded', () => {
  it('wants the files that were announced', () => {
    const form = applyPreset(blankForm(board), 'shell', SELF_TEST);
    expect(fields(checkForm(form, board))).toEqual(['images.kernel', 'images.initrd']);
  });

  it('wants something to boot', () => {
    const form = { ...blankForm(board), kernel: { kind: 'none' } as const };
    expect(fields(checkForm(form, board))).toEqual(['images.kernel']);
  });

  it('says what memory the board takes', () => {
    const form = { ...applyPreset(blankForm(board), 'self-test', SELF_TEST), memory: '4G' };
    expect(checkForm(form, board)).toEqual([
      { field: 'memory', message: 'MIPS Malta cannot have 4G of memory', mend: 'Use 16M to 2G.' },
    ]);
  });

  it('finds bad durations and patterns where they are', () => {
    const self = applyPreset(blankForm(board), 'self-test', SELF_TEST);
    const form = { ...self, timeout: 'soon', steps: [newStep('expect', 'ok'), newStep('expect', '(')] };
    expect(fields(checkForm(form, board))).toEqual(['timeout', 'steps[1].expect']);
  });
});
