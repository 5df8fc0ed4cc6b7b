import { PassThrough } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import { bindArgument, environmentArgument, seedArgument } from './options.js';
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
