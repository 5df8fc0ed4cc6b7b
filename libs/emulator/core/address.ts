/** Branded integers, so that a physical address cannot be handed to something that wants a virtual one. */

declare const physBrand: unique symbol;
declare const virtBrand: unique symbol;

/** Address on the machine's physical bus, an unsigned integer below 2^53. */
export type PhysAddr = number & { readonly [physBrand]: true };

/** Address as guest code sees it, before translation. Unsigned 32-bit for the 32-bit targets. */
export type VirtAddr = number & { readonly [virtBrand]: true };

export const physAddr = (value: number): PhysAddr => value as PhysAddr;
export const virtAddr = (value: number): VirtAddr => (value >>> 0) as VirtAddr;

/** Byte order of a CPU, a bus or a device's registers. */
export type ByteOrder = 'little' | 'big';

/** Bytes that one bus transaction moves. Wider CPU accesses to devices are split by the memory layer. */
export type AccessWidth = 1 | 2 | 4;

/** All bits of so many bytes, unsigned. @param width 1 to 4 */
export const widthMask = (width: number): number => 0xffff_ffff >>> (32 - 8 * width);

export const hex = (value: number, digits = 8): string => `0x${value.toString(16).padStart(digits, '0')}`;
