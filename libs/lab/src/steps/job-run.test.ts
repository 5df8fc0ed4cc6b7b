import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { judge } from '../verdict.js';
import type { Step } from '../spec/step.js';
import {
  JobRun,
  type BoardMachine,
  type JobRunOptions,
  type RunReport,
  type StretchEnd,
  type StretchLimits,
} from './job-run.js';

/** `more`: milliseconds that pass before the machine looks up. */
type Act = { at: number; print?: string; more?: number; end?: StretchEnd };

/** A machine that plays a script in virtual milliseconds, from each of its resets anew. */
class PlayedMachine implements BoardMachine {
  readonly consoles = [{ name: 'uart0' }];
  readonly typed: string[] = [];
  resets = 0;
  closed = 0;
  nowNs = 0;
  private startNs = 0;
  private next = 0;
  private listener: Parameters<BoardMachine['onConsole']>[0] | undefined;

  constructor(private readonly script: readonly Act[]) {}

  onConsole(listener: Parameters<BoardMachine['onConsole']>[0]): () => void {
    this.listener = listener;
    return () => (this.listener = undefined);
  }

  sendConsole(_uart: string, data: Uint8Array): void {
    this.typed.push(`${this.nowNs / 1e6} ${new TextDecoder().decode(data)}`);
  }

  say(text: string): void {
    this.listener?.({ uart: 'uart0', tNs: this.nowNs, data: new TextEncoder().encode(text) });
  }

  reset(): void {
    this.resets += 1;
    this.startNs = this.nowNs;
    this.next = 0;
  }

  stats = () => ({ instructions: this.nowNs / 1e6, virtualNs: this.nowNs });
  ramSha256 = () => Promise.resolve('ab');
  close = () => void (this.closed += 1);

  play = (_machine: this, { timeoutNs = Infinity, signal }: StretchLimits): Promise<StretchEnd> => {
    for (;;) {
      const act = this.script[this.next];
      const atNs = act ? this.startNs + act.at * 1e6 : Infinity;
      if (signal.aborted) return Promise.resolve({ kind: 'aborted' });
      if (atNs > timeoutNs || act === undefined) {
        this.nowNs = timeoutNs;
        return Promise.resolve({ kind: 'timeout' });
      }
      this.next += 1;
      this.nowNs = atNs;
      if (act.print !== undefined) this.say(act.print);
      this.nowNs += (act.more ?? 0) * 1e6;
      if (act.end) return Promise.resolve(act.end);
    }
  };
}

async function run(
  script: readonly Act[],
  steps: Step[] = [],
  options: Partial<JobRunOptions<PlayedMachine>> = {},
): Promise<{ report: RunReport; machines: PlayedMachine[] }> {
  const machines = [new PlayedMachine(script)];
  const [machine] = machines;
  if (!machine) throw new Error('there is one');
  const job = new JobRun<PlayedMachine>({
    machine,
    rebuild: () => {
      machines.push(new PlayedMachine(script));
      return Promise.resolve(machines.at(-1) ?? machine);
    },
    runMachine: (current, limits) => current.play(current, limits),
    steps,
    clock: 'virtual',
    timeoutNs: 60e9,
    ...options,
  });
  const report = await job.run();
  job.close();
  return { report, machines };
}

const PANIC: Act[] = [
  { at: 100, print: '[    1.000000] Kernel panic - not syncing: Fatal exception\r\n' },
  { at: 110, print: '[    1.000001] CPU: 0 PID: 1 Comm: init\r\n' },
  { at: 120, print: '[    1.000002] Call Trace:\r\n' },
  { at: 130, print: '[    1.000003] [<80100000>] panic+0x10/0x20\r\n' },
];
const PANIC_END: Act = {
  at: 140,
  print: '[    1.000004] ---[ end Kernel panic - not syncing: Fatal exception ]---\r\n',
};
const BOOT: Act[] = [{ at: 10, print: 'boot\r\n# ' }];

