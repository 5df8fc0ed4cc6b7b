import { describe, expect, it } from '@jest/globals';
import { ConsolePattern, PatternError } from '../pattern.js';
import type { Step } from '../spec/step.js';
import { StepEngine, type StepEngineOptions } from './step-engine.js';

/** An engine on a console that a test plays: what is printed, what is typed, what time it is. */
class Desk {
  readonly sent: string[] = [];
  readonly engine: StepEngine;
  nowNs = 0;

  constructor(steps: Step[], options: Partial<StepEngineOptions> = {}) {
    this.engine = new StepEngine({ steps, console: 'uart0', send: (_, text) => void this.sent.push(text), ...options });
    this.engine.start(0);
  }

  print(text: string | Uint8Array, console = 'uart0'): this {
    this.nowNs += 10;
    this.engine.feed(console, text, this.nowNs);
    return this;
  }

  /** Lets virtual time pass, deadline by deadline, as whoever drives a machine does. */
  pass(ns: number): this {
    const end = this.nowNs + ns;
    while (this.engine.deadlineNs <= end) {
      this.nowNs = this.engine.deadlineNs;
      this.engine.advance(this.nowNs);
    }
    this.nowNs = end;
    return this;
  }

  /** What a shell does with a command: echoes it as a line editor may, and runs it. */
  answer(output: string, status: number, prompt = '# '): this {
    const line = this.sent.at(-1) ?? '';
    const [, begin = '', end = ''] = /echo "@bl"":(\d+):b".*echo "@bl"":(\d+):e:\$\?:"\n$/s.exec(line) ?? [];
    this.print(line.replaceAll('\n', '\r\n'));
    return this.print(`@bl:${begin}:b\r\n${output}@bl:${end}:e:${status}:\r\n${prompt}`);
  }

  get statuses(): (string | undefined)[] {
    return this.engine.stepRecords.map(({ status }) => status);
  }
}

