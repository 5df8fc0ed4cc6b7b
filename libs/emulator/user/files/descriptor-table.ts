import { Errno } from '../kernel/contracts.js';
import type { OpenFile } from './open-file.js';

interface Descriptor {
  readonly file: OpenFile;
  closeOnExec: boolean;
}

/** A process's descriptors; threads (CLONE_FILES) share one table. */
export class DescriptorTable {
  readonly #slots = new Map<number, Descriptor>();
  /** No number below is free. */
  #firstFree = 0;
  #holders = 1;
  /** The highest number there ever was, and one. */
  #extent = 0;

  /** Another process shares this table. */
  share(): this {
    this.#holders++;
    return this;
  }

  get shared(): boolean {
    return this.#holders > 1;
  }

  copy(): DescriptorTable {
    const table = new DescriptorTable();
    for (const [number, { file, closeOnExec }] of this.#slots) {
      table.#slots.set(number, { file: file.retain(), closeOnExec });
    }
    table.#firstFree = this.#firstFree;
    table.#extent = this.#extent;
    return table;
  }

  /** One holder fewer; the last one closes everything. @returns whether it was the last */
  leave(): boolean {
    if (--this.#holders > 0) return false;
    for (const { file } of this.#slots.values()) file.drop();
    this.#slots.clear();
    return true;
  }

  /** @throws Errno EBADF */
  get(number: number): OpenFile {
    return this.entry(number).file;
  }

  entry(number: number): Descriptor {
    const descriptor = this.#slots.get(number);
    if (!descriptor) throw new Errno('EBADF');
    return descriptor;
  }

  has(number: number): boolean {
    return this.#slots.has(number);
  }

  /**
   * How far select(2) looks: Linux's tables have room for 64 descriptors, then for powers of two from 256 on, and what is
   * beyond is not asked.
   */
  get capacity(): number {
    if (this.#extent <= 64) return 64;
    return Math.max(256, 2 ** Math.ceil(Math.log2(this.#extent)));
  }

  /** Numbers in use, ascending. */
  numbers(): number[] {
    return [...this.#slots.keys()].sort((a, b) => a - b);
  }

  /** Whether {@link add} would find a number below `limit`. */
  hasRoom(limit: number): boolean {
    return this.#lowestFree(0) < limit;
  }

  /** The lowest free number from `least` on. @throws Errno EMFILE */
  add(file: OpenFile, options: { limit: number; closeOnExec: boolean; least?: number }): number {
    const { limit, closeOnExec, least = 0 } = options;
    const number = this.#lowestFree(least);
    if (number >= limit) {
      file.retain().drop(); // nobody will ever hold it
      throw new Errno('EMFILE');
    }
    if (least <= this.#firstFree) this.#firstFree = number + 1;
    this.#slots.set(number, { file: file.retain(), closeOnExec });
    this.#extent = Math.max(this.#extent, number + 1);
    return number;
  }

  #lowestFree(least: number): number {
    let number = Math.max(least, this.#firstFree);
    while (this.#slots.has(number)) number++;
    return number;
  }

  /** dup2(2): closes what was there. */
  put(number: number, file: OpenFile, closeOnExec: boolean): void {
    file.retain();
    const previous = this.#slots.get(number);
    this.#slots.set(number, { file, closeOnExec });
    this.#extent = Math.max(this.#extent, number + 1);
    previous?.file.drop();
  }

  /** @throws Errno EBADF */
  close(number: number): OpenFile {
    const { file } = this.entry(number);
    this.#slots.delete(number);
    this.#firstFree = Math.min(this.#firstFree, number);
    file.drop();
    return file;
  }

  closeOnExec(): void {
    for (const [number, descriptor] of [...this.#slots]) {
      if (descriptor.closeOnExec) this.close(number);
    }
  }
}
