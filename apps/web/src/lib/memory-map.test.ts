import { describe, expect, it } from '@jest/globals';
import { formatAddress, memoryMap } from './memory-map.js';

const device = (name: string, address: string) => ({ name, type: name, description: name, address });

describe('memoryMap', () => {
  it('sorts every place in CPU memory and I/O space, and leaves other buses and remarks out', () => {
    const map = memoryMap({
      devices: [
        device('ide', 'PCI 00:0a.1, I/O 0x01f0, 0x03f6'),
        device('flash', 'CPU 0x1e000000-0x1e3fffff, 0x1fc00000'),
        device('gt64120', 'CPU 0x14000000 (boot monitors move it to 0x1be00000), PCI 00:00.0'),
        device('spd', 'I2C 0x50'),
        device('pm', 'I/O, placed by PCI 00:0a.3 (boot monitors use 0x1000)'),
        { name: 'cpu', type: 'cpu', description: 'no address' },
        device('rtc', 'I/O 0x70'),
      ],
    });
    expect(map.map(({ space, name, start, end }) => [space, name, start, end])).toEqual([
      ['memory', 'gt64120', 0x14000000, undefined],
      ['memory', 'flash', 0x1e000000, 0x1e3fffff],
      ['memory', 'flash', 0x1fc00000, undefined],
      ['io', 'rtc', 0x70, undefined],
      ['io', 'ide', 0x1f0, undefined],
      ['io', 'ide', 0x3f6, undefined],
    ]);
  });

  it('writes memory addresses in two halves, ports short', () => {
    expect(formatAddress(0x1e000000, 'memory')).toBe('1e00 0000');
    expect(formatAddress(0x70, 'io')).toBe('0x070');
  });
});
