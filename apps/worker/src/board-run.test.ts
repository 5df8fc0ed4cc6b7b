import { describe, expect, it } from '@jest/globals';
import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { selfTestFirmware } from '@bootlab/emulator';
import type { ConsoleSpan, RunReport } from '@bootlab/lab';
import { temporaryFolder } from '@bootlab/lab/testing';
import { runBoard } from './board-run.js';
import { ConsoleCredit, type BoardTask, type FromBoard } from './protocol.js';

// The self-test firmware of the Malta board, run as a board thread runs it, but in this thread.

type Change = Partial<Omit<BoardTask, 'files'>> & { files?: (firmware: string) => BoardTask['files'] };

async function runSelfTest({ files = (firmware) => ({ firmware }), ...change }: Change = {}): Promise<{
  spans: ConsoleSpan[];
  report: RunReport;
  messages: FromBoard[];
}> {
  const folder = await temporaryFolder();
  const firmware = path.join(folder.path, 'self-test.elf');
  await writeFile(firmware, selfTestFirmware('malta', 'little'));
  const credit = new ConsoleCredit();
  const messages: FromBoard[] = [];
  const task: BoardTask = {
    board: 'malta',
    files: files(firmware),
    clock: 'virtual',
    timeoutNs: 60e9,
    wallGuardMs: 60_000,
    consoleLimitBytes: 2 ** 20,
    artifactFolder: folder.path,
    artifactLimitBytes: 2 ** 30,
    ...change,
  };
  await runBoard(
    task,
    {}, // all in this thread: the sources have no entry for another
    credit,
    (message) => messages.push(message),
    () => undefined,
  );
  await folder.remove();
  const last = messages.at(-1);
  if (last?.type !== 'end') throw new Error('the board did not report its end');
  return {
    spans: messages.flatMap((message) => (message.type === 'console' ? message.spans : [])),
    report: last.report,
    messages,
  };
}

const textOf = (spans: readonly ConsoleSpan[]): string =>
  spans.map(({ data }) => Buffer.from(data).toString()).join('');

describe('a board run', () => {
  it('runs the self-test to power-off', async () => {
    const { spans, report } = await runSelfTest();
    expect(report.end).toEqual({ kind: 'power-off' });
    expect(textOf(spans)).toContain('SELFTEST: PASS');
    expect(report.virtualNs).toBeGreaterThan(0);
    expect(report.instructions).toBeGreaterThan(0);
  }, 60_000);

  it('gives the same chunks at the same virtual times, and the same memory, every time', async () => {
    const [first, second] = [await runSelfTest(), await runSelfTest()];
    expect(second.spans).toEqual(first.spans);
    expect(second.report).toEqual(first.report);
    expect(first.report.ramSha256).toMatch(/^[0-9a-f]{64}$/);
  }, 60_000);

  it('ends at the byte that meets the last step', async () => {
    const { spans, report } = await runSelfTest({ steps: [{ expect: 'alu +ok' }, { expect: 'multiply +ok' }] });
    expect(report.end).toEqual({ kind: 'steps-done' });
    expect(textOf(spans)).toMatch(/multiply +ok$/);
    expect(report.steps.map(({ doneNs }) => typeof doneNs)).toEqual(['number', 'number']);
  }, 60_000);

  it('reports the step that was never reached', async () => {
    const { report } = await runSelfTest({ steps: [{ expect: 'login:' }] });
    expect(report.end).toEqual({ kind: 'power-off' });
    expect(report.steps[0]?.doneNs).toBeUndefined();
  }, 60_000);

  it('hands out each result once, in the course of the run or with its end', async () => {
    const steps = [{ expect: 'alu +ok' }, { expect: 'multiply +ok', name: 'multiply' }, { expect: 'no such text' }];
    const { messages } = await runSelfTest({ steps });
    const results = messages.flatMap((message) => ('results' in message ? (message.results ?? []) : []));
    expect(results.map(({ result }) => [result.name, result.status])).toEqual([
      ['1: expect "alu +ok"', 'pass'],
      ['multiply', 'pass'],
      ['3: expect "no such text"', 'fail'],
    ]);
  }, 60_000);

  it('leaves its drives as artifacts', async () => {
    const folder = await temporaryFolder();
    const drive = path.join(folder.path, 'drive');
    const bytes = Buffer.alloc(5 * 2 ** 20, 'bootlab ');
    await writeFile(drive, bytes);
    const { messages } = await runSelfTest({
      files: (firmware) => ({ firmware, drives: [drive] }),
      artifacts: [{ drive: 0, as: 'disk.img' }],
      artifactFolder: folder.path,
    });
    const end = messages.at(-1);
    const [artifact] = end?.type === 'end' ? end.artifacts : [];
    expect(artifact).toMatchObject({ name: 'disk.img', sizeBytes: bytes.length });
    expect(artifact?.sha256).toBe(createHash('sha256').update(bytes).digest('hex'));
    expect((await readFile(artifact?.file ?? '')).equals(bytes)).toBe(true);
    await folder.remove();
  }, 60_000);

  it('ends at the limits of virtual time and of console output', async () => {
    const timeout = await runSelfTest({ timeoutNs: 1_000_000 });
    expect(timeout.report).toMatchObject({ end: { kind: 'timeout' } });
    // An access to a device is never cut in two: the run ends with it, at most its 2 µs after the limit.
    expect(timeout.report.virtualNs).toBeGreaterThanOrEqual(1_000_000);
    expect(timeout.report.virtualNs).toBeLessThan(1_002_000);
    const talkative = await runSelfTest({ consoleLimitBytes: 10 });
    expect(talkative.report.end).toEqual({ kind: 'console-limit', limitBytes: 10 });
    expect(textOf(talkative.spans)).toHaveLength(11);
  }, 60_000);
});
