import { describe, expect, it, jest } from '@jest/globals';
import { describeWith, guest } from '../support/requirements.js';
import type { BootRun } from './bootlab.js';
import { bootMalta } from './bootlab.js';

jest.setTimeout(300_000);

/** Everything about a run that must not depend on the host. */
const guestView = ({ status, log, stats }: BootRun) => ({
  status,
  log,
  ramSha256: stats.ramSha256,
  instructions: stats.instructions,
  virtualSeconds: stats.virtualSeconds,
});

/**
 * Runs the same job at the same time with hot code translated, whose translations come from a thread when it has them, and
 * interpreted. So the host treats the two as differently as it can.
 */
async function twice(args: readonly string[], timeoutMs: number): Promise<[BootRun, BootRun]> {
  return Promise.all([bootMalta(args, timeoutMs), bootMalta([...args, '--accel', 'interp'], timeoutMs)]);
}

describe('the same job twice', () => {
  it('prints the same bytes at the same virtual times and leaves the same RAM: self-test firmware', async () => {
    const [first, second] = await twice(['--firmware', 'selftest'], 60_000);
    expect(first.log.length).toBeGreaterThan(100);
    expect(guestView(second)).toEqual(guestView(first));
  });
});

describeWith('malta-be', 'the same Linux job twice', () => {
  it('prints the same bytes at the same virtual times and leaves the same RAM: boot, type commands, power off', async () => {
    const { kernel, initrd } = guest('malta-be');
    const steps = [
      '--expect',
      '/ # ',
      '--send',
      'sleep 1; date\\n',
      '--expect',
      '2026\\s+/ # ',
      '--send',
      'poweroff -f\\n',
    ];
    const images = ['--kernel', kernel, '--initrd', initrd, '--append', 'console=ttyS0 corpus=shell'];
    const [first, second] = await twice([...images, ...steps], 300_000);
    expect(first.errors).toMatch(/bootlab: pass: The guest powered off/);
    expect(guestView(second)).toEqual(guestView(first));
  });
});
