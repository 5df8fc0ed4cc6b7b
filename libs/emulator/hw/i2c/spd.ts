/**
 * Contents of a memory module's serial presence detect EEPROM.
 * Source: JEDEC Standard 21-C, section 4.1.2.5, appendix E: SPD for synchronous DRAM modules, revision 1.2.
 */

const MIB = 2 ** 20;

/** What fits a module's size: row and column address bits and the number of physical banks, on 64 data bits. */
interface Geometry {
  readonly rows: number;
  readonly columns: number;
  readonly banks: 1 | 2;
}

/** @param sizeBytes a power of two between 4 MiB and 2 GiB; other sizes describe the largest module below it */
export function sdramSpd(sizeBytes: number): Uint8Array {
  const log = Math.max(22, Math.min(31, Math.floor(Math.log2(sizeBytes))));
  const { rows, columns, banks } = geometry(log);
  const bankBytes = 2 ** log / banks;
  const spd = new Uint8Array(128);
  const fields: readonly (readonly [number, readonly number[]])[] = [
    [0, [128, 8, 4, rows, columns, banks]], // bytes used, log2 of EEPROM size, SDRAM, geometry
    [6, [64, 0, 1]], // data width, LVTTL
    [9, [0x75, 0x54]], // 7.5 ns cycle, 5.4 ns access at the highest CAS latency
    [11, [0, 0x82, 8, 0]], // no parity, 15.6 us self refresh, 8-bit chips
    [15, [1, 0x8f, 4, 0x04, 1, 1]], // back-to-back delay, bursts 1 2 4 8 and page, four banks, CL 3, CS and WE latency 0
    [21, [0, 0x0e]], // unbuffered, general attributes
    [27, [20, 15, 20, 45]], // tRP, tRRD, tRCD, tRAS in ns
    [31, [densityCode(bankBytes)]],
    [32, [0x15, 0x08, 0x15, 0x08]], // setup and hold times
    [62, [0x12]], // SPD revision 1.2
  ];
  for (const [offset, bytes] of fields) spd.set(bytes, offset);
  spd[63] = spd.subarray(0, 63).reduce((sum, byte) => sum + byte, 0) & 0xff;
  return spd;
}

function geometry(log: number): Geometry {
  // 8 bytes per column, four internal banks: log2(bytes) = rows + columns + 5, and one more with two physical banks.
  const banks = log >= 26 ? 2 : 1;
  const cells = log - 5 - (banks - 1);
  const rows = Math.min(13, Math.ceil(cells / 2) + 1);
  return { rows, columns: cells - rows, banks };
}

/** Byte 31: one bit per density, 4 MiB to 512 MiB, with 1 GiB and 2 GiB sharing the lowest bits. */
function densityCode(bytes: number): number {
  const code: Readonly<Record<number, number>> = {
    4: 1,
    8: 2,
    16: 4,
    32: 8,
    64: 16,
    128: 32,
    256: 64,
    512: 128,
    1024: 1,
    2048: 2,
  };
  return code[bytes / MIB] ?? 0;
}
