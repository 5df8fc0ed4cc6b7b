/** Throws unless `length` bytes at `offset` lie inside a store of `sizeBytes`. `name` says which store in the message. */
export function checkRange(name: string, sizeBytes: number, offset: number, length: number): void {
  if (!Number.isSafeInteger(offset) || offset < 0 || offset + length > sizeBytes) {
    throw new RangeError(`${name}: ${length} bytes at offset ${offset} are outside its ${sizeBytes} bytes`);
  }
}

/** The error of every write to a store that was opened read-only. */
export function readOnlyError(name: string): Error {
  return new Error(`${name}: opened read-only; put a CopyOnWriteOverlay on it to give the guest a writable disk`);
}
