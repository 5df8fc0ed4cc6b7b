import { execFileSync } from 'node:child_process';
import { crc32 as crc32OfModule } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import { crc32 } from './crc32.js';

describe('CRC-32', () => {
  it('is that of RFC 1952, of bytes and of text', () => {
    expect(crc32('123456789')).toBe(0xcbf43926);
    expect(crc32(Buffer.from('123456789'))).toBe(0xcbf43926);
    expect(crc32(new Uint8Array(0))).toBe(0);
  });

  it('goes on from what came before', () => {
    expect(crc32(Buffer.from('6789'), crc32('12345'))).toBe(0xcbf43926);
  });

  it('is the same by what Node has of it without its module', () => {
    const program = `process.stdout.write(String(process.binding('zlib').crc32(Buffer.from('abc'), 7)))`;
    expect(execFileSync(process.execPath, ['-e', program], { encoding: 'utf8' })).toBe(`${crc32OfModule('abc', 7)}`);
  });
});
