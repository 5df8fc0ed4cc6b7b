/**
 * The common flash interface query table of an Intel 28F160-class chip, by 16-bit word address.
 * Source: JEDEC JESD68.01, sections 3 and 4; vendor table: JEP137, command set 0001 (Intel/Sharp extended).
 */
export function cfiQuery(chipBytes: number, blockBytes: number): Uint8Array {
  const table = new Uint8Array(0x100);
  const blocks = chipBytes / blockBytes - 1;
  const vendorTable = 0x31;
  table.set([0x51, 0x52, 0x59, 0x01, 0x00, vendorTable, 0x00], 0x10); // "QRY", command set 1, vendor table
  table.set([0x30, 0x55, 0x30, 0x55], 0x1b); // Vcc and Vpp 3.0 V to 5.5 V
  table.set([4, 4, 10, 0], 0x1f); // typical times as powers of two: 16 us word, 16 us buffer, 1 s block, no chip erase
  table.set([4, 4, 4, 0], 0x23); // maximum times, times 16
  table.set([Math.log2(chipBytes), 0x01, 0x00, 0x05, 0x00], 0x27); // size, x16 only, 32-byte buffer
  table.set([1, blocks & 0xff, blocks >>> 8, (blockBytes / 256) & 0xff, blockBytes >>> 16], 0x2c); // one erase region
  // "PRI" 1.0; queued and program suspend absent, legacy lock bits; no suspend functions, no block status mask; 5.0 V
  table.set([0x50, 0x52, 0x49, 0x31, 0x30, 0x08, 0, 0, 0, 0, 0x01, 0, 0x50, 0x50], vendorTable);
  return table;
}
