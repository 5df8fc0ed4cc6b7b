import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import { bindArgument, environmentArgument, seedArgument } from './arguments.js';
import { outputTo, StandardInput } from './streams.js';

const soon = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('standard input', () => {
  it('is left alone until the program looks at it', async () => {
    const source = new PassThrough();
    const input = new StandardInput(source);
    source.write('waits');
    await soon();
    expect(source.readableFlowing).toBeNull();
    expect(input.length).toBe(0);
    source.end();
    await soon();
    await soon();
    expect([input.length, input.ended]).toEqual([5, true]);
    expect(Buffer.from(input.take(10)).toString()).toBe('waits');
    input.close();
  });

  it('does not touch a stream that nobody read from', () => {
    const source = new PassThrough();
    new StandardInput(source).close();
    expect(source.destroyed).toBe(false);
  });
});

describe('a file as standard input', () => {
  /** Has a program read from a file. */
  function readFrom<T>(content: Uint8Array, read: (input: StandardInput, fd: number) => T): T {
    const folder = mkdtempSync(join(tmpdir(), 'bootlab-input-'));
    writeFileSync(join(folder, 'input'), content);
    const fd = openSync(join(folder, 'input'), 'r');
    const source = Object.assign(new PassThrough(), { fd });
    try {
      const input = new StandardInput(source);
      const result = read(input, fd);
      input.close();
      expect([source.readableFlowing, source.destroyed]).toEqual([null, false]);
      return result;
    } finally {
      closeSync(fd);
      rmSync(folder, { recursive: true });
    }
  }

  it('is read where it stands, to its end', () => {
    const content = Buffer.from(Array.from({ length: 200_000 }, (_, i) => i * 7));
    const chunks = readFrom(content, (input, fd) => {
      readSync(fd, new Uint8Array(10)); // the shell, say
      const parts: Uint8Array[] = [];
      while (input.length > 0) parts.push(input.take(50_000).slice());
      expect(input.ended).toBe(true);
      return parts;
    });
    expect(Buffer.concat(chunks)).toEqual(content.subarray(10));
  });

  it('is left alone if nobody reads it', () => {
    expect(readFrom(Buffer.from('abc'), (_, fd) => readSync(fd, new Uint8Array(9)))).toBe(3);
  });

  it('that is empty has ended', () => {
    expect(readFrom(new Uint8Array(0), (input) => [input.length, input.ended])).toEqual([0, true]);
  });
});

it('output goes to streams without a descriptor byte for byte', () => {
  const stream = new PassThrough();
  outputTo(stream, () => undefined)(Uint8Array.of(0, 255, 10));
  expect(stream.read()).toEqual(Buffer.from([0, 255, 10]));
});

it('a descriptor that cannot be written to is reported, not thrown', () => {
  let closed = false;
  const write = outputTo(Object.assign(new PassThrough(), { fd: 9999 }), () => (closed = true));
  write(Uint8Array.of(1));
  expect(closed).toBe(true);
});

describe('arguments', () => {
  it.each([
    ['a:/b', { host: 'a', guest: '/b', readOnly: false }],
    ['/x/y:/z:ro', { host: '/x/y', guest: '/z', readOnly: true }],
  ])('--bind %s', (text, bind) => {
    expect(bindArgument(text)).toEqual(bind);
  });

  it.each(['a', 'a:b', ':/b', 'a:/b:wo', 'a:/b:ro:x'])('--bind %s is refused', (text) => {
    expect(() => bindArgument(text)).toThrow('HOST:GUEST');
  });

  it('--env sets a variable, empty too, or passes one on', () => {
    expect(environmentArgument('A=b=c')).toEqual({ name: 'A', value: 'b=c' });
    expect(environmentArgument('A=')).toEqual({ name: 'A', value: '' });
    process.env['BOOTLAB_TEST_VARIABLE'] = 'here';
    expect(environmentArgument('BOOTLAB_TEST_VARIABLE')).toEqual({ name: 'BOOTLAB_TEST_VARIABLE', value: 'here' });
    delete process.env['BOOTLAB_TEST_VARIABLE'];
    expect(() => environmentArgument('BOOTLAB_TEST_VARIABLE')).toThrow('not set here');
    expect(() => environmentArgument('=x')).toThrow('NAME=VALUE');
  });

  it('--seed is 32 bits', () => {
    expect(seedArgument('4294967295')).toBe(0xffffffff);
    for (const text of ['-1', '4294967296', 'x', '1.5']) expect(() => seedArgument(text)).toThrow('not a seed');
  });
});
