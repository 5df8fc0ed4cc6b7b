import { describe, expect, it } from '@jest/globals';
import { ConfigError } from '../../core/index.js';
import type { BoardCpu, BuiltBoard, CpuEntry, MachineConfig, PowerEvent } from '../index.js';
import { boardCatalogue, buildBoard, validateConfig } from '../index.js';

/** A CPU that only notes what the board does to it. */
class NotedCpu implements BoardCpu {
  readonly pins = new Map<number, boolean>();
  entry: CpuEntry | undefined;
  setIrqLine(n: number, level: boolean): void {
    this.pins.set(n, level);
  }
  reset(): void {
    this.entry = undefined;
  }
  boot(entry: CpuEntry): void {
    this.entry = entry;
  }
}

/** ELF32 executable for MIPS with one segment. */
function elf(
  byteOrder: 'little' | 'big',
  at = 0x8010_0000,
  data = Uint8Array.of(1, 2, 3, 4),
  memBytes = 0x1000,
): Uint8Array {
  const bytes = new Uint8Array(52 + 32 + data.length);
  const view = new DataView(bytes.buffer);
  const little = byteOrder === 'little';
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 1, little ? 1 : 2, 1]);
  view.setUint16(16, 2, little);
  view.setUint16(18, 8, little);
  view.setUint32(24, at, little);
  view.setUint32(28, 52, little);
  view.setUint16(42, 32, little);
  view.setUint16(44, 1, little);
  [1, 84, at, at, data.length, memBytes].forEach((value, index) => view.setUint32(52 + 4 * index, value, little));
  bytes.set(data, 84);
  return bytes;
}

interface Bench {
  board: BuiltBoard<NotedCpu>;
  output: string[];
  power: PowerEvent[];
}

async function build(config: Partial<MachineConfig> = {}): Promise<Bench> {
  const output: string[] = [];
  const power: PowerEvent[] = [];
  const board = await buildBoard<NotedCpu>(
    { board: 'malta', memoryBytes: 32 * 2 ** 20, kernel: elf('little'), ...config },
    {
      cpuLinearBytes: 0x1_0000,
      createCpu: () => new NotedCpu(),
      onTransmit: (uart, byte) => output.push(`${uart}:${String.fromCharCode(byte)}`),
      onPower: (event) => power.push(event),
    },
  );
  return { board, output, power };
}

const IO = 0x1800_0000;
const GT = 0x1be0_0000;

