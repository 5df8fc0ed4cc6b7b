import type { RamBlock } from '../../memory/index.js';
import type { Access, MemoryFault, UserMmu } from '../../targets/index.js';
import type { VirtualMemory } from '../memory/index.js';

/** The page tables of whichever process runs, as the CPU consults them. */
export class ProcessMmu implements UserMmu {
  physical = 0;
  writable = false;
  blockBytes = 0;
  fault: MemoryFault = { signal: 'SIGSEGV', code: 1 };
  space: VirtualMemory | undefined;

  constructor(private readonly block: RamBlock) {}

  translate(address: number, access: Access): boolean {
    const found = this.space?.resolve(address >>> 0, access);
    if (!found) return false;
    if ('physical' in found) {
      this.physical = found.physical;
      this.writable = found.writable;
      this.blockBytes = found.blockBytes;
      return true;
    }
    this.fault = found;
    return false;
  }

  find(address: number): boolean {
    const found = this.space?.lookUp(address >>> 0);
    if (!found) return false;
    this.physical = found.physical;
    this.writable = found.writable;
    return true;
  }

  loadByte(physical: number): number {
    return this.block.bytes[physical] as number;
  }

  storeByte(physical: number, value: number): void {
    this.block.write(physical, 1, value, 'little');
  }
}
