/**
 * Gives the memory of a buffer back now, where this JavaScript can (Node 22 and later). V8 would the next time it looks for garbage,
 * which in a process that then idles may be hours away.
 * @param bytes nobody uses it any more, nor anything else that shares its buffer
 */
export function release({ buffer }: Uint8Array<ArrayBuffer>): void {
  const { transfer } = buffer as ArrayBuffer & { transfer?: (bytes: number) => ArrayBuffer }; // ECMAScript 2024
  transfer?.call(buffer, 0);
}
