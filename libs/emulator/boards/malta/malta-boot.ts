import type { ByteOrder } from '../../core/index.js';
import { ConfigError, hex } from '../../core/index.js';
import type { PciBus } from '../../hw/index.js';
import type { ElfImage } from '../boot/index.js';
import { ElfError, inspectImage, isElf, KSEG0, parseElf, sizeText, yamonTables } from '../boot/index.js';
import type { BoardBuild } from '../define-board.js';
import type { LoadedConfig } from '../images.js';
import type { CpuEntry } from '../types.js';

/**
 * Starting software on Malta: either as the YAMON monitor does it, or from flash.
 * Sources: YAMON User's Manual (MD00008) and the state in which Linux 6.1 arch/mips/mti-malta expects the board.
 */

const MIB = 2 ** 20;
/** Unmapped segments show the low 512 MiB of physical addresses (MIPS32 PRA, section 4.3). */
const UNMAPPED_BYTES = 0x2000_0000;
const LOW_RAM_BYTES = 256 * MIB;
/** Between the exception vectors and 1 MiB memory belongs to YAMON; its tables and a stack lie there. */
const YAMON_TABLES = 0x4000;
const YAMON_STACK_TOP = 0xf000;
const INITRD_ALIGNMENT = 0x1_0000;
const SPACE_BEHIND_INITRD = 0x2_0000;
const FLASH_BYTES = 4 * MIB;
/** General register numbers of the o32 calling convention. */
const Gpr = { a0: 4, a1: 5, a2: 6, a3: 7, sp: 29 } as const;
/** Linux, arch/mips/include/asm/setup.h: longer lines are cut off. */
const MAX_CMDLINE = 4096;
/**
 * Linux seeds its random generator with the monitor's variable `rngseed`. Runs are reproducible, so it is a constant:
 * keys that a guest makes are no secret.
 */
const RNG_SEED = '626f6f746c61622d6d616c74612d7265'.repeat(2);

export function maltaByteOrder(config: LoadedConfig): ByteOrder {
  const elf = [config.kernel, config.firmware].find((image) => image && isElf(image));
  return elf ? parseElf(elf).byteOrder : (config.byteOrder ?? 'little');
}

export function validateMaltaImages(config: LoadedConfig): void {
  const { kernel, initrd, firmware } = config;
  const memoryBytes = config.memoryBytes ?? 256 * MIB;
  if (!kernel && !firmware) {
    throw new ConfigError('kernel', 'there is nothing to start', 'Give a kernel (ELF) or firmware');
  }
  if (initrd && !kernel) {
    throw new ConfigError(
      'initrd',
      'an initrd needs a kernel to unpack it',
      'Give the kernel too, or leave the initrd out',
    );
  }
  if (initrd?.length === 0)
    throw new ConfigError('initrd', 'the file is empty', 'Give a cpio archive or a file system image');
  if ((config.cmdline?.length ?? 0) >= MAX_CMDLINE) {
    throw new ConfigError('cmdline', `it has ${config.cmdline?.length} characters`, `Keep it below ${MAX_CMDLINE}`);
  }
  if (config.cmdline !== undefined && !kernel) {
    throw new ConfigError(
      'cmdline',
      'a command line needs a kernel that reads it',
      'Give a kernel, or leave the command line out',
    );
  }
  const kernelImage = kernel && checkedElf('kernel', kernel, memoryBytes);
  if (firmware && isElf(firmware)) {
    if (kernel) {
      throw new ConfigError(
        'firmware',
        'ELF firmware and a kernel cannot both be started',
        'Give one of them, or a raw flash image beside the kernel',
      );
    }
    checkedElf('firmware', firmware, memoryBytes);
  } else if (firmware) {
    if (firmware.length === 0)
      throw new ConfigError('firmware', 'the file is empty', 'Give an ELF file or a flash image');
    if (firmware.length > FLASH_BYTES) {
      throw new ConfigError(
        'firmware',
        `${sizeText(firmware.length)} do not fit into 4 MiB of flash`,
        "Give an image for Malta's monitor flash",
      );
    }
  }
  if (kernelImage && initrd) {
    const start = initrdStart(memoryBytes, initrd.length);
    const kernelEnd = endOf(kernelImage);
    if (start < kernelEnd) {
      const room = Math.min(memoryBytes, LOW_RAM_BYTES);
      throw new ConfigError(
        'initrd',
        `${sizeText(initrd.length)} at the end of ${sizeText(room)} of directly usable memory reach into the kernel, which ends at ${sizeText(kernelEnd)}`,
        'Give more memory or a smaller initrd',
      );
    }
  }
}

