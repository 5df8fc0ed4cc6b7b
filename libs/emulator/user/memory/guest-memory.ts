import type { ByteOrder } from '../../core/index.js';
import { PAGE_BYTES } from '../../memory/index.js';
import type { Access } from '../../targets/index.js';
import { Access as AccessKind } from '../../targets/index.js';
import type { UserMemory } from '../kernel/contracts.js';
import { Errno } from '../kernel/contracts.js';
import type { PagePool } from './page-pool.js';
import type { VirtualMemory } from './virtual-memory.js';

/** A process's memory as system calls see it, whatever pages it lies on. */
export class GuestMemory implements UserMemory {
  readonly #scratch = new Uint8Array(8);
  readonly #view = new DataView(this.#scratch.buffer);
  readonly #little: boolean;
  readonly #pool: PagePool;

  constructor(
    private readonly space: VirtualMemory,
    readonly byteOrder: ByteOrder,
    readonly pointerBytes: 4 | 8,
  ) {
    this.#little = byteOrder === 'little';
    this.#pool = space.pool;
  }

  read(address: number, length: number): Uint8Array {
    const result = new Uint8Array(length);
    this.#transfer(address, length, AccessKind.Read, (offset, physical, count) =>
      result.set(this.#pool.block.bytes.subarray(physical, physical + count), offset),
    );
    return result;
  }

  write(address: number, bytes: Uint8Array): void {
    this.#transfer(address, bytes.length, AccessKind.Write, (offset, physical, count) => {
      this.#pool.block.bytes.set(bytes.subarray(offset, offset + count), physical);
      this.#pool.block.markWritten(physical, count);
    });
  }

  fill(address: number, length: number, write: (bytes: Uint8Array) => number): number | undefined {
    const physical = this.space.writableAt(address >>> 0, length);
    if (physical === undefined) return undefined;
    const { block } = this.#pool;
    let written = length; // unless it says something else
    try {
      return (written = write(block.bytes.subarray(physical, physical + length)));
    } finally {
      block.markWritten(physical, written);
    }
  }

  /**
   * For debuggers: page permissions do not count.
   * @returns bytes from the address on, as many as are there, at most `length`
   */
  peek(address: number, length: number): Uint8Array {
    const parts: Uint8Array[] = [];
    this.#debug(address, length, false, (physical, count) =>
      parts.push(this.#pool.block.bytes.slice(physical, physical + count)),
    );
    return concatenate(parts);
  }

  /** As {@link peek}. @returns how many bytes were written */
  poke(address: number, bytes: Uint8Array): number {
    return this.#debug(address, bytes.length, true, (physical, count, offset) => {
      this.#pool.block.bytes.set(bytes.subarray(offset, offset + count), physical);
      this.#pool.block.markWritten(physical, count);
    });
  }

  #debug(
    address: number,
    length: number,
    write: boolean,
    move: (physical: number, count: number, offset: number) => void,
  ): number {
    const start = address >>> 0;
    let offset = 0;
    while (offset < length && start + offset < this.space.map.limit) {
      const at = start + offset;
      const physical = this.space.resolveForDebugger(at, write);
      if (physical === undefined) break;
      const count = Math.min(length - offset, PAGE_BYTES - (at % PAGE_BYTES));
      move(physical, count, offset);
      offset += count;
    }
    return offset;
  }

  u8(address: number): number {
    return this.#load(address, 1).getUint8(0);
  }

  u32(address: number): number {
    return this.#load(address, 4).getUint32(0, this.#little);
  }

  i32(address: number): number {
    return this.#load(address, 4).getInt32(0, this.#little);
  }

  u64(address: number): bigint {
    return this.#load(address, 8).getBigUint64(0, this.#little);
  }

  setU8(address: number, value: number): void {
    this.#view.setUint8(0, value);
    this.write(address, this.#scratch.subarray(0, 1));
  }

  setU32(address: number, value: number): void {
    this.#view.setUint32(0, value, this.#little);
    this.write(address, this.#scratch.subarray(0, 4));
  }

  setU64(address: number, value: bigint): void {
    this.#view.setBigUint64(0, BigInt.asUintN(64, value), this.#little);
    this.write(address, this.#scratch);
  }

  cString(address: number, limit = PAGE_BYTES): Uint8Array {
    const parts: Uint8Array[] = [];
    for (let at = address, left = limit; left > 0;) {
      const count = Math.min(left, PAGE_BYTES - (at % PAGE_BYTES));
      const bytes = this.read(at, count);
      const end = bytes.indexOf(0);
      if (end >= 0) return concatenate([...parts, bytes.subarray(0, end)]);
      parts.push(bytes);
      at += count;
      left -= count;
    }
    throw new Errno('ENAMETOOLONG');
  }

  /** Physical address for a key that all processes sharing the page agree on. @throws Errno EFAULT */
  physical(address: number, access: Access): number {
    const found = this.space.resolve(address >>> 0, access);
    if (!('physical' in found)) throw new Errno('EFAULT');
    return found.physical;
  }

  #load(address: number, bytes: number): DataView {
    this.#transfer(address, bytes, AccessKind.Read, (offset, physical, count) =>
      this.#scratch.set(this.#pool.block.bytes.subarray(physical, physical + count), offset),
    );
    return this.#view;
  }

  #transfer(
    address: number,
    length: number,
    access: Access,
    move: (offset: number, physical: number, count: number) => void,
  ): void {
    const start = address >>> 0;
    for (let offset = 0; offset < length;) {
      const at = start + offset;
      if (at >= this.space.map.limit) throw new Errno('EFAULT');
      const count = Math.min(length - offset, PAGE_BYTES - (at % PAGE_BYTES));
      move(offset, this.physical(at, access), count);
      offset += count;
    }
  }
}

export function concatenate(parts: readonly Uint8Array[]): Uint8Array {
  const result = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    result.set(part, offset);
    offset += part.length;
  }
  return result;
}
