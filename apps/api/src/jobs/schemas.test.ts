import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { ValidationReport } from '@bootlab/lab';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { parse } from 'yaml';
import { startTestApi, type TestApi } from '../testing/test-api.js';

jest.setTimeout(60_000); // a busy machine must not fail them

// The JSON Schema is what editors hold job files against: it must say what the lab says.

let api: TestApi;
let fits: ValidateFunction;

beforeAll(async () => {
  api = await startTestApi();
  const { status, type, body } = await api.call<object>('/api/v1/schemas/job.json');
  expect([status, type.split(';')[0]]).toEqual([200, 'application/schema+json']);
  fits = new Ajv2020({ strict: true, strictRequired: false, strictTypes: false }).compile(body);
}, 60_000);
afterAll(() => api.stop());

type Job = Readonly<Record<string, unknown>>;

/** What the lab finds wrong with it. */
async function errorsOf(job: unknown): Promise<ValidationReport['errors']> {
  const call = { method: 'POST', token: api.adminToken, body: job };
  const { body } = await api.call<ValidationReport>('/api/v1/jobs/validate', call);
  return body.errors;
}

async function verdictsOn(job: unknown): Promise<{ schema: boolean; lab: boolean }> {
  return { schema: fits(job), lab: (await errorsOf(job)).length === 0 };
}

const read = (path: string): string => readFileSync(new URL(`../../../../${path}`, import.meta.url), 'utf8');
const yamlIn = (text: string): Job[] =>
  [...text.matchAll(/^```yaml\n(.*?)^```$/gms)].map(([, yaml = '']) => parse(yaml) as Job);
const jsonIn = (text: string): Job[] =>
  [...text.matchAll(/'(?:spec=)?(\{ "board".*?\})'/gs)].map(([, json = '']) => JSON.parse(json) as Job);

const BOARD: Job = { board: 'malta', images: { kernel: './vmlinux', drives: ['./disk.img'] } };
const PROCESS: Job = { kind: 'process', arch: 'mipsel', program: './hello' };
/** Examples show a part of a job; the rest is as it is usually. */
const whole = (job: Job): Job => ({ ...(job['kind'] === 'process' ? PROCESS : BOARD), ...job });

const examples = [
  ...yamlIn(read('docs/jobs.md')).map(whole),
  ...jsonIn(read('README.md')),
  parse(read('libs/lab/src/spec/samples/vocabulary.yml')) as Job,
];
const variables: Job = {
  ...BOARD,
  variables: { n: 2, clock: 'wall', exit: 'any', as: 'out', yes: true, kind: 'board' },
};

describe('the JSON Schema of job files takes what the lab takes', () => {
  it('finds the examples of the documentation', () => expect(examples.length).toBeGreaterThanOrEqual(8));

  it.each(examples.map((job) => [JSON.stringify(job).slice(0, 100), job]))('%s', async (_, job) => {
    expect(await verdictsOn(job)).toEqual({ schema: true, lab: true });
  });

  it.each<[string, Job]>([
    ['a number and a choice in variables', { ...variables, retries: '${{ n }}', clock: '${{ clock }}' }],
    ['a time with a variable in it', { ...variables, timeout: '${{ n }}m' }],
    ['an image with a variable in it', { ...variables, images: { kernel: 'upload:${{ as }}' } }],
    ['a step of variables', { ...variables, steps: [{ run: 'x', exit: '${{ exit }}' }, { reset: '${{ yes }}' }] }],
    ['an artifact of variables', { ...variables, artifacts: [{ drive: 0, as: '${{ as }}.img' }] }],
    ['its kind in a variable', { ...variables, kind: '${{ kind }}' }],
    ['its board and its kernel in the matrix', { matrix: { board: ['malta'], kernel: ['./a', './b'] } }],
    ['its architecture in the matrix', { kind: 'process', program: './a', matrix: { arch: ['mips', 'mipsel'] } }],
    ['all of a time', { ...BOARD, timeout: ' 1h2m3.5s4ms5us6ns ' }],
    ['any way to write a size', { ...BOARD, memory: '65536kiB' }],
    ['a format that is asked for where none need be', { ...BOARD, steps: [{ expect: 'x', format: 'tap' }] }],
  ])('%s', async (_, job) => expect(await verdictsOn(job)).toEqual({ schema: true, lab: true }));
});

