import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { expandJob, readJobFile, type JobFileResult } from './job-file.js';

const HEAD = 'board: malta\nimages: { kernel: ./vmlinux }\n';

const jobsOf = (result: JobFileResult) => {
  if (!result.ok) throw new Error(JSON.stringify(result.errors));
  return result.jobs;
};
const errorsOf = (text: string) => {
  const result = readJobFile(text);
  return result.ok ? [] : result.errors;
};

describe('readJobFile', () => {
  it('reads the whole vocabulary, as YAML and as JSON', () => {
    const yaml = readFileSync(new URL('samples/vocabulary.yml', import.meta.url), 'utf8');
    const [job] = jobsOf(readJobFile(yaml));
    expect(job?.spec.steps).toHaveLength(11);
    expect(job?.spec.steps?.[9]).toEqual({ power: 'off' });
    expect(jobsOf(readJobFile(JSON.stringify(job?.spec)))[0]?.spec).toEqual(job?.spec);
  });

  it('puts variables in, with their type where nothing stands beside them', () => {
    const text = `${HEAD}variables: { tries: 3, host: lab }
retries: \${{ tries }}
cmdline: hostname=\${{host}} n=\${{ tries }} $HOME \${HOME}
`;
    const [job] = jobsOf(readJobFile(text, { variables: { host: 'desk' } }));
    expect(job?.spec).toMatchObject({ retries: 3, cmdline: 'hostname=desk n=3 $HOME ${HOME}' });
    expect(job?.spec).not.toHaveProperty('variables');
  });

  it('makes a job of each combination of the matrix', () => {
    const text = `${HEAD}variables: { size: small }
matrix: { cpu: [24Kf, 34Kf], kernel: [./a, ./b], size: [small, large] }
name: boot \${{ size }}
`;
    const jobs = jobsOf(readJobFile(text));
    expect(jobs.map(({ spec }) => [spec.cpu, spec.images.kernel, spec.name]).slice(0, 3)).toEqual([
      ['24Kf', './a', 'boot small'],
      ['24Kf', './a', 'boot large'],
      ['24Kf', './b', 'boot small'],
    ]);
    expect(jobs).toHaveLength(8);
    expect(jobs[7]?.combination).toEqual({ cpu: '34Kf', kernel: './b', size: 'large' });
  });

  it.each<[string, string, string, number, number]>([
    ['an unknown key', `${HEAD}memmory: 1G\n`, 'memmory', 3, 1],
    ['a bad value', `${HEAD}timeout: soon\n`, 'timeout', 3, 1],
    ['a bad pattern', `${HEAD}steps:\n  - expect: ok\n  - expect: (\n`, 'steps[1].expect', 5, 5],
    ['a step with two verbs', `${HEAD}steps:\n  - { expect: a, send: b }\n`, 'steps[0]', 4, 5],
    ['a step with no verb', `${HEAD}steps:\n  - name: x\n`, 'steps[0]', 4, 5],
    ['a key of another verb', `${HEAD}steps:\n  - send: a\n    exit: 0\n`, 'steps[0].exit', 5, 5],
    ['a test without a format', `${HEAD}steps:\n  - test: ./run.sh\n`, 'steps[0].format', 4, 5],
    [
      'a result pattern without names',
      `${HEAD}steps:\n  - {test: a, format: regex, pattern: a}\n`,
      'steps[0].pattern',
      4,
      30,
    ],
    ['a snapshot', `${HEAD}steps:\n  - snapshot: booted\n`, 'steps[0].snapshot', 4, 5],
    ['an artifact outside its folder', `${HEAD}artifacts: [{drive: 0, as: ../x}]\n`, 'artifacts[0].as', 3, 24],
    ['a missing field', 'images: { kernel: ./a }\n', 'board', 1, 1],
    ['an undeclared variable', `${HEAD}cpu: \${{ model }}\n`, 'cpu', 3, 1],
    ['an undeclared key of the matrix', `${HEAD}matrix: { size: [1] }\n`, 'matrix.size', 3, 11],
    ['a value of the matrix', `${HEAD}matrix:\n  timeout: [5m, 5]\n`, 'matrix.timeout[1]', 4, 17],
    [
      'a matrix too large',
      `${HEAD}matrix: {cpu: [${'a,'.repeat(60)}], memory: [${'1M,'.repeat(60)}]}\n`,
      'matrix',
      3,
      1,
    ],
    ['a name of a variable', `${HEAD}variables: { a-b: 1 }\n`, 'variables.a-b', 3, 14],
    ['broken YAML', `${HEAD}steps: [\n`, 'body', 4, 1],
    ['a tab as indentation', `${HEAD}steps:\n\t- send: a\n`, 'body', 4, 1],
    ['a key given twice', `${HEAD}board: malta\n`, 'body', 3, 1],
    ['a second document', `${HEAD}---\nboard: x\n`, 'body', 3, 1],
  ])('says where %s stands', (_, text, field, line, column) => {
    const errors = errorsOf(text);
    expect(errors).toHaveLength(1);
    expect(errors[0]).toMatchObject({ field, line, column });
    expect(errors[0]?.message).not.toBe('');
    expect(errors[0]?.mend).not.toBe('');
  });

  it('points into the anchor that an alias stands for', () => {
    const text = `${HEAD}steps:\n  - &a\n    expect: (\n  - *a\n`;
    expect(errorsOf(text).map(({ field, line }) => [field, line])).toEqual([
      ['steps[0].expect', 5],
      ['steps[1].expect', 5],
    ]);
  });

  it.each([
    [
      'a bomb of aliases',
      `a: &a [x,x,x,x,x,x,x,x,x]\n${'bcdefghi'
        .split('')
        .map((c, i) => `${c}: &${c} [${`*${'abcdefgh'[i]},`.repeat(9)}]\n`)
        .join('')}`,
    ],
    ['brackets without end', '['.repeat(100_000)],
    ['a file that is too large', `# ${'x'.repeat(2 ** 20)}\n`],
    ['a list', '- board: malta\n'],
    ['nothing', ''],
    ['a text', 'malta'],
    ['a custom tag', 'board: !!js/function "x"\n'],
    ['a key that is no text', '? [a]\n: b\n'],
  ])('refuses %s', (_, text) => {
    const started = performance.now();
    expect(errorsOf(text)[0]).toMatchObject({ message: expect.any(String), mend: expect.any(String) });
    expect(performance.now() - started).toBeLessThan(5000);
  });

  it('takes __proto__ for a key like any other', () => {
    expect(errorsOf(`${HEAD}__proto__: { cpu: x }\n`).map(({ field }) => field)).toEqual(['__proto__']);
    expect(({} as Record<string, unknown>)['cpu']).toBeUndefined();
  });
});

it('does not let variables multiply a text without end', () => {
  const variables = { long: 'x'.repeat(4096) };
  const result = expandJob({ board: 'malta', images: {}, variables, cmdline: '${{ long }}'.repeat(300) });
  expect(result).toMatchObject({
    ok: false,
    errors: [{ field: 'cmdline', message: expect.stringMatching(/too long/) }],
  });
});

it('refuses a variable from outside that the file does not know', () => {
  const result = expandJob({ board: 'malta', images: {} }, { variables: { kernl: './a' } });
  expect(result).toMatchObject({ ok: false, errors: [{ field: 'variables' }] });
});