describe('expect and send', () => {
  const login: Step[] = [{ expect: 'login:' }, { send: 'root\n' }, { expect: '# $' }];

  it('answers a prompt and ends when the last expect is met', () => {
    const desk = new Desk(login).print('Debian\r\n\r\nhost login: ').print('root\r\nroot@host:~# ');
    expect(desk.sent).toEqual(['root\n']);
    expect(desk.engine.endsRun).toBe(true);
    expect(desk.engine.stepRecords.map(({ doneNs }) => doneNs)).toEqual([10, 10, 20]);
    expect(desk.engine.stepRecords.map(({ lines }) => lines)).toEqual([
      { first: 1, last: 3 },
      { first: 3, last: 3 },
      { first: 3, last: 4 },
    ]);
  });

  it('does not depend on how the console is cut into chunks', () => {
    const text = 'Debian\r\n\r\nhost \x1b[1mlogin: root\r\nroot@host:~# ';
    for (let cut = 1; cut < text.length; cut++) {
      const desk = new Desk(login).print(text.slice(0, cut)).print(text.slice(cut));
      expect(desk.sent).toEqual(['root\n']);
      expect(desk.engine.endsRun).toBe(true);
    }
  });

  it('puts characters together that are cut inside their UTF-8 encoding', () => {
    const desk = new Desk([{ expect: 'grün' }]);
    for (const byte of new TextEncoder().encode('alles grün')) desk.print(Uint8Array.of(byte));
    expect(desk.engine.endsRun).toBe(true);
  });

  it('does not use the same text for two steps', () => {
    expect(new Desk([{ expect: 'ok' }, { expect: 'ok' }]).print('ok').engine.endsRun).toBe(false);
    expect(new Desk([{ expect: 'ok' }, { expect: 'ok' }]).print('okok').engine.endsRun).toBe(true);
  });

  it('sends leading text before the guest prints, and a last send does not end the run', () => {
    const desk = new Desk([{ send: 'a' }, { send: 'b' }]);
    expect(desk.sent).toEqual(['a', 'b']);
    expect(desk.engine.end).toEqual({ kind: 'steps-done' });
    expect(desk.engine.endsRun).toBe(false);
  });

  it('never ends without steps', () => expect(new Desk([]).print('anything').engine.end).toBeUndefined());

  it.each([
    ['colours', 'root@\x1b[32mho\x1b[0mst:~# '],
    ['a window title', 'root@\x1b]0;title\x07host:~# '],
    ['a message of the kernel in the line', 'root@ho[   12.345678] usb 1-1: new device\r\nst:~# '],
    ['several messages', 'root@[   12.345678] usb\r\n[   12.345690][    T1] usb\r\nhost:~# '],
  ])('sees a prompt through %s', (_, text) => {
    expect(new Desk([{ expect: 'root@host:~#' }]).print(text).engine.endsRun).toBe(true);
  });

  it('sees the kernel’s message in the middle of a line', () => {
    expect(
      new Desk([{ expect: 'new device' }]).print('root# [   12.345678] usb 1-1: new device\r\n').engine.endsRun,
    ).toBe(true);
  });

  it('listens to the console that a step names', () => {
    const desk = new Desk([{ expect: 'ready', console: 'uart1' }]).print('ready');
    expect(desk.engine.endsRun).toBe(false);
    expect(desk.print('ready', 'uart1').engine.endsRun).toBe(true);
  });

  it('times a step out in virtual time', () => {
    const desk = new Desk([{ expect: 'never', timeout: '2s' }, { send: 'x' }]);
    expect(desk.engine.deadlineNs).toBe(2e9);
    expect(desk.pass(3e9).engine.end).toEqual({ kind: 'step-timeout' });
    expect(desk.statuses).toEqual(['timeout', undefined]);
    expect(desk.sent).toEqual([]);
    expect(desk.engine.stepRecords[0]?.doneNs).toBe(2e9);
  });

  it('reads results that the guest prints by itself', () => {
    const desk = new Desk([{ expect: 'PROJECT EXECUTION', format: 'ztest' }]);
    desk
      .print(
        'Running TESTSUITE a\r\nSTART - test_x\r\n PASS - test_x in 0.001 seconds\r\nPROJECT EXECUTION SUCCESSFUL\r\n',
      )
      .pass(1e9);
    expect(desk.engine.end).toEqual({ kind: 'steps-done' });
    expect(desk.engine.stepRecords[0]?.cases.map(({ path }) => path)).toEqual([['a', 'test_x']]);
  });
});

