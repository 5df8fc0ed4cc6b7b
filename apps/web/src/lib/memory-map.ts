// The board catalogue gives each device's place as text a person can read; the memory map sorts those places.
import type { Board } from '../api/types.js';

export interface MapEntry {
  space: 'memory' | 'io' | 'other';
  start: number;
  /** Inclusive; undefined when the catalogue names only a start. */
  end: number | undefined;
  name: string;
  description: string;
}

const RANGE = /(0x[0-9a-f]+)(?:\s*(?:-|–|\.\.)\s*(0x[0-9a-f]+))?/gi;

/** Every address range of every device, by address space and address. A device may have several, separated by commas. */
export function memoryMap(board: Pick<Board, 'devices'>): MapEntry[] {
  const entries: MapEntry[] = [];
  for (const device of board.devices) {
    if (device.address === undefined) continue;
    for (const part of device.address.split(',')) {
      const space = spaceOf(part);
      for (const match of part.matchAll(RANGE)) {
        const start = Number(match[1]);
        const end = match[2] === undefined ? undefined : Number(match[2]);
        entries.push({ space, start, end, name: device.name, description: device.description });
      }
    }
  }
  const order = { memory: 0, io: 1, other: 2 };
  return entries.sort((a, b) => order[a.space] - order[b.space] || a.start - b.start);
}

function spaceOf(text: string): MapEntry['space'] {
  if (/\b(io|i\/o|isa|port)\b/i.test(text)) return 'io';
  return /\b(pci|smbus|i2c)\b/i.test(text) ? 'other' : 'memory';
}

export function formatAddress(address: number, space: MapEntry['space']): string {
  const hex = address.toString(16);
  return space === 'memory' ? hex.padStart(8, '0').replace(/(.{4})$/, ' $1') : `0x${hex.padStart(3, '0')}`;
}
