import { describe, expect, it } from '@jest/globals';
import type { Board } from '../board.js';
import { checkBoard } from './board-check.js';
import { jobSpecSchema } from './job-spec.js';

const MALTA: Board = {
  id: 'malta',
  name: 'MIPS Malta',
  description: '',
  arch: 'mips',
  byteOrders: ['little', 'big'],
  cpus: [{ id: '24Kf', description: '' }],
  defaultCpu: '24Kf',
  memory: { minBytes: 2 ** 24, maxBytes: 2 ** 30, defaultBytes: 2 ** 27 },
  consoles: [{ name: 'uart0', description: '' }],
  devices: [],
  drives: 1,
  defaultCmdline: '',
  boot: '',
  instructionsPerSecond: 200e6,
  selfTest: true,
};

const DRIVE = { kernel: './a', drives: ['./d'] };
const TWICE = [
  { disk: 'sda', as: 'x' },
  { disk: 'hda', as: 'x' },
];

const check = (change: object) =>
  checkBoard(jobSpecSchema.parse({ board: 'malta', images: { kernel: './a' }, ...change }), [MALTA]);

describe('checkBoard', () => {
  it('has nothing to say about a job that fits', () => {
    const steps = [
      { run: 'true', console: 'uart0' },
      { power: 'off' },
      { wait: '1s' },
      { power: 'on' },
      { power: 'cycle' },
    ];
    const images = { kernel: './a', drives: ['./d'] };
    const artifacts = [
      { drive: 0, as: 'd' },
      { disk: 'sda', as: 'e' },
    ];
    expect(check({ cpu: '24Kf', memory: '64M', steps, images, artifacts })).toEqual([]);
  });

  it.each<[object, string, RegExp]>([
    [{ board: 'maltese' }, 'board', /Use one of: malta/],
    [{ cpu: '68000' }, 'cpu', /Use one of: 24Kf/],
    [{ memory: '8M' }, 'memory', /16M to 1G/],
    [{ images: {} }, 'images.kernel', /kernel or a firmware/],
    [{ images: { kernel: './a', drives: ['./a', './b'] } }, 'images.drives', /Remove/],
    [{ artifacts: [{ drive: 0, as: 'x' }] }, 'artifacts[0].drive', /from 0/],
    [{ images: DRIVE, artifacts: [{ disk: 'sdb', as: 'x' }] }, 'artifacts[0].disk', /from sda/],
    [{ artifacts: [{ path: '/out', as: 'x' }] }, 'artifacts[0].path', /kind: process/],
    [{ images: DRIVE, artifacts: TWICE }, 'artifacts[1].as', /once/],
    [{ steps: [{ send: 'a', console: 'uart7' }] }, 'steps[0].console', /uart0/],
    [{ steps: [{ screenshot: 'a.png' }] }, 'steps[0].screenshot', /Remove/],
    [{ steps: [{ power: 'off' }, { run: 'true' }] }, 'steps[1].run', /power: on/],
    [{ steps: [{ power: 'on' }] }, 'steps[0].power', /Remove/],
    [{ shell: 'u-boot', steps: [{ upload: './a', to: '/a' }] }, 'steps[0].upload', /drive/],
    [{ shell: 'u-boot', steps: [{ run: 'bdinfo' }, { run: 'a\nb' }] }, 'steps[1].run', /one line/],
    [{ shell: 'u-boot', steps: [{ test: 'é', format: 'u-boot-ut' }] }, 'steps[0].test', /ASCII/],
  ])('%j: %s', (change, field, mend) => {
    const errors = check(change);
    expect(errors.map((error) => error.field)).toEqual([field]);
    expect(errors[0]?.mend).toMatch(mend);
  });
});
