import { describe, expect, it } from '@jest/globals';
import { Scheduler } from '../../core/index.js';
import { AddressSpace } from '../../memory/index.js';
import { testDevice } from '../../testkit/device-suite.js';
import { PciBus } from '../pci/pci-bus.js';
import { gt64120 } from './gt64120.js';

function properties(cpuBus = new AddressSpace('cpu'), pci = new PciBus('pci0', new AddressSpace('dma'))) {
  const slot = { device: 0, function: 0 };
  return { cpuBus, pci, slot, acknowledgeInterrupt: () => 0x2a, byteOrder: 'little', clockHz: 100_000_000 } as const;
}

testDevice('GT-64120A', {
  create: (context) => gt64120(context, properties()),
  resetValues: {
    internal: {
      INTERNAL_SPACE: 0xa0,
      PCI0_IO_LOW: 0x80,
      PCI0_MEMORY0_HIGH: 0x1f,
      CAUSE: 0,
      TIMER_CONTROL: 0,
      CPU_CONFIGURATION: 0x1000,
    },
    config: { VENDOR_ID: 0x11ab, DEVICE_ID: 0x4620, BASE_CLASS: 5, SUBCLASS: 0x80 },
  },
});

describe('GT-64120A', () => {
  function bench() {
    const scheduler = new Scheduler();
    const cpuBus = new AddressSpace('cpu');
    const pci = new PciBus('pci0', new AddressSpace('dma'));
    const gt = gt64120({ scheduler, name: 'gt' }, properties(cpuBus, pci));
    return { scheduler, cpuBus, pci, gt };
  }
  const scratch = (): {
    read: () => number;
    write: (offset: number, width: number, value: number) => void;
    last: string;
  } => {
    const handler = {
      last: '',
      read: () => 0x5a,
      write: (offset: number, width: number, value: number) => {
        handler.last = `${offset} ${width} ${value}`;
      },
    };
    return handler;
  };

  it('moves its registers where the internal space decode points', () => {
    const { cpuBus } = bench();
    cpuBus.write(0x1400_0068, 4, 0xdf, 'little');
    expect(cpuBus.read(0x1be0_0068, 4, 'little')).toBe(0xdf);
    expect(cpuBus.find(0x1400_0068)).toBeUndefined();
  });

  it('shows PCI I/O and memory through windows with remapping', () => {
    const { cpuBus, pci, gt } = bench();
    const ports = scratch();
    pci.io.mapMmio('ports', 0x3f8, 8, ports);
    gt.bank.write(0x48, 4, 0xc0);
    gt.bank.write(0x50, 4, 0x40);
    gt.bank.write(0xf0, 4, 0);
    expect(cpuBus.read(0x1800_03f8, 1, 'big')).toBe(0x5a);
    cpuBus.write(0x1800_03f9, 1, 0x11, 'big');
    expect(ports.last).toBe('1 1 17');
    const memory = scratch();
    pci.memory.mapMmio('memory', 0x1240_0000, 0x1000, memory);
    expect(cpuBus.read(0x1240_0000, 1, 'little')).toBe(0x5a);
  });

  it('notes a master abort where no target answers', () => {
    const { cpuBus, gt } = bench();
    gt.bank.write(0xc1c, 4, 1 << 18);
    expect(cpuBus.read(0x1200_0000, 4, 'little')).toBe(0xffff_ffff);
    expect(gt.irq.level).toBe(true);
    gt.bank.write(0xc18, 4, ~(1 << 18) >>> 0);
    expect([gt.irq.level, gt.bank.read(0xc18, 4)]).toEqual([false, 0]);
  });

  it('swaps configuration data of other devices unless told not to', () => {
    const { pci, gt } = bench();
    const config = scratch();
    pci.attach({ device: 10, function: 2 }, { read: () => 0x1234_5678, write: config.write });
    gt.bank.write(0xcf8, 4, 0x8000_5208);
    expect(gt.bank.read(0xcfc, 4)).toBe(0x1234_5678);
    gt.bank.write(0xc00, 4, 0);
    expect(gt.bank.read(0xcfc, 4)).toBe(0x7856_3412);
    gt.bank.write(0xcfc, 4, 0x0100_0000);
    expect(config.last).toBe('8 4 1');
  });

  it('broadcasts special cycles', () => {
    const { pci, gt } = bench();
    const seen: number[] = [];
    pci.onSpecialCycle((message) => seen.push(message));
    gt.bank.write(0xcf8, 4, 0x8000_ff00);
    gt.bank.write(0xcfc, 4, 0x0012_0002);
    expect(seen).toEqual([0x0012_0002]);
  });

  it('acknowledges interrupts on PCI', () => {
    expect(bench().gt.bank.read(0xc34, 4)).toBe(0x2a);
  });

  it('counts down and raises its cause', () => {
    const { scheduler, gt } = bench();
    gt.bank.write(0xc1c, 4, 1 << 8);
    gt.bank.write(0x850, 4, 1000);
    gt.bank.write(0x864, 4, 1);
    scheduler.setTime(4000);
    expect(gt.bank.read(0x850, 4)).toBe(600);
    scheduler.setTime(10_000);
    scheduler.fireDue();
    expect([gt.irq.level, gt.bank.read(0x850, 4), scheduler.nextDeadlineNs]).toEqual([true, 0, Infinity]);
  });
});
