import { describe, expect, it } from '@jest/globals';
import { readDefinition } from './definition.js';

const images = { kernel: 'builtin:k' };
const errorsOf = (text: string, format: 'yaml' | 'json' | 'lava') => {
  const read = readDefinition(text, format);
  return read.ok ? [] : read.errors;
};

describe('a definition', () => {
  it('is the same job in YAML and in JSON', () => {
    const json = readDefinition(JSON.stringify({ board: 'malta', images }), 'json');
    const yaml = readDefinition('board: malta\nimages: { kernel: builtin:k }', 'yaml');
    expect(json.ok && json.jobs).toEqual([{ spec: { board: 'malta', images }, combination: {} }]);
    expect(yaml.ok && yaml.jobs).toEqual(json.ok && json.jobs);
  });

  it('has line and column of every error, also in JSON', () => {
    const json = JSON.stringify({ board: 'malta', images, steps: [{ expect: '[' }], memory: 'much' }, undefined, '\t');
    expect(errorsOf(json, 'json')).toMatchObject([
      { field: 'memory', line: 11, column: 2 },
      { field: 'steps[0].expect', line: 8, column: 4 },
    ]);
    const read = readDefinition('{"board": "maltese",\n "images": {}}', 'json');
    const late = { field: 'images', message: 'm', mend: 'n' };
    expect(read.ok && read.locate(late)).toEqual({ ...late, line: 2, column: 2 });
  });

  it.each([
    ['{"board":', 1, 10],
    ['{\n  "board": malta }', 2, 12],
    ['board: malta', 1, 1],
  ])('is refused where it is said to be JSON and is none: %j', (text, line, column) => {
    expect(errorsOf(text, 'json')).toMatchObject([{ field: 'body', line, column }]);
  });

  it('is refused in any case where it is nested beyond reason', () => {
    for (const format of ['yaml', 'json', 'lava'] as const) {
      expect(errorsOf('['.repeat(100_000), format)[0]?.field).toBe('body');
    }
  });

  it('may be a LAVA job, whose images may be in the lab', () => {
    const lava = (url: string): string => `
job_name: boot
device_type: qemu-mipsel
actions:
  - deploy: { to: tmpfs, images: { kernel: { url: '${url}', image_arg: '-kernel {kernel}' } } }
  - boot: { method: qemu, prompts: ['/ #'] }
`;
    const read = readDefinition(lava('upload:vmlinux'), 'lava');
    expect(read.ok && read.jobs[0]?.spec).toMatchObject({ board: 'malta', images: { kernel: 'upload:vmlinux' } });
    expect(errorsOf(lava('https://example.org/vmlinux'), 'lava')).toMatchObject([
      { field: 'actions[0].deploy.images.kernel.url', line: 5 },
    ]);
  });
});