/** @throws ConfigError unless the ELF file can run on this board with this much memory */
function checkedElf(field: 'kernel' | 'firmware', bytes: Uint8Array, memoryBytes: number): ElfImage {
  if (!isElf(bytes)) {
    throw new ConfigError(
      field,
      `this is ${inspectImage(bytes).description}, not an ELF file`,
      'Malta starts ELF kernels: vmlinux, or a vmlinuz that unpacks itself',
    );
  }
  let elf: ElfImage;
  try {
    elf = parseElf(bytes);
  } catch (error) {
    if (!(error instanceof ElfError)) throw error;
    throw new ConfigError(field, error.message, 'Check that the file was copied completely');
  }
  if (elf.machine !== 'mips' || elf.bits !== 32) {
    throw new ConfigError(
      field,
      `it is for ${elf.machine === 'other' ? `ELF machine ${elf.machineNumber}` : elf.machine} (${elf.bits}-bit)`,
      'Malta has a 32-bit MIPS CPU: give a MIPS32 ELF file',
    );
  }
  if (elf.type !== 'executable') {
    throw new ConfigError(field, `it is an ELF ${elf.type} file`, 'Give a statically linked executable');
  }
  const room = Math.min(memoryBytes, LOW_RAM_BYTES);
  for (const { virtualAddress, memBytes } of elf.segments) {
    if (!isUnmapped(virtualAddress)) {
      throw new ConfigError(
        field,
        `it loads at ${hex(virtualAddress)}, which is not in KSEG0 or KSEG1`,
        'Link it between 0x80000000 and 0xbfffffff',
      );
    }
    const end = physical(virtualAddress) + memBytes;
    if (end > room) {
      throw new ConfigError(
        field,
        `it needs memory up to ${sizeText(end)}, but directly usable memory ends at ${sizeText(room)}`,
        'Give more memory or a smaller image',
      );
    }
  }
  if (!isUnmapped(elf.entry)) {
    throw new ConfigError(
      field,
      `its entry point ${hex(elf.entry)} is not in KSEG0 or KSEG1`,
      'Link it between 0x80000000 and 0xbfffffff',
    );
  }
  return elf;
}

const isUnmapped = (address: number): boolean => address >= KSEG0 && address < KSEG0 + 2 * UNMAPPED_BYTES;
const physical = (address: number): number => address % UNMAPPED_BYTES;
const endOf = (elf: ElfImage): number => Math.max(...elf.segments.map((s) => physical(s.virtualAddress) + s.memBytes));

/**
 * The initrd lies at the top of low memory: a relocatable kernel moves itself up by as much as 16 MiB and looks for no
 * initrd in its way. The last 128 KiB stay free for what the kernel allocates behind it early on.
 */
const initrdStart = (memoryBytes: number, initrdBytes: number): number =>
  Math.floor((Math.min(memoryBytes, LOW_RAM_BYTES) - SPACE_BEHIND_INITRD - initrdBytes) / INITRD_ALIGNMENT) *
  INITRD_ALIGNMENT;

/** What the loader touches beside RAM. */
export interface MaltaParts {
  readonly flash: { load(image: Uint8Array): void };
  readonly pci: PciBus;
}

/** Puts the images where they belong. @returns where the CPU starts, undefined for the reset vector */
export function loadMalta(board: BoardBuild, config: LoadedConfig, parts: MaltaParts): CpuEntry | undefined {
  const { kernel, initrd, firmware, cmdline } = config;
  if (firmware && !isElf(firmware)) parts.flash.load(firmware);
  const program = kernel ?? (firmware && isElf(firmware) ? firmware : undefined);
  if (!program) return undefined;

  const elf = parseElf(program);
  for (const { virtualAddress, data, memBytes } of elf.segments) {
    const start = physical(virtualAddress);
    store(board, start, data);
    store(board, start + data.length, new Uint8Array(memBytes - data.length));
  }
  const argv = [kernel ? 'vmlinux' : 'firmware'];
  if (initrd) {
    const start = initrdStart(board.memoryBytes, initrd.length);
    store(board, start, initrd);
    argv.push(`rd_start=${hex(KSEG0 + start)}`, `rd_size=${initrd.length}`);
  }
  if (kernel) argv.push(cmdline ?? 'console=ttyS0');
  setUpAsYamon(board, parts.pci);
  return enterAsYamon(board, elf.entry, argv);
}

