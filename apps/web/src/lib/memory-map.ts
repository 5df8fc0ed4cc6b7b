// The board catalogue gives each device's place as text a person can read; the memory map sorts those places.
import type { Board } from '../api/types.js';

export interface MapEntry {
  space: 'memory' | 'io';
  start: number;
  /** Inclusive; undefined when the catalogue names only a start. */
  end: number | undefined;
  name: string;
  description: string;
}

/** One place as the catalogue writes it: `CPU 0x1f000900`, `I/O 0x3f8-0x3ff`; a following `0x3f6` keeps the space. */
const PLACE = /^(?:(\S+)\s+)?(0x[0-9a-f]+)(?:\s*[-–]\s*(0x[0-9a-f]+))?$/i;
const SPACES: Readonly<Record<string, MapEntry['space']>> = { CPU: 'memory', 'I/O': 'io' };

/** Every address of every device in CPU memory and I/O space, sorted; places on other buses are left out. */
export function memoryMap(board: Pick<Board, 'devices'>): MapEntry[] {
  const entries: MapEntry[] = [];
  for (const { name, description, address = '' } of board.devices) {
    let bus = '';
    // What stands in parentheses is a remark, not a place.
    for (const part of address.replace(/\([^)]*\)/g, '').split(',')) {
      const place = PLACE.exec(part.trim());
      bus = place?.[1] ?? bus;
      const space = SPACES[bus];
      if (!place || !space) continue;
      entries.push({ space, start: Number(place[2]), end: place[3] ? Number(place[3]) : undefined, name, description });
    }
  }
  return entries.sort((a, b) => (a.space === b.space ? a.start - b.start : a.space === 'memory' ? -1 : 1));
}

export function formatAddress(address: number, space: MapEntry['space']): string {
  const hex = address.toString(16);
  return space === 'memory' ? hex.padStart(8, '0').replace(/(.{4})$/, ' $1') : `0x${hex.padStart(3, '0')}`;
}
