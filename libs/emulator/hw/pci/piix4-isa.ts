import type { LineSink } from '../../core/index.js';
import { widthMask } from '../../core/index.js';
import type { MmioHandler } from '../../memory/index.js';
import { defineDevice } from '../device.js';
import { bit, bits, registerMap } from '../registers.js';
import { WiredOr } from '../wired-or.js';
import { configHeader } from './config-header.js';
import type { PciBus } from './pci-bus.js';

/**
 * PIIX4 function 0: the bridge from PCI to ISA. It answers every I/O port that nobody else claims, steers the four PCI
 * interrupts to ISA interrupts.
 * Source: Intel 82371AB PCI-to-ISA/IDE Xcelerator (PIIX4) data sheet, 290562-001, sections 4.1 (configuration) and 8.7
 * (interrupt steering).
 */
export interface Piix4IsaProperties {
  readonly pci: PciBus;
  /** IDSEL number of the PIIX4; all its functions share it. */
  readonly device: number;
  /** The steered interrupt inputs of the ISA interrupt controllers, by IRQ number; undefined where none may go. */
  readonly isaInterrupts: readonly (LineSink | undefined)[];
}

/** Section 4.1.10: only these ISA interrupts can be selected. */
const ROUTABLE = 0b1101_1110_1111_1000;
const route = (offset: number) =>
  ({ offset, reset: 0x80, fields: { IRQ: bits(3, 0), DISABLE: bit(7, 'rw', 0) } }) as const;

const CONFIG = registerMap({
  ...configHeader({ vendorId: 0x8086, deviceId: 0x7110, classCode: 0x060100, revision: 0x02, multiFunction: true }),
  IORT: { offset: 0x4c, reset: 0x4d },
  XBCS: { offset: 0x4e, width: 2, reset: 0x0003 },
  PIRQRCA: route(0x60),
  PIRQRCB: route(0x61),
  PIRQRCC: route(0x62),
  PIRQRCD: route(0x63),
  SERIRQC: { offset: 0x64, reset: 0x10 },
  TOM: { offset: 0x69, reset: 0x02 },
  MSTAT: { offset: 0x6a, width: 2 },
  MBDMA0: { offset: 0x76, reset: 0x04 },
  MBDMA1: { offset: 0x77, reset: 0x04 },
  APICBASE: { offset: 0x80 },
  DLC: { offset: 0x82 },
  PDMACFG: { offset: 0x90, width: 2 },
  DDMABP0: { offset: 0x92, width: 2 },
  DDMABP1: { offset: 0x94, width: 2 },
  GENCFG: { offset: 0xb0, width: 4 },
  RTCCFG: { offset: 0xcb, reset: 0x21 },
});

/** ISA has 64 KiB of ports; what no card drives reads as ones from the pulled-up data lines. */
const ISA_PORTS = 0x1_0000;
const FLOATING: MmioHandler = { read: (_, width) => widthMask(width), write: () => undefined };

export const piix4Isa = defineDevice({
  type: 'piix4-isa',
  title: 'Intel 82371AB (PIIX4) ISA bridge',
  stateVersion: 1,
  create(device, { pci, device: idsel, isaInterrupts }: Piix4IsaProperties) {
    const config = device.registers('config', CONFIG);
    const routes = [config.reg.PIRQRCA, config.reg.PIRQRCB, config.reg.PIRQRCC, config.reg.PIRQRCD];
    const pirq = device.state({ levels: [0, 0, 0, 0] }, { survivesReset: true });
    // One wire per PIRQ to each ISA interrupt, because several PIRQs may be steered to the same one.
    const wires = isaInterrupts.map((sink) => {
      const wire = sink && new WiredOr(sink);
      return routes.map(() => wire?.input());
    });
    const pirqWires: (WiredOr | undefined)[] = [];

    const steer = (): void => {
      for (const [index, { IRQ, DISABLE }] of routes.entries()) {
        const active = !DISABLE && (ROUTABLE >>> IRQ) & 1 && pirq.levels[index];
        wires.forEach((inputs, irq) => inputs[index]?.(Boolean(active) && irq === IRQ));
      }
    };
    const steering = { write: steer };
    config.behave({ PIRQRCA: steering, PIRQRCB: steering, PIRQRCC: steering, PIRQRCD: steering });
    device.onReset(steer);
    device.onRestore(steer);

    pci.attach({ device: idsel, function: 0 }, config);
    pci.io.mapMmio('isa-floating', 0, ISA_PORTS, FLOATING, 'little', -10);
    return {
      config,
      /** Inputs PIRQA..PIRQD as numbers 0..3; several devices may pull on one. */
      pirqInput: (index: number): LineSink => {
        const wire = (pirqWires[index] ??= new WiredOr((level) => {
          pirq.levels[index] = level ? 1 : 0;
          steer();
        }));
        return wire.input();
      },
    };
  },
});