describe.each(['little', 'big'] as const)('Malta, %s-endian', (byteOrder) => {
  const kernel = elf(byteOrder);
  /** GT-64120 registers are little-endian: a big-endian CPU swaps, as Linux does. */
  const gt = (board: BuiltBoard<NotedCpu>) => ({
    read: (register: number) => board.bus.read(GT + register, 4, 'little'),
    write: (register: number, value: number) => board.bus.write(GT + register, 4, value, 'little'),
    /** Configuration data of other devices passes unswapped in the CPU's own order. */
    config: (device: number, fn: number, register: number) => {
      board.bus.write(GT + 0xcf8, 4, (0x8000_0000 | (device << 11) | (fn << 8) | register) >>> 0, 'little');
      return board.bus.read(GT + 0xcfc, 4, device === 0 ? 'little' : byteOrder);
    },
  });

  it('starts a kernel as YAMON does', async () => {
    const { board } = await build({ kernel, initrd: Uint8Array.of(9, 8, 7), cmdline: 'console=ttyS0 debug' });
    expect(board.byteOrder).toBe(byteOrder);
    const entry = board.cpu.entry as CpuEntry;
    expect(entry.pc).toBe(0x8010_0000);
    expect([...board.ram.bytes.subarray(0x10_0000, 0x10_0005)]).toEqual([1, 2, 3, 4, 0]);
    const word = (address: number): number => board.bus.read(address & 0x1fff_ffff, 4, byteOrder);
    const text = (address: number): string => {
      const start = address & 0x1fff_ffff;
      return new TextDecoder().decode(board.ram.bytes.slice(start, board.ram.bytes.indexOf(0, start)));
    };
    const { 4: argc = 0, 5: argv = 0, 6: envp = 0, 7: memory } = entry.gpr;
    const args = Array.from({ length: argc }, (_, index) => text(word(argv + 4 * index)));
    expect(args.slice(1)).toEqual(['rd_start=0x81fd0000', 'rd_size=3', 'console=ttyS0 debug']);
    expect([text(word(envp)), text(word(envp + 4))]).toEqual(['memsize', String(32 * 2 ** 20)]);
    expect(memory).toBe(32 * 2 ** 20);
    expect([...board.ram.bytes.subarray(0x1fd_0000, 0x1fd_0003)]).toEqual([9, 8, 7]);
  });

  it('finds the chip set by configuration cycles', async () => {
    const { board } = await build({ kernel });
    const { config, read } = gt(board);
    expect(config(0, 0, 0)).toBe(0x4620_11ab);
    expect(config(0, 0, 8) >>> 16).toBe(0x0600);
    expect(config(10, 0, 0)).toBe(0x7110_8086);
    expect(config(10, 1, 0)).toBe(0x7111_8086);
    expect(config(10, 3, 0)).toBe(0x7113_8086);
    expect(read(0xc18) & (1 << 18)).toBe(0);
    expect(config(11, 0, 0)).toBe(0xffff_ffff);
    expect(read(0xc18) & (1 << 18)).not.toBe(0);
  });

  it('prints through the ISA and the CBUS serial port', async () => {
    const { board, output } = await build({ kernel });
    board.bus.write(IO + 0x3f8, 1, 0x41, byteOrder);
    board.bus.write(IO + 0x2f8, 1, 0x42, byteOrder);
    board.bus.write(0x1f00_0900, 4, 0x43, byteOrder);
    board.bus.write(0x1f00_0900 + (byteOrder === 'big' ? 3 : 0), 1, 0x44, byteOrder);
    expect(output).toEqual(['uart0:A', 'uart1:B', 'uart2:C', 'uart2:D']);
  });

  it('takes a serial interrupt from the wire to the acknowledge', async () => {
    const { board } = await build({ kernel });
    const outb = (port: number, value: number): void => board.bus.write(IO + port, 1, value, byteOrder);
    for (const [port, value] of [
      [0x20, 0x11],
      [0x21, 0],
      [0x21, 4],
      [0x21, 1],
      [0xa0, 0x11],
      [0xa1, 8],
      [0xa1, 2],
      [0xa1, 1],
      [0x21, 0],
      [0xa1, 0],
    ] as const)
      outb(port, value);
    outb(0x3f9, 2); // THR empty interrupt
    expect(board.cpu.pins.get(2)).toBe(true);
    expect(gt(board).read(0xc34)).toBe(4);
    expect(board.cpu.pins.get(2)).toBe(false);
  });

  it('shows the revision over the boot flash and the FPGA in the CPU byte order', async () => {
    const { board } = await build({ kernel });
    expect(board.bus.read(0x1fc0_0010, 4, byteOrder)).toBe(0x420);
    expect(board.bus.read(0x1e00_0010, 4, byteOrder)).toBe(0xffff_ffff);
    expect(board.bus.read(0x1f00_0208, 4, byteOrder)).toBe(byteOrder === 'big' ? 0x12 : 0x02);
  });

  it('switches off through power management and resets through the FPGA', async () => {
    const { board, power } = await build({ kernel });
    board.bus.write(IO + 0x1004, 2, 0x2000, 'little');
    board.bus.write(0x1f00_0500, 4, 0x41, byteOrder);
    board.bus.write(0x1f00_0500, 4, 0x42, byteOrder);
    expect(power).toEqual(['power-off', 'reset']);
  });

  it('is as after power-on when it was reset', async () => {
    const { board } = await build({ kernel });
    gt(board).write(0x068, 0x14000000 / 2 ** 21);
    board.bus.write(0x10_0000, 4, 0, byteOrder);
    board.reset();
    expect(gt(board).read(0x068)).toBe(GT / 2 ** 21);
    expect([...board.ram.bytes.subarray(0x10_0000, 0x10_0004)]).toEqual([1, 2, 3, 4]);
    expect(board.cpu.entry?.pc).toBe(0x8010_0000);
  });

  it('shows RAM above 256 MiB in the upper half', async () => {
    const { board } = await build({ kernel, memoryBytes: 288 * 2 ** 20 });
    board.bus.write(0x9000_0000, 4, 0x1234_5678, byteOrder);
    expect(board.ram.read(0x1000_0000, 4, byteOrder)).toBe(0x1234_5678);
    board.bus.write(0x8000_0000, 4, 0x55, byteOrder);
    expect(board.bus.read(0, 4, byteOrder)).toBe(0x55);
  });

  it('answers empty addresses without a fault', async () => {
    const { board } = await build({ kernel });
    expect(board.bus.read(0x1d00_0000, 4, byteOrder)).toBe(0);
    expect(board.bus.read(0x1500_0000, 4, byteOrder)).toBe(0xffff_ffff);
    expect(board.bus.read(IO + 0x60, 1, byteOrder)).toBe(0xff);
    expect(board.bus.faulted).toBe(false);
  });

  it('starts raw firmware at the reset vector', async () => {
    const { board } = await build({ kernel: undefined, firmware: Uint8Array.of(1, 2, 3, 4), byteOrder });
    expect(board.cpu.entry).toBeUndefined();
    expect(board.bus.read(0x1fc0_0000, 4, 'big')).toBe(0x0102_0304);
    expect(board.bus.read(0x1400_0000 + 0x068, 4, 'little')).toBe(0xa0);
  });
});

