const [FIRST_START, SECOND_START] = [0x811c9dc5, 0x9e3779b9];
/** Odd numbers without pattern: the prime of FNV's 32 bits, and one of xxHash's. */
const [FIRST_FACTOR, SECOND_FACTOR] = [0x01000193, 0x85ebca77];

/**
 * A short name for a text: 16 hexadecimal digits. Whoever goes by it compares what it leads to, since texts with the same one can
 * be made. It is there for those to whom the four milliseconds matter that Node needs to load its cryptography.
 */
export function fingerprint(text: string): string {
  let first = FIRST_START;
  let second = SECOND_START;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    first = Math.imul(first ^ unit, FIRST_FACTOR);
    second = Math.imul(second ^ unit, SECOND_FACTOR);
    second ^= second >>> 15;
  }
  return [first, second].map((half) => (half >>> 0).toString(16).padStart(8, '0')).join('');
}
