import { defineDevice } from '../device.js';
import type { I2cTarget } from './i2c-target.js';

/**
 * A 256-byte serial EEPROM with one address byte, as on memory modules.
 * Source: Atmel AT24C02 data sheet (0180), sections "Write operations" and "Read operations".
 */
export interface EepromProperties {
  /** 7-bit I2C address. */
  readonly address: number;
  /** Contents, up to 256 bytes; the rest is erased (0xff). */
  readonly contents: Uint8Array;
  /** The WP pin; modules protect their first half, most tie it high. */
  readonly writeProtected?: boolean;
}

const SIZE = 256;

export const eeprom24c02 = defineDevice({
  type: 'at24c02',
  title: '24C02 serial EEPROM',
  stateVersion: 1,
  create(device, { address, contents, writeProtected = true }: EepromProperties) {
    const initial = new Uint8Array(SIZE).fill(0xff);
    initial.set(contents.subarray(0, SIZE));
    const { cells } = device.state({ cells: initial }, { survivesReset: true });
    const pointer = device.state({ address: 0, awaitsAddress: false });
    const target: I2cTarget = {
      address,
      start: (direction) => {
        pointer.awaitsAddress = direction === 'write';
        return true;
      },
      write: (byte) => {
        if (pointer.awaitsAddress) {
          pointer.address = byte & 0xff;
          pointer.awaitsAddress = false;
          return true;
        }
        if (!writeProtected) cells[pointer.address] = byte;
        // A page is 8 bytes; the address rolls over within it while writing.
        pointer.address = (pointer.address & ~7) | ((pointer.address + 1) & 7);
        return !writeProtected;
      },
      read: () => {
        const byte = cells[pointer.address] ?? 0xff;
        pointer.address = (pointer.address + 1) % SIZE;
        return byte;
      },
      stop: () => {
        pointer.awaitsAddress = false;
      },
    };
    return { target };
  },
});
