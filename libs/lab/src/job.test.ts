import { describe, expect, it } from '@jest/globals';
import { jobSpecSchema } from './spec/index.js';
import { fieldErrorsOf } from './problem.js';

const errorsOf = (spec: unknown) => {
  const parsed = jobSpecSchema.safeParse(spec);
  return parsed.success ? [] : fieldErrorsOf(parsed.error);
};
const spec = { board: 'malta', images: { kernel: 'upload:kernel' } };

describe('jobSpecSchema', () => {
  it('accepts the whole vocabulary', () => {
    const full = {
      ...spec,
      name: 'nightly',
      cpu: '24Kf',
      memory: '256M',
      images: {
        kernel: `sha256:${'0'.repeat(64)}`,
        initrd: 'upload:initrd',
        drives: ['9f1c7a34-1b1a-4a6e-8f43-0c8d8a0f3f10', 'builtin:malta-selftest-el'],
      },
      cmdline: 'console=ttyS0',
      timeout: '1h30m',
      clock: 'wall',
      steps: [{ expect: 'login:' }, { send: 'root\n' }],
    };
    expect(jobSpecSchema.parse(full)).toEqual(full);
  });

  it.each<[string, object, string]>([
    ['an unknown key', { ...spec, memmory: '1G' }, 'memmory'],
    ['an unknown key inside images', { ...spec, images: { kernal: 'upload:k' } }, 'images.kernal'],
    ['a size without unit', { ...spec, memory: '256' }, 'memory'],
    ['a time-out in words', { ...spec, timeout: 'five minutes' }, 'timeout'],
    ['a time-out beyond the limit', { ...spec, timeout: '25h' }, 'timeout'],
    ['an image that names nothing', { ...spec, images: { kernel: 'vmlinux' } }, 'images.kernel'],
    ['an invalid regular expression', { ...spec, steps: [{ expect: 'ok' }, { expect: '(' }] }, 'steps[1].expect'],
    ['a step with two verbs', { ...spec, steps: [{ expect: 'a', send: 'b' }] }, 'steps[0]'],
    ['a step with no verb', { ...spec, steps: [{}] }, 'steps[0]'],
    ['a clock that does not exist', { ...spec, clock: 'lunar' }, 'clock'],
    ['no board', { images: {} }, 'board'],
  ])('names the field of %s', (_, bad, field) => {
    const errors = errorsOf(bad);
    expect(errors.map((error) => error.field)).toEqual([field]);
    expect(errors[0]?.message).not.toBe('');
    expect(errors[0]?.mend).not.toBe('');
  });
});