describe('run', () => {
  const ready = (step: Step, more: Step[] = []) => new Desk([step, ...more]).print('boot\r\n# ').pass(2e8);

  it('types only once the prompt stands still', () => {
    const desk = new Desk([{ run: 'true' }]).print('### ').pass(5e7).print('Starting\r\n').pass(1e9);
    expect(desk.sent).toEqual([]);
    expect(desk.print('# ').pass(2e8).sent).toHaveLength(1);
  });

  it('gives exit status, output and its place in the log', () => {
    const desk = ready({ run: 'ls /nothing', exit: 'any' }).answer('ls: /nothing: No such file\r\n', 2);
    expect(desk.engine.stepRecords[0]).toMatchObject({
      status: 'pass',
      exitStatus: 2,
      output: 'ls: /nothing: No such file\n',
      lines: { first: 4, last: 5 },
    });
  });

  it('takes output that does not end with a newline', () => {
    expect(ready({ run: 'printf x' }).answer('x', 0).engine.stepRecords[0]).toMatchObject({
      status: 'pass',
      output: 'x',
    });
  });

  it('types what is long in pieces, and no more of them after one that the shell refuses', () => {
    const pieces = (status: number): number => {
      const desk = ready({ run: `echo ${'x'.repeat(1000)}` });
      for (let typed = 0; typed < desk.sent.length;) {
        typed = desk.sent.length;
        desk.answer('', status).pass(1e9);
      }
      return desk.sent.length;
    };
    expect(pieces(1)).toBe(1);
    expect(pieces(0)).toBeGreaterThan(2);
  });

  it('is not fooled by the echo, however the terminal breaks it', () => {
    const desk = ready({ run: 'true' });
    const typed = desk.sent[0] ?? '';
    desk
      .print(typed)
      .print(typed.replaceAll('"', ''))
      .print(typed.slice(0, 30) + '\r\n> ' + typed.slice(30))
      .pass(1e9);
    expect(desk.statuses).toEqual([undefined]);
  });

  it('is not fooled by the kernel printing into its markers, nor by colours', () => {
    const desk = ready({ run: 'make', expect: 'built' });
    desk.print(
      '@bl:1[   10.000001] eth0: link up\r\n:b\r\n\x1b[32mbu[   10.000002] x\r\nilt\x1b[0m\r\n@bl:1:e[   10.000003] y\r\n:0:\r\n# ',
    );
    expect(desk.statuses).toEqual(['pass']);
  });

  it('does not take the end of an earlier command for its own', () => {
    const desk = ready({ run: 'a' }, [{ run: 'b' }])
      .answer('', 0)
      .pass(1e9);
    desk.print('@bl:2:b\r\n@bl:1:e:7:\r\n').print('@bl:2:e:0:\r\n# ');
    expect(desk.statuses).toEqual(['pass', 'pass']);
  });

  it.each<[string, Step, string, number, RegExp]>([
    ['another exit status', { run: 'false' }, '', 1, /exit status 1, not 0/],
    ['exit status 0 where another is wanted', { run: 'true', exit: 3 }, '', 0, /exit status 0, not 3/],
    ['output without the pattern', { run: 'uname', expect: 'Linux' }, 'Minix\r\n', 0, /no match for "Linux"/],
    ['a pattern as it was written', { run: 'uname', expect: 'v\\d+\t' }, 'Minix\r\n', 0, /no match for "v\\d\+\\t"/],
  ])('fails on %s, and stops', (_, step, output, status, message) => {
    const desk = ready(step, [{ run: 'next' }])
      .answer(output, status)
      .pass(1e9);
    expect(desk.engine.end).toEqual({ kind: 'step-failed' });
    expect(desk.engine.stepRecords[0]?.message).toMatch(message);
    expect(desk.sent).toHaveLength(1);
  });

  it('goes on after a failure where the step says so', () => {
    const desk = ready({ run: 'false', on_fail: 'continue' }, [{ run: 'true' }])
      .answer('', 1)
      .pass(1e9)
      .answer('', 0);
    expect(desk.statuses).toEqual(['fail', 'pass']);
    expect(desk.engine.stepRecords[0]?.message).toBe('The command ended with exit status 1, not 0');
    expect(desk.engine.end).toEqual({ kind: 'steps-done' });
  });

  it('believes in silence where the prompt of a shell that answers is unknown', () => {
    const desk = ready({ run: 'a' }, [{ run: 'b' }])
      .answer('', 0, '~ %')
      .pass(1e9);
    expect(desk.sent).toHaveLength(2);
  });

  it('knows U-Boot’s prompt, and types to it plainly', () => {
    const desk = new Desk([{ run: 'version' }], { shell: 'u-boot' }).print('Hit any key\r\n=> ').pass(2e8);
    expect(desk.sent).toEqual(['echo "@bl"":1:b"; version; echo "@bl"":1:e:$?:"\n']);
  });

  it('has a command that is never over time out, with what it printed', () => {
    const desk = ready({ run: 'sleep 1d', timeout: '5s' }).print('@bl:1:b\r\nzzz\r\n').pass(1e10);
    expect(desk.engine.stepRecords[0]).toMatchObject({ status: 'timeout', output: 'zzz\n' });
  });
});

