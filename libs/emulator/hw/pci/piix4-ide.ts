import type { BlockBackend } from '../../core/index.js';
import type { AddressSpace } from '../../memory/index.js';
import type { DmaTransfer } from '../block/ata-channel.js';
import { createAtaChannel } from '../block/ata-channel.js';
import type { DeviceBuilder } from '../device.js';
import { defineDevice } from '../device.js';
import { bit, bits, registerMap } from '../registers.js';
import { configHeader, ioBar } from './config-header.js';
import type { PciBus } from './pci-bus.js';
import { MovableWindow } from './pci-bus.js';

/**
 * PIIX4 function 1: two IDE channels at the ports of the PC/AT, with bus-master DMA.
 * Source: Intel 82371AB (PIIX4) data sheet, 290562-001, sections 5.1 (configuration), 5.2 (bus master registers), 9
 * (operation); SFF Committee, Programming Interface for Bus Master IDE Controller 1.0.
 */
export interface Piix4IdeProperties {
  readonly pci: PciBus;
  readonly device: number;
  /** Primary master and slave, secondary master and slave. */
  readonly drives: readonly (BlockBackend | undefined)[];
}

const BUS_MASTER_BYTES = 16;
const timing = (offset: number) => ({ offset, width: 2, fields: { TIMING: bits(14, 0), DECODE: bit(15) } }) as const;

const CONFIG = registerMap({
  ...configHeader({ vendorId: 0x8086, deviceId: 0x7111, classCode: 0x010180, revision: 0x01 }),
  BMIBA: ioBar(4, BUS_MASTER_BYTES),
  IDETIM_PRIMARY: timing(0x40),
  IDETIM_SECONDARY: timing(0x42),
  SIDETIM: { offset: 0x44 },
  UDMACTL: { offset: 0x48, fields: { ENABLE: bits(3, 0) } },
  UDMATIM: { offset: 0x4a, width: 2 },
});

const command = (offset: number) => ({ offset, fields: { START: bit(0), TO_MEMORY: bit(3) } }) as const;
const status = (offset: number) =>
  ({
    offset,
    fields: { ACTIVE: bit(0, 'ro'), ERROR: bit(1, 'w1c'), INTERRUPT: bit(2, 'w1c'), CAPABLE: bits(6, 5) },
  }) as const;
const table = (offset: number) => ({ offset, width: 4, fields: { ADDRESS: bits(31, 2) } }) as const;
const BUS_MASTER = registerMap({
  BMICP: command(0),
  BMISP: status(2),
  BMIDTPP: table(4),
  BMICS: command(8),
  BMISS: status(10),
  BMIDTPS: table(12),
});

/** A table of physical regions lies within 64 KiB; each entry is 8 bytes (section 9.2.1). */
const MAX_REGIONS = 0x1_0000 / 8;
const CHANNELS = [
  { name: 'primary', commandPort: 0x1f0, controlPort: 0x3f6, timing: 'IDETIM_PRIMARY' },
  { name: 'secondary', commandPort: 0x170, controlPort: 0x376, timing: 'IDETIM_SECONDARY' },
] as const;

