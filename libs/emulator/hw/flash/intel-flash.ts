import type { AccessWidth, ByteOrder } from '../../core/index.js';
import { widthMask } from '../../core/index.js';
import type { AddressSpace, MmioHandler, RamBlock } from '../../memory/index.js';
import { PAGE_BYTES } from '../../memory/index.js';
import { defineDevice } from '../device.js';
import { cfiQuery } from './cfi-query.js';

/**
 * A bank of two 16-bit Intel flash chips side by side on a 32-bit bus, each with a command interface of its own.
 * Reads in array mode go straight to memory, so that a CPU can execute from it; any other mode answers through
 * registers. Erasing and programming take no time: the chip is ready when software first asks.
 * Source: Intel 28F160S5/28F320S5 data sheet, 290609, sections 4 (bus operations, command definitions) and 5 (status
 * register); JEDEC JESD68.01 (common flash interface).
 */
export interface IntelFlashProperties {
  /** The bank's cells; its size is the bank's. */
  readonly block: RamBlock;
  /** Order in which the CPU's bus carries the chips' halves of a word. */
  readonly byteOrder: ByteOrder;
  readonly windows: readonly FlashWindow[];
}

/** A place where the bank appears. */
export interface FlashWindow {
  readonly space: AddressSpace;
  readonly base: number;
  /** Board logic that answers one aligned word of the first page instead of the chips; a page of memory for it. */
  readonly override?: { readonly offset: number; readonly word: number; readonly page: RamBlock };
}

const CHIPS = 2;
/** One erase block of the bank: 64 KiB of each chip. */
export const FLASH_BLOCK_BYTES = CHIPS * 0x1_0000;
const BUFFER_WORDS = 16;
const MANUFACTURER = 0x0089;
const DEVICE_BY_CHIP_BYTES: Readonly<Record<number, number>> = { 0x20_0000: 0x00d0, 0x40_0000: 0x00d4 };

/** Table 3: first bus cycles. */
const Command = {
  ReadArray: 0xff,
  ReadId: 0x90,
  Query: 0x98,
  ReadStatus: 0x70,
  ClearStatus: 0x50,
  Erase: 0x20,
  Program: 0x40,
  ProgramAlternative: 0x10,
  WriteBuffer: 0xe8,
  Confirm: 0xd0,
  Suspend: 0xb0,
  Lock: 0x60,
  SetLock: 0x01,
} as const;

/** Section 5: status register. */
const Status = { Ready: 0x80, EraseError: 0x20, ProgramError: 0x10, Locked: 0x02 } as const;

/** What the next write means, and with it what reads show. */
type Mode =
  | 'array'
  | 'id'
  | 'query'
  | 'status'
  | 'program'
  | 'erase'
  | 'lock'
  | 'buffer-count'
  | 'buffer-data'
  | 'buffer-confirm';

