import type { MmioHandler } from '../../memory/index.js';
import { defineDevice } from '../device.js';
import { bit, bits, registerMap } from '../registers.js';
import { configHeader } from './config-header.js';
import type { PciBus } from './pci-bus.js';
import { MovableWindow } from './pci-bus.js';

/**
 * PIIX4 function 3, the configuration side: decides where the power management ports and the SMBus host ports lie.
 * Source: Intel 82371AB (PIIX4) data sheet, 290562-001, section 7.1.
 */
export interface Piix4FunctionThreeProperties {
  readonly pci: PciBus;
  readonly device: number;
  readonly powerManagement: MmioHandler;
  readonly smbus: MmioHandler;
}

const POWER_MANAGEMENT_BYTES = 64;
const SMBUS_BYTES = 16;

const CONFIG = registerMap({
  ...configHeader({ vendorId: 0x8086, deviceId: 0x7113, classCode: 0x068000, revision: 0x02 }),
  PMBA: { offset: 0x40, width: 4, reset: 1, fields: { BASE: bits(15, 6) } },
  CNTA: { offset: 0x44, width: 4 },
  CNTB: { offset: 0x48, width: 4 },
  GPICTL: { offset: 0x4c, width: 4 },
  DEVRESD: { offset: 0x50, width: 4 },
  DEVACTA: { offset: 0x54, width: 4 },
  DEVACTB: { offset: 0x58, width: 4 },
  DEVRESA: { offset: 0x5c, width: 4 },
  DEVRESB: { offset: 0x60, width: 4 },
  DEVRESC: { offset: 0x64, width: 4 },
  DEVRESE: { offset: 0x68, width: 4 },
  DEVRESF: { offset: 0x6c, width: 4 },
  DEVRESG: { offset: 0x70, width: 4 },
  DEVRESH: { offset: 0x74, width: 4 },
  DEVRESI: { offset: 0x78, width: 4 },
  DEVRESJ: { offset: 0x7c, width: 4 },
  PMREGMISC: { offset: 0x80, fields: { PMIOSE: bit(0) } },
  SMBBA: { offset: 0x90, width: 4, reset: 1, fields: { BASE: bits(15, 4) } },
  SMBHSTCFG: { offset: 0xd2, fields: { SMB_HST_EN: bit(0), SMB_INTRSEL: bits(3, 1) } },
  SMBSLVC: { offset: 0xd3 },
  SMBSHDW1: { offset: 0xd4 },
  SMBSHDW2: { offset: 0xd5 },
  SMBREV: { offset: 0xd6, access: 'ro' },
});

export const piix4FunctionThree = defineDevice({
  type: 'piix4-function3',
  title: 'Intel 82371AB (PIIX4) power management and SMBus function',
  stateVersion: 1,
  create(device, { pci, device: idsel, powerManagement, smbus }: Piix4FunctionThreeProperties) {
    const config = device.registers('config', CONFIG);
    const { reg } = config;
    const pmWindow = new MovableWindow(pci.io, 'piix4-pm', POWER_MANAGEMENT_BYTES, powerManagement);
    const smbusWindow = new MovableWindow(pci.io, 'piix4-smbus', SMBUS_BYTES, smbus);
    // Both blocks have enables of their own beside the command register (sections 7.1.26 and 7.1.28).
    const place = (): void => {
      pmWindow.place(reg.PMREGMISC.PMIOSE ? reg.PMBA.BASE * POWER_MANAGEMENT_BYTES : undefined);
      smbusWindow.place(reg.SMBHSTCFG.SMB_HST_EN ? reg.SMBBA.BASE * SMBUS_BYTES : undefined);
    };
    config.behave({
      PMBA: { write: place },
      PMREGMISC: { write: place },
      SMBBA: { write: place },
      SMBHSTCFG: { write: place },
    });
    device.onReset(place);
    device.onRestore(place);
    pci.attach({ device: idsel, function: 3 }, config);
    return { config };
  },
});