export const piix4Ide = defineDevice({
  type: 'piix4-ide',
  title: 'Intel 82371AB (PIIX4) IDE controller',
  stateVersion: 1,
  create(device, { pci, device: idsel, drives }: Piix4IdeProperties) {
    const config = device.registers('config', CONFIG);
    const master = device.registers('bus-master', BUS_MASTER);
    const busMasterWindow = new MovableWindow(pci.io, `${device.name}-bus-master`, BUS_MASTER_BYTES, master);
    const channels = CHANNELS.map(({ name, commandPort, controlPort, timing: timingName }, index) => {
      const [BMIC, BMIS, BMIDTP] =
        index === 0
          ? [master.reg.BMICP, master.reg.BMISP, master.reg.BMIDTPP]
          : [master.reg.BMICS, master.reg.BMISS, master.reg.BMIDTPS];
      const channel = createChannel(device, pci.dma, name, [drives[2 * index], drives[2 * index + 1]], {
        isStarted: () => BMIC.START === 1 && config.reg.COMMAND.MASTER === 1,
        writesMemory: () => BMIC.TO_MEMORY === 1,
        table: () => BMIDTP.ADDRESS * 4,
        setActive: (active) => {
          BMIS.ACTIVE = active ? 1 : 0;
        },
        noteError: () => {
          BMIS.ERROR = 1;
        },
        noteInterrupt: () => {
          BMIS.INTERRUPT = 1;
        },
      });
      return {
        ...channel,
        timingName,
        commandPort,
        controlPort,
        commandWindow: new MovableWindow(pci.io, `ide-${name}`, 8, channel.ata.command),
        controlWindow: new MovableWindow(pci.io, `ide-${name}-control`, 1, channel.ata.control),
      };
    });

    const place = (): void => {
      const { IO } = config.reg.COMMAND;
      busMasterWindow.place(IO && config.reg.BMIBA.BASE ? config.reg.BMIBA.BASE * BUS_MASTER_BYTES : undefined);
      for (const { timingName, commandWindow, controlWindow, commandPort, controlPort } of channels) {
        const decodes = IO === 1 && config.reg[timingName].DECODE === 1;
        commandWindow.place(decodes ? commandPort : undefined);
        controlWindow.place(decodes ? controlPort : undefined);
      }
    };
    const placing = { write: place };
    config.behave({ COMMAND: placing, BMIBA: placing, IDETIM_PRIMARY: placing, IDETIM_SECONDARY: placing });
    const control = (index: number) => ({
      fields: {
        START: {
          write: (start: number, previous: number) => start !== previous && channels[index]?.startStop(start === 1),
        },
      },
    });
    master.behave({ BMICP: control(0), BMICS: control(1) });
    device.onReset(place);
    device.onRestore(place);
    pci.attach({ device: idsel, function: 1 }, config);
    return {
      config,
      master,
      /** Ports of both channels, as the PCI function maps them. */
      ports: channels.flatMap(({ ata }) => [ata.command, ata.control]),
    };
  },
});

interface BusMaster {
  isStarted(): boolean;
  writesMemory(): boolean;
  /** Address of the table of regions. */
  table(): number;
  setActive(active: boolean): void;
  noteError(): void;
  noteInterrupt(): void;
}

function createChannel(
  device: DeviceBuilder,
  dma: AddressSpace,
  name: string,
  drives: readonly [BlockBackend | undefined, BlockBackend | undefined],
  master: BusMaster,
) {
  const irq = device.line(name);
  /** The next table entry, and whether the walk has ended. */
  const walk: { [field: string]: number | boolean } = device.state<{ [field: string]: number | boolean }>({
    [`${name}-next`]: 0,
    [`${name}-done`]: false,
  });
  const ata = createAtaChannel(device, {
    name,
    drives,
    onInterrupt: (level) => {
      if (level && !irq.level) master.noteInterrupt();
      irq.set(level);
    },
    onDmaRequest: () => run(),
  });
  const entry = new Uint8Array(8);
  const view = new DataView(entry.buffer);

  function startStop(start: boolean): void {
    walk[`${name}-next`] = 0;
    walk[`${name}-done`] = false;
    master.setActive(start);
    if (start) run();
  }

  /** Walks the table as far as the drive has data to move. */
  function run(): void {
    const transfer = ata.dmaTransfer();
    if (!transfer || !master.isStarted() || walk[`${name}-done`]) return;
    if ((transfer.direction === 'to-memory') !== master.writesMemory()) return stop();
    while (transfer.remaining > 0) {
      const next = walk[`${name}-next`] as number;
      if (next >= MAX_REGIONS || !dma.readBytes(tableEntry(next), entry)) return stop();
      walk[`${name}-next`] = next + 1;
      const address = view.getUint32(0, true) & ~1;
      const count = view.getUint16(4, true) & ~1 || 0x1_0000;
      const last = (entry[7] ?? 0) >>> 7 === 1;
      if (!moveRegion(transfer, address >>> 0, Math.min(count, transfer.remaining))) return stop();
      if (last) {
        walk[`${name}-done`] = true;
        master.setActive(false);
        return;
      }
    }
  }
  /** The table does not cross a 64 KiB boundary. */
  const tableEntry = (index: number): number => {
    const start = master.table();
    return start - (start % 0x1_0000) + ((start + 8 * index) % 0x1_0000);
  };
  function moveRegion(transfer: DmaTransfer, address: number, length: number): boolean {
    const bytes = new Uint8Array(length);
    if (transfer.direction === 'to-memory') return transfer.move(bytes) && dma.writeBytes(address, bytes);
    return dma.readBytes(address, bytes) && transfer.move(bytes);
  }
  function stop(): void {
    walk[`${name}-done`] = true;
    master.noteError();
    master.setActive(false);
  }
  return { ata, startStop };
}
