/** Room for an interpreter's decoder in linear memory. */
export const DECODE_TABLE_BYTES = 4096;
