import { describe, expect, it, jest } from '@jest/globals';
import type { GuestName } from '../support/requirements.js';
import { describeWith, guest, GUEST_SELF_TEST_LINES } from '../support/requirements.js';
import { bootMalta } from './bootlab.js';

const TEN_MINUTES = 600_000;
jest.setTimeout(TEN_MINUTES);

describe('the self-test firmware', () => {
  it.each(['little', 'big'])('passes, %s-endian', async (order) => {
    const run = await bootMalta(['--firmware', 'selftest', '--byte-order', order]);
    expect(run.errors).toMatch(/bootlab: pass: The guest powered off/);
    expect(run.status).toBe(0);
  });
});

describeWith(['malta-el', 'malta-be'], 'Linux on Malta', () => {
  it.each<[GuestName, string]>([
    ['malta-el', 'mips'],
    ['malta-be', 'mips'],
  ])('%s boots unmodified, computes what every machine computes, and powers off', async (name, machine) => {
    const { kernel, initrd } = guest(name);
    const run = await bootMalta(
      ['--memory', '256M', '--timeout', '10m', '--kernel', kernel, '--initrd', initrd],
      TEN_MINUTES,
    );
    const lines = run.output.split('\r\n');
    const booted = lines.indexOf('BOOT-OK');
    expect(lines[booted + 1]).toMatch(new RegExp(`^Linux .* ${machine} `));
    expect(lines.filter((line) => /^(T\d |TEST-DONE)/.test(line))).toEqual(GUEST_SELF_TEST_LINES);
    expect(run.errors).toMatch(/bootlab: pass: The guest powered off/);
    expect(run.status).toBe(0);
  });
});