describe('test', () => {
  it('reads the results, goes on after failed ones, and names them', () => {
    const desk = new Desk([{ test: './t', format: 'tap', name: 'unit' }, { send: 'x' }]).print('# ').pass(2e8);
    desk.answer('TAP version 13\r\n1..2\r\nok 1 - a\r\nnot ok 2[    1.000000] printk\r\n - b\r\n', 1);
    expect(desk.statuses).toEqual(['fail', 'pass']);
    expect(desk.engine.stepRecords[0]?.message).toBe('1 of 2 cases failed: b');
    expect(desk.engine.stepRecords[0]?.cases).toMatchObject([
      { path: ['a'], status: 'pass', lines: { first: 5, last: 5 } },
      { path: ['b'], status: 'fail', lines: { first: 6, last: 6 } },
    ]);
  });

  it('reads the signals that LAVA prints through the kernel, into whatever line is open', () => {
    const signal = (id: string): string =>
      `<8>[   14.052468] <LAVA_SIGNAL_TESTCASE TEST_CASE_ID=${id} RESULT=pass>\r\n`;
    const desk = new Desk([
      { test: './t', format: 'lava-signal' },
      { expect: 'done', format: 'lava-signal' },
    ]);
    desk
      .print('# ')
      .pass(2e8)
      .answer(`../bin/lava-test-case${signal('a')}rest\r\n${signal('b')}`, 0);
    desk.print(`half a li${signal('c')}ne\r\ndone\r\n`);
    const [ran, expected] = desk.engine.stepRecords;
    expect(ran?.cases).toMatchObject([{ path: ['a'], status: 'pass' }, { path: ['b'] }]);
    expect(expected?.cases).toMatchObject([{ path: ['c'], status: 'pass' }]);
  });

  it.each<[string, string, number, RegExp]>([
    ['output without results', 'nothing\r\n', 0, /no results in this format/],
    [
      'a failed runner though all cases passed',
      '1..1\r\nok 1\r\n',
      1,
      /exit status 1, not 0, although every case passed/,
    ],
    ['fewer cases than planned', '1..2\r\nok 1\r\n', 0, /1 of 2 cases failed: plan/],
  ])('fails on %s', (_, output, status, message) => {
    const desk = new Desk([{ test: './t', format: 'tap' }]).print('# ').pass(2e8).answer(output, status);
    expect(desk.engine.stepRecords[0]).toMatchObject({ status: 'fail', message: expect.stringMatching(message) });
  });

  it('reads results by a pattern', () => {
    const pattern = '^(?P<status>PASS|FAIL): (?P<name>\\S+)';
    const desk = new Desk([{ test: './t', format: 'regex', pattern }]).print('# ').pass(2e8);
    desk.answer('PASS: a\r\nnothing\r\nFAIL: b\r\n', 0);
    expect(desk.engine.stepRecords[0]?.cases).toMatchObject([
      { path: ['a'], status: 'pass' },
      { path: ['b'], status: 'fail' },
    ]);
  });

  it('keeps the results of a test that never ends', () => {
    const desk = new Desk([{ test: './t', format: 'tap', timeout: '9s' }]).print('# ').pass(2e8);
    desk.print('@bl:1:b\r\n1..2\r\nok 1 - a\r\n').pass(1e10);
    expect(desk.engine.stepRecords[0]).toMatchObject({
      status: 'timeout',
      cases: [
        { path: ['a'], status: 'pass' },
        { path: ['plan'], status: 'error' },
      ],
    });
  });

  it.each([
    [0, 0, 'pass', 'pass'],
    [4, 0, 'skip', 'pass'],
    [1, 0, 'fail', 'fail'],
    [1, 'any', 'fail', 'pass'],
    [3, 3, 'pass', 'pass'],
    [4, 4, 'pass', 'pass'],
    [0, 3, 'fail', 'fail'],
  ] as const)('makes a case of exit status %d where %s is wanted', (status, exit, result, outcome) => {
    const desk = new Desk([{ test: './t', format: 'exit-code', exit }]).print('# ').pass(2e8).answer('', status);
    expect(desk.engine.stepRecords[0]).toMatchObject({ status: outcome, cases: [{ path: ['./t'], status: result }] });
  });
});