describe('JobRun', () => {
  it('keeps deadlines to the nanosecond, also those that output sets', async () => {
    const steps: Step[] = [{ expect: 'boot' }, { wait: '333ms' }, { send: 'a' }, { wait: '1500us' }, { send: 'b' }];
    const { machines } = await run(BOOT, steps);
    expect(machines[0]?.typed).toEqual(['343 a', '344.5 b']);
  });

  it('ends at the byte that meets the last step', async () => {
    const { report } = await run([...BOOT, { at: 20, print: 'more' }], [{ expect: 'bo' }]);
    expect(report).toMatchObject({ end: { kind: 'steps-done' }, virtualNs: 10e6 });
  });

  it('ends then also where the machine goes on to the end of its stretch, and hears nothing of that', async () => {
    let heard = '';
    const onConsole = ({ data }: { data: Uint8Array }): void => void (heard += new TextDecoder().decode(data));
    const { report, machines } = await run([{ at: 10, print: 'boot', more: 500 }], [{ expect: 'boot' }]);
    expect(report.virtualNs).toBe(10e6);
    expect(machines[0]?.nowNs).toBe(510e6);
    await run([{ at: 10, print: 'boot' }], [{ expect: 'boot' }], {
      onConsole,
      runMachine: async (machine, limits) => {
        const end = await machine.play(machine, limits);
        machine.say('more');
        return end;
      },
    });
    expect(heard).toBe('boot');
  });

  it('hashes memory where the end is a point in virtual time', async () => {
    const hashOf = async (end: StretchEnd, steps: Step[] = []): Promise<string | undefined> =>
      (
        await run(
          [
            { at: 10, print: 'boot' },
            { at: 20, end },
          ],
          steps,
        )
      ).report.ramSha256;
    expect(await hashOf({ kind: 'power-off' })).toBe('ab');
    expect(await hashOf({ kind: 'wall-guard' })).toBeUndefined();
    expect(await hashOf({ kind: 'power-off' }, [{ expect: 'boot' }])).toBeUndefined();
  });

  it('gives the stretches of a run together the host time that it may take', async () => {
    const guards: (number | undefined)[] = [];
    await run(BOOT, [{ expect: 'boot' }, { wait: '1s' }, { wait: '1s' }], {
      wallGuardMs: 1000,
      runMachine: async (machine, limits) => {
        guards.push(limits.wallGuardMs);
        await sleep(5);
        return machine.play(machine, limits);
      },
    });
    expect(guards[0]).toBe(1000);
    expect(guards.at(-1)).toBeLessThan(1000 - 4 * (guards.length - 1));
  });

  it.each<[string, Partial<JobRunOptions<PlayedMachine>>, RunReport['end']]>([
    ['virtual time', { timeoutNs: 5e9 }, { kind: 'timeout' }],
    ['console output', { consoleLimitBytes: 3 }, { kind: 'console-limit', limitBytes: 3 }],
  ])('ends at the limit of %s', async (_, options, end) => {
    expect((await run(BOOT, [], options)).report.end).toEqual(end);
  });

  it('ends at a step’s time-out, and says so', async () => {
    const { report } = await run(BOOT, [{ expect: 'never', timeout: '2s' }]);
    expect(report).toMatchObject({ end: { kind: 'step-timeout' }, virtualNs: 2e9 });
    expect(judge(report.end, report).outcome).toBe('timeout');
  });

  it('lets a panic’s trace out to its end marker, and ends then', async () => {
    const { report } = await run([...PANIC, PANIC_END, { at: 50_000, print: 'never' }], [{ expect: 'login:' }]);
    expect(report.end).toEqual({ kind: 'kernel-panic' });
    expect(report.virtualNs).toBe(140e6);
    expect(report.kernel[0]?.trace).toContain('panic+0x10');
  });

  it('ends after a panic without end marker when the kernel has been silent in virtual time', async () => {
    const { report } = await run(PANIC, [{ expect: 'login:' }]);
    expect(report).toMatchObject({ end: { kind: 'kernel-panic' }, virtualNs: 1130e6 });
  });

  it('does not end on a step’s match in the middle of a trace', async () => {
    const { report } = await run([...PANIC, PANIC_END], [{ expect: 'Fatal' }], { failOn: ['oops'] });
    expect(report).toMatchObject({ end: { kind: 'steps-done' }, virtualNs: 140e6 });
    expect(report.kernel[0]?.trace.split('\n')).toHaveLength(5);
    expect(judge(report.end, { ...report, failOn: ['oops'] }).outcome).toBe('pass');
  });

  it('goes on after an oops, and fails in the end', async () => {
    const oops = [{ at: 5, print: '[    1.000000] Oops[#1]:\r\n[    1.000001] ---[ end trace 0 ]---\r\n' }, ...BOOT];
    const { report } = await run(oops, [{ expect: '# $' }]);
    expect(report.end).toEqual({ kind: 'steps-done' });
    expect(judge(report.end, report)).toMatchObject({
      outcome: 'fail',
      reason: expect.stringMatching(/kernel failed, oops/),
    });
  });

  it('closes a trace that the guest’s end cuts off', async () => {
    const { report } = await run([...PANIC, { at: 131, end: { kind: 'reset' } }]);
    expect(report.end).toEqual({ kind: 'reset' });
    expect(report.kernel).toHaveLength(1);
  });

  it('resets the machine where a step says so', async () => {
    const { report, machines } = await run(BOOT, [{ expect: 'boot' }, { reset: true }, { expect: 'boot' }]);
    expect(machines[0]?.resets).toBe(1);
    expect(report).toMatchObject({ end: { kind: 'steps-done' }, virtualNs: 30e6 });
  });

  it('takes a guest’s reset for an end, or for a restart', async () => {
    const script: Act[] = [...BOOT, { at: 15, end: { kind: 'reset' } }];
    const steps: Step[] = [{ expect: 'boot' }, { expect: 'boot' }];
    expect((await run(script, steps)).report.end).toEqual({ kind: 'reset' });
    const { report, machines } = await run(script, steps, { onReboot: 'restart' });
    expect(machines[0]?.resets).toBe(1);
    expect(report).toMatchObject({ end: { kind: 'steps-done' }, virtualNs: 25e6 });
  });

  it('switches off and on: another machine, one time', async () => {
    const steps: Step[] = [{ expect: 'boot' }, { power: 'off' }, { wait: '1s' }, { power: 'on' }, { expect: 'boot' }];
    const { report, machines } = await run(BOOT, steps);
    expect(machines.map(({ closed }) => closed)).toEqual([1, 1]);
    // 10 to boot, 10 to press, 1000 off, 10 to press, 10 to boot
    expect(report).toMatchObject({ end: { kind: 'steps-done' }, virtualNs: 1040e6 });
    expect(report.steps.map(({ startNs = 0 }) => startNs / 1e6)).toEqual([0, 10, 20, 1020, 1030]);
  });

  it('ends with the board off where that is the last step', async () => {
    expect((await run(BOOT, [{ expect: 'boot' }, { power: 'off' }])).report.end).toEqual({ kind: 'steps-done' });
  });

  it.each(['aborted', 'power-off'] as const)(
    'is stopped from outside, which hides nothing that came before: %s',
    async (kind) => {
      const job: JobRun<PlayedMachine> = new JobRun<PlayedMachine>({
        machine: new PlayedMachine([]),
        runMachine: () => (job.stop(), Promise.resolve({ kind })),
        steps: [],
        clock: 'virtual',
      });
      expect((await job.run()).end).toEqual({ kind });
    },
  );

  it('gives the same report every time', async () => {
    const steps: Step[] = [{ expect: 'boot' }, { run: 'x', timeout: '3s' }];
    expect((await run(BOOT, steps)).report).toEqual((await run(BOOT, steps)).report);
  });
});