describe('the JSON Schema of job files refuses what is wrong by itself', () => {
  const step = (value: object): Job => ({ ...BOARD, steps: [value] });
  const artifact = (value: object): Job => ({ ...BOARD, artifacts: [value] });

  it.each<[string, unknown]>([
    ['no mapping', [BOARD]],
    ['an unknown key', { ...BOARD, memmory: '1G' }],
    ['no board', { images: BOARD['images'] }],
    ['no images', { board: 'malta' }],
    ['nothing to boot', { board: 'malta', images: { initrd: './a' } }],
    ['a bare word for an image', { ...BOARD, images: { kernel: 'vmlinux' } }],
    ['a time without a unit', { ...BOARD, timeout: '90' }],
    ['a time that is a number', { ...BOARD, timeout: 90 }],
    ['a size without a unit', { ...BOARD, memory: '256' }],
    ['a name of blanks', { ...BOARD, name: ' ' }],
    ['an unknown clock', { ...BOARD, clock: 'real' }],
    ['too many retries', { ...BOARD, retries: 6 }],
    ['retries between two numbers', { ...BOARD, retries: 1.5 }],
    ['a text around a number', { ...variables, retries: '1${{ n }}' }],
    ['an unknown failure', { ...BOARD, results: { fail_on: ['sadness'] } }],
    ['a variable whose name is none', { ...BOARD, variables: { 'a-b': 1 } }],
    ['a variable that is a list', { ...BOARD, variables: { a: [1] } }],
    ['a row of the matrix without values', { ...BOARD, matrix: { cpu: [] } }],
    ['a step that does nothing', step({ name: 'x' })],
    ['a step that does two things', step({ expect: 'a', send: 'b' })],
    ['a step that runs and tests', step({ run: 'a', test: 'b', format: 'tap' })],
    ['a snapshot', step({ snapshot: 'x' })],
    ['an exit status of a text sent', step({ send: 'a', exit: 0 })],
    ['a format of a command', step({ run: 'a', expect: 'b', format: 'tap' })],
    ['a test without a format', step({ test: 'a' })],
    ['an exit status waited for', step({ expect: 'a', format: 'exit-code' })],
    ['the format regex without a pattern', step({ test: 'a', format: 'regex' })],
    ['a pattern of another format', step({ test: 'a', format: 'tap', pattern: 'a' })],
    ['a pattern without a format', step({ expect: 'a', pattern: 'a' })],
    ['an upload that goes nowhere', step({ upload: './a' })],
    ['an upload to a folder', step({ upload: './a', to: '/root/' })],
    ['an empty pattern', step({ expect: '' })],
    ['a reset that is none', step({ reset: false })],
    ['an artifact from nowhere', artifact({ as: 'a' })],
    ['an artifact from two places', artifact({ drive: 0, disk: 'sda', as: 'a' })],
    ['an artifact outside its folder', artifact({ drive: 0, as: '../a' })],
    ['an artifact of the other kind', artifact({ path: '/a', as: 'a' })],
    ['a field of the other kind', { ...BOARD, arch: 'mips' }],
    ['a program without an architecture', { kind: 'process', program: './a' }],
    ['a process without a program', { kind: 'process', arch: 'mips' }],
    ['a process on a board', { ...PROCESS, board: 'malta' }],
    ['a process with a kernel', { ...PROCESS, images: { kernel: './a' } }],
    ['a process with steps', { ...PROCESS, steps: [] }],
    ['a process with two standard inputs', { ...PROCESS, stdin: './a', stdin_text: 'a' }],
    ['a process that fails on panics', { ...PROCESS, results: { fail_on: ['oops'] } }],
    ['a disk of a process', { ...PROCESS, artifacts: [{ disk: 'sda', as: 'a' }] }],
    ['a file at a path that leaves the root', { ...PROCESS, files: { '/../a': './a' } }],
  ])('%s', async (_, job) => expect(await verdictsOn(job)).toEqual({ schema: false, lab: false }));

  it.each<[string, Job]>([
    ['which boards there are', { ...BOARD, board: 'none' }],
    ['which CPUs a board has', { ...BOARD, cpu: '68000' }],
    ['which images it has', { ...BOARD, images: { kernel: `sha256:${'0'.repeat(64)}` } }],
    ['how long a time is', { ...BOARD, timeout: '25h' }],
    ['whether a pattern is one', step({ expect: '(' })],
    ['what variables stand for', { ...BOARD, retries: '${{ n }}' }],
    ['what a matrix may set', { ...BOARD, matrix: { size: [1] } }],
  ])('but leaves to the lab %s', async (_, job) => {
    expect(await verdictsOn(job)).toEqual({ schema: true, lab: false });
  });
});

it('the JSON Schema of job files refuses nothing that the lab takes, whatever is changed in a job', async () => {
  const VALUES = [
    '',
    ' ',
    'x',
    '/x',
    './x',
    '1s',
    '1M',
    'tap',
    'regex',
    'any',
    'process',
    '${{ n }}',
    0,
    7,
    true,
    [],
    {},
  ];
  const KEYS = [...new Set([...examples, PROCESS].flatMap((job) => Object.keys(job)))];
  const STEP_KEYS = ['expect', 'run', 'test', 'send', 'upload', 'wait', 'format', 'pattern', 'exit', 'to', 'timeout'];
  const value = fc.constantFrom<unknown>(...VALUES);
  const change = (keys: readonly string[]) => fc.dictionary(fc.constantFrom(...keys), value, { maxKeys: 2 });
  let taken = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...examples, variables, PROCESS),
      change(KEYS),
      fc.option(fc.constantFrom(...KEYS), { nil: undefined }),
      fc.array(fc.dictionary(fc.constantFrom(...STEP_KEYS), value, { minKeys: 1, maxKeys: 3 }), { maxLength: 1 }),
      async (example, changed, removed, steps) => {
        const job = { ...example, ...(steps.length > 0 && { steps }), ...changed };
        const rest = Object.entries(job).filter(([key]) => key !== removed);
        const { schema, lab } = await verdictsOn(Object.fromEntries(rest));
        if (lab) taken++;
        expect(schema || !lab).toBe(true);
      },
    ),
    { numRuns: 500, seed: 20_261_129 },
  );
  expect(taken).toBeGreaterThan(50);
});
