import { firstIndex, hex } from '../core/index.js';

/** A file of symbols that cannot be used. The message says why. */
export class SymbolError extends Error {}

interface GuestFunction {
  readonly start: number;
  /** First address behind it. */
  readonly end: number;
  readonly name: string;
}

const SHT_SYMTAB = 2;
const STT_FUNC = 2;
/** `st_info` types without a size of their own: labels in assembly code. */
const STT_NOTYPE = 0;
const ELF_MAGIC = 0x7f454c46;
const PAGE_BYTES = 0x1000;

/**
 * Names of a guest's functions by address.
 * Sources: System V ABI, Object Files (section headers, symbol table); nm(1) for System.map.
 */
export class Symbols {
  readonly #functions: readonly GuestFunction[];

  /** @param functions may overlap; where they do, the one that starts last wins */
  constructor(functions: readonly GuestFunction[]) {
    this.#functions = [...functions].sort((a, b) => a.start - b.start || a.end - b.end);
  }

  get count(): number {
    return this.#functions.length;
  }

  /** The function at an address, or its page where none is known there. */
  nameOf(address: number): string {
    return this.#at(address)?.name ?? `${hex((address - (address % PAGE_BYTES)) >>> 0)} (page)`;
  }

  /** Where the function begins that an address lies in. */
  startOf(address: number): number | undefined {
    return this.#at(address)?.start;
  }

  #at(address: number): GuestFunction | undefined {
    const found = this.#functions[firstIndex(this.#functions, ({ start }) => start > address) - 1];
    return found && address < found.end ? found : undefined;
  }

  /**
   * Reads an ELF file's symbol table, or a System.map.
   * @throws SymbolError when it is neither, or has no functions
   */
  static read(bytes: Uint8Array): Symbols {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const elf = bytes.length >= 4 && view.getUint32(0) === ELF_MAGIC;
    const symbols = new Symbols(elf ? readElf(view, bytes) : readSystemMap(bytes));
    if (symbols.count === 0)
      throw new SymbolError(
        elf ? 'it has no symbol table: it was stripped' : 'it is neither an ELF file nor a System.map',
      );
    return symbols;
  }
}

function readElf(view: DataView, bytes: Uint8Array): GuestFunction[] {
  try {
    if (view.getUint8(4) !== 1) throw new SymbolError('it is not a 32-bit ELF file');
    const little = view.getUint8(5) === 1;
    const u32 = (at: number): number => view.getUint32(at, little);
    const sectionHeaders = u32(0x20);
    const entrySize = view.getUint16(0x2e, little);
    const section = (index: number): number => sectionHeaders + index * entrySize;
    const functions: GuestFunction[] = [];
    for (let i = 0; i < view.getUint16(0x30, little); i++) {
      const header = section(i);
      if (u32(header + 4) !== SHT_SYMTAB) continue;
      const [offset, size, link] = [u32(header + 0x10), u32(header + 0x14), u32(header + 0x18)];
      const names = u32(section(link) + 0x10);
      for (let at = offset; at + 16 <= offset + size; at += 16) {
        const [name, value, length] = [u32(at), u32(at + 4), u32(at + 8)];
        const type = view.getUint8(at + 12) & 0xf;
        const defined = view.getUint16(at + 14, little) !== 0;
        if (!defined || (type !== STT_FUNC && !(type === STT_NOTYPE && length > 0))) continue;
        functions.push({ start: value, end: value + Math.max(length, 4), name: textAt(bytes, names + name) });
      }
    }
    return functions;
  } catch (error) {
    if (error instanceof RangeError) throw new SymbolError('the ELF file is truncated', { cause: error });
    throw error;
  }
}

function textAt(bytes: Uint8Array, start: number): string {
  if (start >= bytes.length) throw new RangeError('a name lies outside the file');
  const end = bytes.indexOf(0, start);
  return new TextDecoder().decode(bytes.subarray(start, end < 0 ? bytes.length : end));
}

/** Lines of address, type and name; a function goes to the next symbol. */
function readSystemMap(bytes: Uint8Array): GuestFunction[] {
  const lines = new TextDecoder().decode(bytes).matchAll(/^(?:ffffffff)?([0-9a-f]{8}) ([a-zA-Z]) (\S+)$/gm);
  const symbols = [...lines].map(([, address, type, name]) => ({
    start: parseInt(address as string, 16),
    isCode: /[tTwW]/.test(type as string),
    name: name as string,
  }));
  symbols.sort((a, b) => a.start - b.start);
  return symbols.flatMap(({ start, isCode, name }, i) => {
    const next = symbols.slice(i + 1, i + 50).find((other) => other.start > start);
    return isCode ? [{ start, end: next?.start ?? start + PAGE_BYTES, name }] : [];
  });
}
