import { describe, expect, it } from '@jest/globals';
import { formatAddress, memoryMap } from './memory-map.js';

const device = (name: string, address: string) => ({ name, type: name, description: name, address });

describe('memoryMap', () => {
  it('sorts every range of every device by address space and address', () => {
    const map = memoryMap({
      devices: [
        device('pic', 'io 0x20-0x21, io 0xa0-0xa1'),
        device('flash', '0x1e000000-0x1e3fffff'),
        device('ram', '0x00000000-0x0fffffff'),
        { name: 'cpu', type: 'cpu', description: 'no address' },
        device('rtc', 'io 0x70'),
      ],
    });
    expect(map.map(({ space, name, start, end }) => [space, name, start, end])).toEqual([
      ['memory', 'ram', 0, 0x0fffffff],
      ['memory', 'flash', 0x1e000000, 0x1e3fffff],
      ['io', 'pic', 0x20, 0x21],
      ['io', 'rtc', 0x70, undefined],
      ['io', 'pic', 0xa0, 0xa1],
    ]);
  });

  it('writes memory addresses in two halves, ports short', () => {
    expect(formatAddress(0x1e000000, 'memory')).toBe('1e00 0000');
    expect(formatAddress(0x70, 'io')).toBe('0x070');
  });
});