function store(board: BoardBuild, physicalAddress: number, bytes: Uint8Array): void {
  board.ram.bytes.set(bytes, physicalAddress);
  board.ram.markWritten(physicalAddress, bytes.length);
}

function enterAsYamon(board: BoardBuild, pc: number, argv: readonly string[]): CpuEntry {
  const lowBytes = Math.min(board.memoryBytes, LOW_RAM_BYTES);
  const environment = {
    memsize: String(lowBytes),
    ememsize: String(board.memoryBytes),
    modetty0: '38400,n,8,hw',
    modetty1: '38400,n,8,hw',
    rngseed: RNG_SEED,
  };
  const { byteOrder } = board;
  const tables = yamonTables({ base: YAMON_TABLES, byteOrder, argv, environment, memoryBytes: lowBytes });
  store(board, YAMON_TABLES, tables.bytes);
  const { a0, a1, a2, a3 } = tables;
  const sp = KSEG0 + YAMON_STACK_TOP;
  return { pc, gpr: { [Gpr.a0]: a0, [Gpr.a1]: a1, [Gpr.a2]: a2, [Gpr.a3]: a3, [Gpr.sp]: sp } };
}

/** GT-64120A registers as YAMON leaves them, through their reset address and then the one it chooses. */
const GT_RESET_AT = 0x1400_0000;
const GT_YAMON_AT = 0x1be0_0000;
const GT_INTERNAL_SPACE = 0x068;
const GT_WINDOWS: readonly (readonly [register: number, value: number])[] = [
  [0x048, 0x1800_0000 / 2 ** 21], // PCI I/O 0x18000000..0x181fffff
  [0x050, 0x40],
  [0x0f0, 0], // ... shows ports from 0
  [0x058, 0x1000_0000 / 2 ** 21], // PCI memory 0x10000000..0x17ffffff
  [0x060, 0x3f],
  [0x080, 0x1820_0000 / 2 ** 21], // PCI memory 0x18200000..0x1bdfffff
  [0x088, 0x5e],
];

const PIIX4 = 10;
/** PCI configuration as YAMON leaves it: device, function, register, width, value. */
const PCI_SETTINGS: readonly (readonly [
  device: number,
  fn: number,
  register: number,
  width: 1 | 2 | 4,
  value: number,
])[] = [
  [0, 0, 0x0a, 2, 0x0600], // the GT-64120A calls itself a host bridge
  [0, 0, 0x04, 2, 0x0006], // memory, bus master
  [PIIX4, 0, 0x60, 4, 0x0b0b0a0a], // PIRQA, B to IRQ 10, PIRQC, D to IRQ 11
  [PIIX4, 0, 0x64, 1, 0xd0], // serial interrupts, continuous
  [PIIX4, 0, 0x69, 1, 0xf2], // top of ISA memory at 16 MiB
  [PIIX4, 0, 0xb0, 4, 0x0001_0000], // SERIRQ pin
  [PIIX4, 1, 0x04, 2, 0x0005], // IDE ports, bus master
  [PIIX4, 1, 0x40, 4, 0x8000_8000], // decode both IDE channels
  [PIIX4, 3, 0x40, 4, 0x1001], // power management ports at 0x1000
  [PIIX4, 3, 0x80, 1, 0x01],
  [PIIX4, 3, 0x90, 4, 0x1101], // SMBus ports at 0x1100
  [PIIX4, 3, 0xd2, 1, 0x09], // SMBus host enabled, interrupts on IRQ 9
  [PIIX4, 3, 0x04, 2, 0x0001],
];
/** IRQ 10 and 11 carry PCI interrupts, which are level-triggered. */
const ELCR2 = 0x4d1;
const ELCR2_PCI = 0x0c;

function setUpAsYamon(board: BoardBuild, pci: PciBus): void {
  // The controller's registers are little-endian, whatever the CPU is.
  board.bus.write(GT_RESET_AT + GT_INTERNAL_SPACE, 4, GT_YAMON_AT / 2 ** 21, 'little');
  for (const [register, value] of GT_WINDOWS) board.bus.write(GT_YAMON_AT + register, 4, value, 'little');
  for (const [device, fn, register, width, value] of PCI_SETTINGS) {
    pci.writeConfig({ device, function: fn }, register, width, value);
  }
  pci.io.write(ELCR2, 1, ELCR2_PCI, 'little');
}
