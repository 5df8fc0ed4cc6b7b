/**
 * The 512 bytes that IDENTIFY DEVICE returns.
 * Source: T13/1410D, AT Attachment with Packet Interface - 6, section 8.15 and table 27.
 */
export interface AtaIdentity {
  readonly model: string;
  readonly serial: string;
  readonly firmware: string;
  readonly sectors: number;
  readonly geometry: AtaGeometry;
  /** Sectors per block that SET MULTIPLE MODE chose, 0 for none. */
  readonly multiple: number;
  /** Word 63 and 88, high byte: the selected multiword and Ultra DMA mode as one bit each. */
  readonly multiwordMode: number;
  readonly ultraMode: number;
  readonly writeCache: boolean;
}

export interface AtaGeometry {
  readonly cylinders: number;
  readonly heads: number;
  readonly sectors: number;
}

export const SECTOR_BYTES = 512;
export const MAX_MULTIPLE = 16;
const LBA28_SECTORS = 0xfff_ffff;

/** Annex C of ATA-6: what a drive reports to software that counts cylinders. */
export function defaultGeometry(sectors: number): AtaGeometry {
  return { cylinders: Math.min(16383, Math.max(1, Math.floor(sectors / (16 * 63)))), heads: 16, sectors: 63 };
}

export function identifyData(identity: AtaIdentity): Uint8Array {
  const { sectors, geometry, multiple, multiwordMode, ultraMode, writeCache } = identity;
  const bytes = new Uint8Array(SECTOR_BYTES);
  const view = new DataView(bytes.buffer);
  const word = (index: number, value: number): void => view.setUint16(2 * index, value, true);
  const double = (index: number, value: number): void => view.setUint32(2 * index, value, true);
  /** Characters fill words from the high byte down. */
  const text = (first: number, words: number, value: string): void => {
    const padded = value.padEnd(2 * words).slice(0, 2 * words);
    for (let index = 0; index < words; index++) {
      word(first + index, (padded.charCodeAt(2 * index) << 8) | padded.charCodeAt(2 * index + 1));
    }
  };
  word(0, 0x0040); // fixed device
  word(1, geometry.cylinders);
  word(3, geometry.heads);
  word(6, geometry.sectors);
  text(10, 10, identity.serial);
  text(23, 4, identity.firmware);
  text(27, 20, identity.model);
  word(47, 0x8000 | MAX_MULTIPLE);
  word(49, 0x0f00); // IORDY may be disabled, LBA, DMA
  word(50, 0x4000);
  word(51, 0x0200); // PIO timing mode
  word(53, 0x0007); // words 54-58, 64-70 and 88 are valid
  word(54, geometry.cylinders);
  word(55, geometry.heads);
  word(56, geometry.sectors);
  double(57, Math.min(geometry.cylinders * geometry.heads * geometry.sectors, sectors));
  word(59, multiple > 0 ? 0x0100 | multiple : 0);
  double(60, Math.min(sectors, LBA28_SECTORS));
  word(63, 0x0007 | (multiwordMode << 8));
  word(64, 0x0003); // PIO modes 3 and 4
  for (const index of [65, 66, 67, 68]) word(index, 120); // cycle times in ns
  word(80, 0x007e); // ATA-1 to ATA-6
  word(82, 0x0020); // write cache
  word(83, 0x7400); // flush cache, flush cache ext, 48-bit addresses
  word(84, 0x4000);
  word(85, writeCache ? 0x0020 : 0);
  word(86, 0x3400);
  word(87, 0x4000);
  word(88, 0x0007 | (ultraMode << 8)); // Ultra DMA 0 to 2
  word(93, 0x600b); // device 0, 80-conductor cable not seen
  double(100, sectors % 2 ** 32);
  double(102, Math.floor(sectors / 2 ** 32));
  return bytes;
}
