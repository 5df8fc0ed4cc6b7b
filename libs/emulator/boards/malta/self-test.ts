import type { ByteOrder } from '../../core/index.js';
import { SELF_TEST_BASE64 } from './self-test.generated.js';

/** The board's health check as an ELF file; it prints `SELFTEST: PASS` or `SELFTEST: FAIL n` and switches off. */
export function maltaSelfTest(byteOrder: ByteOrder): Uint8Array {
  return Uint8Array.from(atob(SELF_TEST_BASE64[byteOrder]), (character) => character.charCodeAt(0));
}
