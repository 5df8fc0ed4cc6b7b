import { describe, expect, it } from '@jest/globals';
import { Scheduler } from '../../core/index.js';
import { testDevice } from '../../testkit/device-suite.js';
import { maltaFpga } from '../misc/malta-fpga.js';
import { eeprom24c02 } from './eeprom.js';
import { I2cBus } from './i2c-target.js';
import { piix4Smbus } from './piix4-smbus.js';
import { sdramSpd } from './spd.js';

const MIB = 2 ** 20;

/** Answers every read with the complement of the address; keeps nothing. */
const statelessBus = (): I2cBus => {
  const bus = new I2cBus();
  bus.attach({ address: 0x50, start: () => true, write: () => true, read: () => 0xaf, stop: () => undefined });
  return bus;
};
function moduleBus(): I2cBus {
  const bus = new I2cBus();
  const context = { scheduler: new Scheduler(), name: 'spd' };
  bus.attach(eeprom24c02(context, { address: 0x50, contents: sdramSpd(256 * MIB) }).target);
  return bus;
}

testDevice('PIIX4 SMBus', {
  create: (context) => piix4Smbus(context, { bus: statelessBus() }),
  resetValues: { io: { SMBHSTSTS: 0, SMBHSTCNT: 0, SMBHSTADD: 0 } },
});

testDevice('Malta FPGA', {
  create: (context) => maltaFpga(context, { byteOrder: 'big', i2c: statelessBus(), onReset: () => undefined }),
  resetValues: { cbus: { STATUS: 0x12, SWITCH: 0, JMPRS: 0, BRKRES: 0x0a, I2CINP: 3, LEDBAR: 0 } },
});

testDevice('24C02', {
  create: (context) => eeprom24c02(context, { address: 0x50, contents: sdramSpd(64 * MIB), writeProtected: false }),
  handlers: ({ target }) => [
    {
      sizeBytes: 1,
      handler: {
        read: () => target.read(),
        write: (_, __, value) =>
          void (value % 8 === 0 ? target.start(value & 8 ? 'read' : 'write') : target.write(value & 0xff)),
      },
    },
  ],
  resetValues: {},
});

describe('SPD contents', () => {
  it.each([8, 16, 32, 64, 128, 256, 512, 1024])('describe %i MiB', (size) => {
    const spd = sdramSpd(size * MIB);
    const [rows = 0, columns = 0, banks = 0] = spd.subarray(3, 6);
    expect(2 ** (rows + columns) * 4 * 8 * banks).toBe(size * MIB);
    expect(spd[63]).toBe(spd.subarray(0, 63).reduce((sum, byte) => sum + byte, 0) & 0xff);
  });
});

describe('the memory module', () => {
  it('is read through the SMBus host', () => {
    const host = piix4Smbus({ scheduler: new Scheduler(), name: 'smbus' }, { bus: moduleBus() }).registers;
    const read = (command: number): number => {
      host.write(4, 1, (0x50 << 1) | 1);
      host.write(3, 1, command);
      host.write(2, 1, 0x48); // byte data, start
      expect(host.read(0, 1)).toBe(2);
      host.write(0, 1, 2);
      return host.read(5, 1);
    };
    const spd = sdramSpd(256 * MIB);
    expect([read(2), read(3), read(63)]).toEqual([4, spd[3], spd[63]]);
    host.write(4, 1, (0x51 << 1) | 1);
    host.write(2, 1, 0x48);
    expect(host.read(0, 1)).toBe(4); // nobody acknowledged
  });

  it('is read through the wires of the FPGA', () => {
    const fpga = maltaFpga(
      { scheduler: new Scheduler(), name: 'fpga' },
      { byteOrder: 'little', i2c: moduleBus(), onReset: () => undefined },
    ).registers;
    const drive = (scl: number, sda: number): void => {
      fpga.write(0xb10, 4, 0);
      fpga.write(0xb08, 4, (scl ? 0 : 2) | (sda ? 0 : 1));
    };
    fpga.write(0xb10, 4, 3);
    const start = (): void =>
      [
        [0, 1],
        [1, 1],
        [1, 0],
        [0, 0],
      ].forEach(([scl, sda]) => drive(scl ?? 0, sda ?? 0));
    const bit = (sda: number): number => {
      drive(0, sda);
      drive(1, sda);
      const level = fpga.read(0xb00, 4) & 1;
      drive(0, sda);
      return level;
    };
    const send = (byte: number): number => {
      for (let index = 7; index >= 0; index--) bit((byte >>> index) & 1);
      return bit(1);
    };
    const receive = (acknowledge: boolean): number => {
      let byte = 0;
      for (let index = 0; index < 8; index++) byte = (byte << 1) | bit(1);
      bit(acknowledge ? 0 : 1);
      return byte;
    };
    start();
    expect([send(0xa0), send(2)]).toEqual([0, 0]);
    start();
    expect(send(0xa1)).toBe(0);
    const spd = sdramSpd(256 * MIB);
    expect([receive(true), receive(true), receive(false)]).toEqual([spd[2], spd[3], spd[4]]);
    start();
    expect(send(0xa2)).toBe(1);
  });
});

describe('Malta FPGA', () => {
  it('shows text and numbers, and resets only with the key', () => {
    let resets = 0;
    const fpga = maltaFpga(
      { scheduler: new Scheduler(), name: 'fpga' },
      { byteOrder: 'big', i2c: new I2cBus(), onReset: () => resets++ },
    );
    [...'LINUX   '].forEach((letter, index) => fpga.registers.write(0x418 + 8 * index, 4, letter.charCodeAt(0)));
    expect(fpga.display).toBe('LINUX   ');
    fpga.registers.write(0x410, 4, 0xcafe);
    expect(fpga.display).toBe('0000CAFE');
    fpga.registers.write(0x408, 4, 0x81);
    expect(fpga.leds).toBe(0x81);
    fpga.registers.write(0x500, 4, 0x43);
    fpga.registers.write(0x500, 4, 0x42);
    expect(resets).toBe(1);
  });
});
