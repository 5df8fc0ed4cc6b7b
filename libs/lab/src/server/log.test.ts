import { expect, it } from '@jest/globals';
import { once } from 'node:events';
import { Writable } from 'node:stream';
import { openLog } from './log.js';

it('refuses a level that there is not', () => {
  expect(() => openLog('x', { BOOTLAB_LOG_LEVEL: 'loud' })).toThrow(/BOOTLAB_LOG_LEVEL/);
  expect(openLog('x', { BOOTLAB_LOG_LEVEL: '' }).level).toBe('info');
});

it('writes one JSON object a line, without secrets', async () => {
  const lines: string[] = [];
  const sink = new Writable({
    write(chunk: Buffer, _encoding, done) {
      lines.push(chunk.toString());
      done();
    },
  });
  const log = openLog('api', {}, sink);
  log.info({ jobId: 'j', headers: { authorization: 'Bearer blt_secret', accept: '*/*' } }, 'said');
  sink.end();
  await once(sink, 'finish');
  const [line = ''] = lines;
  expect(JSON.parse(line)).toMatchObject({
    name: 'api',
    level: 30,
    msg: 'said',
    jobId: 'j',
    headers: { accept: '*/*' },
  });
  expect(line).not.toContain('blt_secret');
});