describe('wait, reset, power, upload', () => {
  it('waits in virtual time', () => {
    const desk = new Desk([{ wait: '2s' }, { send: 'x' }]).pass(1.9e9);
    expect(desk.sent).toEqual([]);
    expect(desk.pass(2e8).sent).toEqual(['x']);
  });

  it('asks for the reset between two stretches, at a time that depends on the guest alone', () => {
    const desk = new Desk([{ expect: 'x' }, { reset: true }, { power: 'cycle' }]).print('x');
    expect(desk.engine.action).toBeUndefined();
    expect(desk.engine.deadlineNs - desk.nowNs).toBeGreaterThanOrEqual(desk.engine.lookaheadNs);
    expect(desk.pass(1e9).engine.action).toEqual({ kind: 'reset' });
    desk.engine.acted(desk.nowNs);
    expect(desk.pass(1e9).engine.action).toEqual({ kind: 'power', action: 'cycle' });
    desk.engine.acted(desk.nowNs);
    expect(desk.engine.endsRun).toBe(false);
  });

  it.each([
    ['arrived', 'sha', 'pass'],
    ['was damaged', 'other  -\r\n', 'fail'],
  ])('uploads a file and checks that it %s', (_, digest, status) => {
    const file = { bytes: new TextEncoder().encode("#!/bin/sh\necho 'hi'\0"), sha256: 'sha' };
    const steps: Step[] = [{ upload: './t', to: '/root/t', mode: '755' }];
    const desk = new Desk(steps, { uploads: new Map([['./t', file]]) }).print('# ').pass(2e8);
    for (let i = 0; i < 4 && desk.statuses[0] === undefined; i++) {
      desk.answer(i === 3 ? `${digest}\r\n` : '', 0).pass(1e9);
    }
    expect(desk.sent.join('')).toMatch(/: > .*printf %b .*#?!?.*chmod 755 .*sha256sum/s);
    expect(desk.statuses).toEqual([status]);
  });
});

it.each<[string, Step, Partial<StepEngineOptions>, string]>([
  ['a file that it was not given', { upload: './t', to: '/t' }, {}, 'The file ./t was not given to this run'],
  [
    'a shell that cannot write it',
    { upload: './t', to: '/ü' },
    { shell: 'u-boot', uploads: new Map([['./t', { bytes: Uint8Array.of(1), sha256: '' }]]) },
    'U-Boot cannot write files',
  ],
])('fails to upload %s', (_, step, options, message) => {
  const desk = new Desk([step], options).print('=> # ').pass(1e9);
  expect(desk.engine.stepRecords[0]).toMatchObject({ status: 'fail', message });
  expect(desk.sent).toEqual([]);
});

it('is never nearer to a deadline than it foretold', () => {
  const steps: Step[] = [
    { expect: 'a', timeout: '3s' },
    { wait: '50ms' },
    { run: 'true', timeout: '70ms' },
    { reset: true },
  ];
  const desk = new Desk(steps);
  const lookaheads = [desk.engine.lookaheadNs];
  desk.print('a');
  expect(desk.engine.deadlineNs - desk.nowNs).toBeGreaterThanOrEqual(lookaheads[0] ?? Infinity);
  expect(lookaheads).toEqual([10e6]);
});

describe('ConsolePattern', () => {
  const matches = (source: string, text: string): boolean => {
    const pattern = new ConsolePattern(source);
    return [...text].some((character) => pattern.push(character));
  };

  it.each([
    ['^done$', 'x\ndone\n', true],
    ['^done', 'undone', false],
    ['a.c', 'a\nc', false],
    ['a\\sc', 'a\nc', true],
    ['one\\r\\n\\r\\ntwo', 'one\r\n\r\ntwo', true],
    ['(?s)begin.*end', 'begin\n1\n2\nend', true],
    ['T\\d: (ok|fine)', 'T1: bad\nT2: fine', true],
  ])('%j in %j: %s', (source, text, found) => expect(matches(source, text)).toBe(found));

  it.each(['(', '[z-a]', '(?=x)', '\\1', 'a**', 'x{5000}', '((a{100}){100}){100}', '', 'a*', 'x'.repeat(1001)])(
    'refuses %j',
    (source) => expect(() => new ConsolePattern(source)).toThrow(PatternError),
  );

  it('stays linear on a pattern that makes backtracking engines explode', () => {
    const started = performance.now();
    expect(matches('(a+)+!$', 'a'.repeat(3000))).toBe(false);
    expect(performance.now() - started).toBeLessThan(3000);
  });
});
