import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { PassThrough } from 'node:stream';
import { bootlabCommand } from '../parse.js';
import { addExecCommand } from './command.js';
import type { ExecOptions } from './options.js';
import { ordinaryOptions } from './ordinary-options.js';

/** What commander makes of a line; undefined where it finds something wrong, or prints something. */
function commandersOptions(words: readonly string[]): ExecOptions | undefined {
  let found: ExecOptions | undefined;
  const nowhere = { stdout: new PassThrough(), stderr: new PassThrough() };
  const program = bootlabCommand('1.2.3', nowhere);
  addExecCommand(program, (options) => {
    found = options;
    return Promise.resolve();
  });
  try {
    program.parse(words, { from: 'user' });
  } catch {
    return undefined;
  }
  return found;
}

const ORDINARY: readonly (readonly string[])[] = [
  ...['mipsel', 'mips'].map((arch) => ['--arch', arch]),
  ...['virtual', 'wall'].map((clock) => ['--clock', clock]),
  ...['jit', 'interp'].map((accel) => ['--accel', accel]),
  ...['none', 'loopback', 'host'].map((net) => ['--net', net]),
  ...['/a:/b', '/c:/d:ro', 'e:/f:rw'].map((bind) => ['--bind', bind]),
  ...['A=1', 'B=', 'PATH'].map((variable) => ['--env', variable]),
  ...['--read-only', '--overlay', '--no-cache', '--strace'].map((flag) => [flag]),
  ...['--root', '--cwd', '--stats'].map((option) => [option, '/somewhere']),
  ...[
    ['--memory', '512M'],
    ['--seed', '4294967295'],
  ],
];
const REST = ['--', 'true', './a.out', '-x', '--arch', 'mipsel', '-', '', 'exec'];
const ODD = [
  ...[
    '--arch',
    '--arch=mips',
    'x86',
    '--bind',
    '/a:b',
    '--env',
    '=1',
    '--seed',
    '-1',
    '--cache',
    '--help',
    '--version',
    '-h',
  ],
  ...['--unknown', '--', '', '-', '--net', '--no-net', '--root', '--read-only=yes'],
];

const lineOf = (options: readonly (readonly string[])[], rest: readonly string[]): string[] => [
  ...['exec', ...options.flat()],
  ...rest,
];

describe('options of ordinary lines', () => {
  it('are found', () => {
    const line = [
      'exec',
      '--arch',
      'mipsel',
      '--root',
      '/tree',
      '--overlay',
      '--bind',
      '/i:/work:ro',
      '--',
      '/bin/sh',
      '-c',
    ];
    expect(ordinaryOptions(line)).toEqual({
      ...{ arch: 'mipsel', root: '/tree', overlay: true, accel: 'jit', cache: true, net: 'loopback' },
      ...{ binds: [{ host: '/i', guest: '/work', readOnly: true }], environment: [], program: '/bin/sh', args: ['-c'] },
    });
  });

  it.each([
    ['no architecture', ['--', 'true']],
    ['no program', ['--arch', 'mips']],
    ['two that do not go together', ['--arch', 'mips', '--overlay', '--read-only', 'true']],
    ['an unknown value', ['--arch', 'x86', 'true']],
    ['a value that cannot be read', ['--arch', 'mips', '--seed', 'x', 'true']],
    ['no value', ['--arch', 'mips', '--root']],
    ['an option as a value', ['--arch', 'mips', '--root', '--overlay', 'true']],
    ['a value in the same word', ['--arch=mips', 'true']],
    ['a question', ['--help']],
  ])('commander is asked about %s', (_, words) => {
    expect(ordinaryOptions(['exec', ...words])).toBeUndefined();
  });

  it('are those of commander, wherever it would find something wrong as well', () => {
    const ordinary = fc.array(fc.constantFrom(...ORDINARY), { maxLength: 8 });
    const words = fc.array(fc.constantFrom(...REST), { maxLength: 4 });
    const odd = fc.array(fc.constantFrom(...ODD), { maxLength: 2 });
    fc.assert(
      fc.property(ordinary, odd, ordinary, words, (first, strange, second, rest) => {
        const line = [...lineOf(first, strange), ...second.flat(), ...rest];
        const options = ordinaryOptions(line);
        if (options !== undefined) expect(options).toEqual(commandersOptions(line));
      }),
      { numRuns: 3000 },
    );
  });

  it('are found wherever commander finds some, in words of their own', () => {
    const ordinary = fc.array(fc.constantFrom(...ORDINARY), { maxLength: 8 });
    const rest = fc.array(fc.constantFrom(...REST), { maxLength: 4 });
    fc.assert(
      fc.property(ordinary, rest, (options, last) => {
        const line = lineOf(options, ['--', ...last]);
        expect(ordinaryOptions(line)).toEqual(commandersOptions(line));
      }),
      { numRuns: 3000 },
    );
  });
});