export const intelFlash = defineDevice({
  type: 'intel-28f160-bank',
  title: 'Intel 28F160 flash, two chips on 32 bits',
  stateVersion: 1,
  create(device, { block, byteOrder, windows }: IntelFlashProperties) {
    const chipBytes = block.sizeBytes / CHIPS;
    const query = cfiQuery(chipBytes, FLASH_BLOCK_BYTES / CHIPS);
    const blocks = Math.ceil(block.sizeBytes / FLASH_BLOCK_BYTES);
    const contents = device.state<{ cells: Uint8Array }>({ cells: new Uint8Array(0) }, { survivesReset: true });
    contents.cells = block.bytes; // saved and restored in place
    const locks = device.state({ blocks: new Uint8Array(blocks * CHIPS) }, { survivesReset: true });
    const chips = Array.from({ length: CHIPS }, (_, index) =>
      createChip(
        device.state({
          [`mode${index}`]: 'array',
          [`status${index}`]: Status.Ready,
          [`pending${index}`]: 0,
          [`start${index}`]: 0,
          [`buffer${index}`]: new Uint8Array(BUFFER_WORDS * 2),
          [`filled${index}`]: new Uint8Array(BUFFER_WORDS),
        }) as { [name: string]: string | number | Uint8Array },
        index,
      ),
    );

    /** The bank's byte offset of a chip's 16-bit word. */
    const cellOf = (index: number, chipWord: number): number => chipWord * 4 + index * 2;

    function createChip(state: { [name: string]: string | number | Uint8Array }, index: number) {
      const modeKey = `mode${index}`;
      const statusKey = `status${index}`;
      const pendingKey = `pending${index}`;
      const startKey = `start${index}`;
      const buffer = state[`buffer${index}`] as Uint8Array; // declared as such above
      const filled = state[`filled${index}`] as Uint8Array;
      const status = (): number => state[statusKey] as number;
      const fail = (bits: number): void => {
        state[statusKey] = status() | bits;
      };
      const lockOf = (chipWord: number): number => Math.floor((chipWord * 4) / FLASH_BLOCK_BYTES) * CHIPS + index;

      const program = (chipWord: number, value: number): void => {
        if (locks.blocks[lockOf(chipWord)]) return fail(Status.ProgramError | Status.Locked);
        const cell = cellOf(index, chipWord);
        // Programming can only clear bits.
        block.write(cell, 2, block.read(cell, 2, byteOrder) & value, byteOrder);
      };
      const erase = (chipWord: number): void => {
        if (locks.blocks[lockOf(chipWord)]) return fail(Status.EraseError | Status.Locked);
        const start = Math.floor((chipWord * 4) / FLASH_BLOCK_BYTES) * FLASH_BLOCK_BYTES;
        const end = Math.min(start + FLASH_BLOCK_BYTES, block.sizeBytes);
        for (let cell = start + index * 2; cell < end; cell += 4) {
          block.bytes[cell] = 0xff;
          block.bytes[cell + 1] = 0xff;
        }
        block.markWritten(start, end - start);
      };
      const programBuffer = (): void => {
        const start = state[startKey] as number;
        for (let word = 0; word < BUFFER_WORDS; word++) {
          if (filled[word]) program(start + word, (buffer[2 * word] ?? 0) | ((buffer[2 * word + 1] ?? 0) << 8));
        }
      };

      const firstCycle = (chipWord: number, value: number): Mode => {
        switch (value & 0xff) {
          case Command.ReadArray:
            return 'array';
          case Command.ReadId:
            return 'id';
          case Command.Query:
            return 'query';
          case Command.ReadStatus:
          case Command.Suspend:
            return 'status';
          case Command.ClearStatus:
            state[statusKey] = Status.Ready;
            return 'array';
          case Command.Program:
          case Command.ProgramAlternative:
            return 'program';
          case Command.Erase:
            return 'erase';
          case Command.Lock:
            return 'lock';
          case Command.WriteBuffer:
            filled.fill(0);
            state[startKey] = chipWord - (chipWord % BUFFER_WORDS);
            return 'buffer-count';
          default:
            return 'array';
        }
      };
      const nextCycle = (mode: Mode, chipWord: number, value: number): Mode => {
        const low = value & 0xff;
        switch (mode) {
          case 'program':
            program(chipWord, value);
            return 'status';
          case 'erase':
            if (low === Command.Confirm) erase(chipWord);
            else fail(Status.EraseError | Status.ProgramError);
            return 'status';
          case 'lock':
            if (low === Command.SetLock) locks.blocks[lockOf(chipWord)] = 1;
            // Clearing works on all blocks of the chip at once.
            else if (low === Command.Confirm)
              for (let lock = index; lock < locks.blocks.length; lock += CHIPS) locks.blocks[lock] = 0;
            else fail(Status.EraseError | Status.ProgramError);
            return 'status';
          case 'buffer-count':
            state[pendingKey] = Math.min(low, BUFFER_WORDS - 1) + 1;
            return 'buffer-data';
          case 'buffer-data': {
            const place = chipWord % BUFFER_WORDS;
            buffer[2 * place] = low;
            buffer[2 * place + 1] = value >>> 8;
            filled[place] = 1;
            const left = (state[pendingKey] as number) - 1;
            state[pendingKey] = left;
            return left > 0 ? 'buffer-data' : 'buffer-confirm';
          }
          case 'buffer-confirm':
            if (low === Command.Confirm) programBuffer();
            else fail(Status.EraseError | Status.ProgramError);
            return 'status';
          default:
            return firstCycle(chipWord, value);
        }
      };

      return {
        inArrayMode: (): boolean => state[modeKey] === 'array',
        write: (chipWord: number, value: number): void => {
          state[modeKey] = nextCycle(state[modeKey] as Mode, chipWord, value);
        },
        read: (chipWord: number): number => {
          switch (state[modeKey] as Mode) {
            case 'array':
              return block.read(cellOf(index, chipWord), 2, byteOrder);
            case 'query':
              return query[chipWord % 0x100] ?? 0;
            case 'id':
              if (chipWord % 0x8000 === 2) return locks.blocks[lockOf(chipWord)] ?? 0;
              return chipWord % 2 === 0 ? MANUFACTURER : (DEVICE_BY_CHIP_BYTES[chipBytes] ?? 0);
            default:
              return status();
          }
        },
      };
    }

    /** Shift of a chip's half within a 32-bit access. */
    const halfShift = (index: number): number => (byteOrder === 'little' ? 16 * index : 16 * (1 - index));
    /** Shift of a byte within a chip's half. */
    const byteShift = (offset: number): number => (((offset & 1) === 0) === (byteOrder === 'little') ? 0 : 8);
    const chipAt = (offset: number) => chips[(offset >>> 1) & 1] as (typeof chips)[number];
    const inside = (offset: number, width: number): boolean => offset + width <= block.sizeBytes;

    const registers: MmioHandler = {
      read(offset, width) {
        if (!inside(offset, width)) return 0;
        const chipWord = offset >>> 2;
        if (width === 1) return (chipAt(offset).read(chipWord) >>> byteShift(offset)) & 0xff;
        if (width === 2) return chipAt(offset).read(chipWord) & 0xffff;
        return (
          chips.reduce((value, chip, index) => value | ((chip.read(chipWord) & 0xffff) << halfShift(index)), 0) >>> 0
        );
      },
      write(offset, width, value) {
        if (!inside(offset, width)) return;
        const chipWord = offset >>> 2;
        // A byte write reaches a 16-bit chip with the other half of its bus floating high.
        if (width === 1)
          chipAt(offset).write(chipWord, (0xffff & ~(0xff << byteShift(offset))) | (value << byteShift(offset)));
        else if (width === 2) chipAt(offset).write(chipWord, value);
        else chips.forEach((chip, index) => chip.write(chipWord, (value >>> halfShift(index)) & 0xffff));
        update();
      },
    };
    /** A write handler gets little-endian values from a ROM region, whatever the CPU's order. */
    const romWrites: MmioHandler = {
      read: (offset, width) => registers.read(offset, width),
      write: (offset, width, value) =>
        registers.write(offset, width, byteOrder === 'little' ? value : reverse(value, width)),
    };

    let unmaps: (() => void)[] = [];
    let mappedAsArray: boolean | undefined;
    function update(): void {
      const array = chips.every((chip) => chip.inArrayMode());
      if (array) refreshOverrides();
      if (array === mappedAsArray) return;
      mappedAsArray = array;
      for (const unmap of unmaps) unmap();
      unmaps = windows.flatMap((window) => mapWindow(window, array));
    }
    function mapWindow({ space, base, override }: FlashWindow, array: boolean): (() => void)[] {
      const size = block.sizeBytes;
      if (!array)
        return [space.mapMmio(device.name, base, size, override ? overridden(override) : registers, byteOrder)];
      const bank = space.map({
        name: device.name,
        base,
        size,
        target: { kind: 'rom', block, offset: 0, onWrite: romWrites },
      });
      if (!override) return [bank];
      const target = { kind: 'rom', block: override.page, offset: 0, onWrite: romWrites } as const;
      return [bank, space.map({ name: device.name, base, size: PAGE_BYTES, priority: 1, target })];
    }
    const overridden = ({ offset, word }: NonNullable<FlashWindow['override']>): MmioHandler => ({
      read: (at, width) => ((at & ~3) === offset ? part(word, at & 3, width, byteOrder) : registers.read(at, width)),
      write: (at, width, value) => registers.write(at, width, value),
    });
    function refreshOverrides(): void {
      for (const { override } of windows) {
        if (!override) continue;
        const { page, offset, word } = override;
        const wanted = block.bytes.slice(0, PAGE_BYTES);
        new DataView(wanted.buffer).setUint32(offset, word, byteOrder === 'little');
        if (wanted.every((byte, at) => byte === page.bytes[at])) continue;
        page.bytes.set(wanted);
        page.markWritten(0, PAGE_BYTES);
      }
    }

    device.onReset(update);
    device.onRestore(() => {
      block.markWritten(0, block.sizeBytes);
      update();
    });
    block.bytes.fill(0xff);
    return {
      registers,
      /** Places an image at the start of an erased bank, as a programmer in the factory does. */
      load(image: Uint8Array): void {
        block.bytes.fill(0xff);
        block.bytes.set(image);
        block.markWritten(0, block.sizeBytes);
        update();
      },
    };
  },
});

function reverse(value: number, width: AccessWidth): number {
  let result = 0;
  for (let i = 0; i < width; i++) result = ((result << 8) | ((value >>> (8 * i)) & 0xff)) >>> 0;
  return result;
}

/** Bytes `lane..lane + width - 1` of a word. */
function part(word: number, lane: number, width: AccessWidth, order: ByteOrder): number {
  const shift = order === 'little' ? 8 * lane : 8 * (4 - lane - width);
  return width === 4 ? word : ((word >>> Math.max(shift, 0)) & widthMask(width)) >>> 0;
}
