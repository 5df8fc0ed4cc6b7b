import { defineDevice } from '../device.js';
import { bit, bits, registerMap } from '../registers.js';
import type { I2cBus, I2cTarget } from './i2c-target.js';

/**
 * SMBus host controller of the PIIX4. A transaction completes within the write that starts it; software sees the
 * result at its first look.
 * Source: Intel 82371AB (PIIX4) data sheet, 290562-001, sections 7.3 (registers) and 11.5 (host protocols); System
 * Management Bus Specification 1.0, section 4.
 */
export interface Piix4SmbusProperties {
  readonly bus: I2cBus;
}

const REGISTERS = registerMap({
  SMBHSTSTS: {
    offset: 0,
    fields: {
      HOST_BUSY: bit(0, 'ro'),
      INTER: bit(1, 'w1c'),
      DEV_ERR: bit(2, 'w1c'),
      BUS_ERR: bit(3, 'w1c'),
      FAILED: bit(4, 'w1c'),
    },
  },
  SMBSLVSTS: { offset: 1, fields: { BITS: bits(5, 2, 'w1c') } },
  SMBHSTCNT: { offset: 2, fields: { INTEREN: bit(0), KILL: bit(1), PROTOCOL: bits(4, 2), START: bit(6, 'wo') } },
  SMBHSTCMD: { offset: 3 },
  SMBHSTADD: { offset: 4, fields: { READ: bit(0), ADDRESS: bits(7, 1) } },
  SMBHSTDAT0: { offset: 5 },
  SMBHSTDAT1: { offset: 6 },
  SMBBLKDAT: { offset: 7 },
  SMBSLVCNT: { offset: 8 },
  SMBSHDWCMD: { offset: 9, access: 'ro' },
  SMBSLVEVT: { offset: 10, width: 2 },
  SMBSLVDAT: { offset: 12, width: 2, access: 'ro' },
});

/** Section 7.3.3: SMB_CMD_PROT. */
const Protocol = { Quick: 0, Byte: 1, ByteData: 2, WordData: 3, Block: 5 } as const;
const BLOCK_BYTES = 32;

export const piix4Smbus = defineDevice({
  type: 'piix4-smbus',
  title: 'Intel 82371AB (PIIX4) SMBus host controller',
  stateVersion: 1,
  create(device, { bus }: Piix4SmbusProperties) {
    const registers = device.registers('io', REGISTERS);
    const irq = device.line('irq');
    const { reg } = registers;
    const block = device.state({ data: new Uint8Array(BLOCK_BYTES), index: 0 });

    const updateInterrupt = (): void => {
      const { INTER, DEV_ERR, BUS_ERR, FAILED } = reg.SMBHSTSTS;
      irq.set(reg.SMBHSTCNT.INTEREN === 1 && (INTER | DEV_ERR | BUS_ERR | FAILED) === 1);
    };

    /** @returns false when a byte was not acknowledged */
    const transfer = (): boolean => {
      const { ADDRESS, READ } = reg.SMBHSTADD;
      const protocol = reg.SMBHSTCNT.PROTOCOL;
      if (protocol === Protocol.Quick) return finish(bus.start(ADDRESS, READ ? 'read' : 'write'), () => true);
      if (protocol === Protocol.Byte) {
        return READ
          ? finish(bus.start(ADDRESS, 'read'), (target) => store([target.read()]))
          : finish(bus.start(ADDRESS, 'write'), (target) => target.write(reg.SMBHSTCMD.value));
      }
      if (!READ) {
        return finish(bus.start(ADDRESS, 'write'), (target) =>
          [reg.SMBHSTCMD.value, ...outgoing(protocol)].every((byte) => target.write(byte)),
        );
      }
      return finish(bus.start(ADDRESS, 'write'), (target) => {
        // A repeated start turns the direction after the command.
        if (!target.write(reg.SMBHSTCMD.value) || !bus.start(ADDRESS, 'read')) return false;
        if (protocol !== Protocol.Block)
          return store(protocol === Protocol.WordData ? [target.read(), target.read()] : [target.read()]);
        const count = Math.min(target.read(), BLOCK_BYTES);
        for (let index = 0; index < count; index++) block.data[index] = target.read();
        return store([count]);
      });
    };
    const finish = (target: I2cTarget | undefined, action: (target: I2cTarget) => boolean): boolean => {
      if (!target) return false;
      const acknowledged = action(target);
      target.stop();
      return acknowledged;
    };
    const store = (bytes: readonly number[]): boolean => {
      reg.SMBHSTDAT0.value = bytes[0] ?? 0;
      if (bytes.length > 1) reg.SMBHSTDAT1.value = bytes[1] ?? 0;
      return true;
    };
    const outgoing = (protocol: number): number[] => {
      if (protocol === Protocol.ByteData) return [reg.SMBHSTDAT0.value];
      if (protocol === Protocol.WordData) return [reg.SMBHSTDAT0.value, reg.SMBHSTDAT1.value];
      const count = Math.min(reg.SMBHSTDAT0.value, BLOCK_BYTES);
      return [count, ...block.data.subarray(0, count)];
    };

    registers.behave({
      SMBHSTSTS: { write: updateInterrupt },
      SMBHSTCNT: {
        // Reading it rewinds the block data pointer (section 7.3.8).
        read: (stored) => {
          block.index = 0;
          return stored;
        },
        write: (written) => {
          if ((written & 0x40) !== 0) {
            const known = (Object.values(Protocol) as number[]).includes(reg.SMBHSTCNT.PROTOCOL);
            const done = known && transfer();
            reg.SMBHSTSTS.INTER = done ? 1 : 0;
            reg.SMBHSTSTS.DEV_ERR = done ? 0 : 1;
            block.index = 0;
          }
          updateInterrupt();
        },
      },
      SMBBLKDAT: {
        read: () => block.data[block.index++ % BLOCK_BYTES] ?? 0,
        write: (written) => {
          block.data[block.index++ % BLOCK_BYTES] = written;
        },
      },
    });
    return { registers, irq };
  },
});
