/**
 * A disk's storage as a device sees it: a flat array of bytes. Calls are synchronous, because a device model answers
 * within one virtual instant; latency is the device's own business, in virtual time.
 */
export interface BlockBackend {
  /** Capacity in bytes. */
  readonly sizeBytes: number;
  readonly readOnly: boolean;
  /** Fills `target` from `offset`. @throws RangeError past the end */
  read(offset: number, target: Uint8Array): void;
  /** Stores `source` at `offset`. @throws RangeError past the end, Error when read-only */
  write(offset: number, source: Uint8Array): void;
  flush(): void;
}