describe('configurations that cannot be', () => {
  const kernel = elf('little');
  const fails = (config: Partial<MachineConfig>): ConfigError => {
    try {
      validateConfig({ board: 'malta', kernel, ...config });
    } catch (error) {
      if (error instanceof ConfigError) return error;
      throw error;
    }
    throw new Error('it was accepted');
  };
  const armKernel = elf('little');
  armKernel[18] = 40;
  it.each<[string, Partial<MachineConfig>, RegExp]>([
    ['board', { board: 'malte' }, /no board 'malte'.*mean 'malta'/],
    ['cpu', { cpu: '24kf' }, /mean '24Kf'/],
    ['memoryBytes', { memoryBytes: 1024 }, /8 MiB to 1024 MiB/],
    ['memoryBytes', { memoryBytes: 2 ** 25 + 4096 }, /multiple/],
    ['kernel', { kernel: undefined }, /nothing to start/],
    ['kernel', { kernel: kernel.subarray(0, 60) }, /truncated/],
    ['kernel', { kernel: armKernel }, /for arm/],
    ['kernel', { kernel: Uint8Array.of(0x1f, 0x8b, 8, 0) }, /gzip/],
    [
      'kernel',
      { kernel: elf('little', 0x8010_0000, Uint8Array.of(1), 64 * 2 ** 20), memoryBytes: 2 ** 25 },
      /needs memory up to/,
    ],
    ['kernel', { kernel: elf('little', 0x0010_0000) }, /not in KSEG0/],
    ['initrd', { kernel: undefined, firmware: kernel, initrd: Uint8Array.of(1) }, /needs a kernel/],
    ['initrd', { initrd: new Uint8Array(40 * 2 ** 20), memoryBytes: 2 ** 25 }, /more memory/],
    ['firmware', { firmware: kernel }, /cannot both/],
    ['firmware', { firmware: new Uint8Array(5 * 2 ** 20) }, /4 MiB of flash/],
    ['cmdline', { cmdline: 'x'.repeat(5000) }, /5000 characters/],
    ['rtcStartSeconds', { rtcStartSeconds: -1 }, /Unix seconds/],
  ])('names %s', (field, config, message) => {
    const error = fails(config);
    expect(error.field).toBe(field);
    expect(error.message).toMatch(message);
  });
});

describe('catalogue', () => {
  it('lists every device with its place and interrupt', () => {
    const [malta] = boardCatalogue();
    expect(malta?.devices.find(({ name }) => name === 'uart0')).toEqual({
      name: 'uart0',
      type: 'ns16550',
      description: 'serial port 1 of the super I/O chip',
      address: 'I/O 0x03f8-0x03ff',
      irq: 'IRQ 4',
    });
  });
});
