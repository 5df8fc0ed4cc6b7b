import { describe, expect, it } from '@jest/globals';
import { judge } from '../verdict.js';
import type { JobSpec } from '../spec/job-spec.js';
import type { StepRecord } from '../steps/step-record.js';
import { ProcessRun, type ProgramRequest, type RunnableProgram } from './process-run.js';

type Ending = Awaited<ReturnType<RunnableProgram['run']>>;

const usage = { instructions: 5, virtualNs: 10, syscalls: { write: 1 }, pageFaults: 0, peakMemoryBytes: 4096 };
const base = { kind: 'process', board: 'linux-user', images: {}, arch: 'mipsel', program: './prog' } as const;

/** Runs a program that does what `play` does. */
async function run(
  play: (request: ProgramRequest) => Ending | Promise<Ending>,
  spec: Partial<JobSpec> = {},
  limit = Infinity,
) {
  let request: ProgramRequest | undefined;
  let stop: () => void = () => undefined;
  const console: string[] = [];
  const steps: StepRecord[] = [];
  const process = new ProcessRun({
    spec: { ...base, ...spec },
    files: new Map([
      [0, Buffer.from('program')],
      [2, Buffer.from('input')],
    ]),
    timeoutNs: 3e9,
    wallGuardMs: 50,
    consoleLimitBytes: limit,
    createProgram: (asked) => {
      request = asked;
      const stopped = new Promise<Ending>((resolve) => (stop = () => resolve({ kind: 'stopped' })));
      return Promise.resolve({
        nowNs: 7,
        stats: usage,
        run: () => Promise.race([play(asked), stopped]),
        filesAt: () => [],
        stop,
      });
    },
    onConsole: ({ uart, data }) => console.push(`${uart} ${Buffer.from(data).toString()}`),
    onStep: (record) => steps.push(record),
  });
  const report = await process.run();
  return { report, request, console, steps, verdict: judge(report.end, { ...report, timeoutNs: 3e9 }) };
}

describe('a program under test', () => {
  it('gets its files, arguments and variables, and nothing else', async () => {
    const spec = { arguments: ['-v', ''], environment: { A: '1', PATH: '/x' }, memory: '64M' };
    const { request } = await run(() => ({ kind: 'exited', code: 0 }), spec);
    expect(request).toMatchObject({ arch: 'mipsel', program: '/program', args: ['-v', ''], memoryBytes: 64 * 2 ** 20 });
    expect(request?.environment).toEqual({ PATH: '/x', HOME: '/root', A: '1' });
    expect(request?.files.content.map(({ path }) => path)).toEqual(['tmp', 'root', '/program']);
  });

  it('reads what the job has as standard input: nothing, a text, or a file', async () => {
    const stdin = async (spec: Partial<JobSpec>): Promise<string> => {
      const { request } = await run(() => ({ kind: 'exited', code: 0 }), spec);
      return Buffer.from(request?.files.stdin ?? 'none').toString();
    };
    expect(await stdin({})).toBe('');
    expect(await stdin({ stdin_text: 'λ\n' })).toBe('λ\n');
    expect(await stdin({ stdin: './program', files: {} })).toBe('input');
  });

  it('prints on two consoles, and cases are read from the first', async () => {
    const { report, console, verdict } = await run(
      ({ files }) => {
        files.stdout(Buffer.from('\u001b[32m[ RUN      ] a.b\n[       OK ] a.b (2 ms)\n'));
        files.stderr(Buffer.from('ok 1 - not a case\n'));
        files.stdout(Buffer.from('[ RUN      ] a.c\n[  FAILED  ] a.c (1 ms)'));
        return { kind: 'exited', code: 0 };
      },
      { results: { format: 'gtest' } },
    );
    expect(console).toHaveLength(3);
    expect(report.steps[0]?.cases.map(({ path, status }) => [path.join('.'), status])).toEqual([
      ['a.b', 'pass'],
      ['a.c', 'fail'],
    ]);
    expect(report.steps[0]).toMatchObject({
      kind: 'test',
      status: 'fail',
      exitStatus: 0,
      lines: { first: 1, last: 4 },
    });
    expect(verdict).toMatchObject({ outcome: 'fail', lines: { first: 3 } });
    expect(report.usage).toEqual(usage);
  });

  it.each<[Ending, string, RegExp, number | undefined]>([
    [{ kind: 'exited', code: 0 }, 'pass', /status 0/, 0],
    [{ kind: 'exited', code: 4 }, 'fail', /status 4/, 4],
    [{ kind: 'killed', signal: 'SIGBUS', number: 10 }, 'fail', /^SIGBUS ended the program \(status 138\)$/, 138],
    [{ kind: 'timeout' }, 'timeout', /^The program was still running after 3s of virtual time$/, undefined],
  ])('ends: %j', async (ending, outcome, reason, exitStatus) => {
    const { verdict, report } = await run(() => ending);
    expect(verdict.outcome).toBe(outcome);
    expect(verdict.reason).toMatch(reason);
    expect(report.steps[0]?.exitStatus).toBe(exitStatus);
  });

  it('that cannot be started is the job’s failure; a broken emulator is not', async () => {
    const wrong = Object.assign(new Error(), { field: 'program', problem: 'it is for x86', mend: 'Compile it again' });
    const { verdict, report } = await run(() => Promise.reject(wrong));
    expect(verdict).toMatchObject({ outcome: 'fail' });
    expect(verdict.reason).toBe('The program could not be started: it is for x86. Compile it again.');
    expect(report.steps[0]?.status).toBe('fail');
    await expect(run(() => Promise.reject(new Error('bug')))).rejects.toThrow('bug');
  });

  it('that takes too long here says nothing about the program', async () => {
    const { verdict, steps } = await run(() => new Promise<Ending>(() => undefined));
    expect(verdict.outcome).toBe('infra');
    expect(steps.at(-1)?.status).toBeUndefined();
  });

  it('that prints for ever is stopped', async () => {
    const { verdict, report } = await run(
      ({ files }) => {
        files.stdout(Buffer.alloc(101, 'x'));
        return new Promise<Ending>(() => undefined);
      },
      {},
      100,
    );
    expect(report.end).toEqual({ kind: 'console-limit', limitBytes: 100 });
    expect(verdict).toMatchObject({ outcome: 'fail' });
  });
});
