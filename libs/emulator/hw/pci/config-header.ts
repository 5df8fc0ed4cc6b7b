import { bit, bits } from '../registers.js';

/** What identifies a PCI function to software. */
export interface PciIdentity {
  readonly vendorId: number;
  readonly deviceId: number;
  /** Base class, subclass and programming interface, 24 bits. */
  readonly classCode: number;
  readonly revision: number;
  /** The device has more than one function. */
  readonly multiFunction?: boolean;
  /** 1..4 for INTA..INTD, 0 for none. */
  readonly interruptPin?: number;
}

/**
 * The predefined header of a function that is not a bridge to another PCI bus, without its base address registers.
 * Source: PCI Local Bus Specification 2.2, section 6.1 and 6.2.
 */
export function configHeader({
  vendorId,
  deviceId,
  classCode,
  revision,
  multiFunction = false,
  interruptPin = 0,
}: PciIdentity) {
  return {
    VENDOR_ID: { offset: 0x00, width: 2, access: 'ro', reset: vendorId },
    DEVICE_ID: { offset: 0x02, width: 2, access: 'ro', reset: deviceId },
    COMMAND: {
      offset: 0x04,
      width: 2,
      fields: {
        IO: bit(0),
        MEMORY: bit(1),
        MASTER: bit(2),
        SPECIAL: bit(3),
        INVALIDATE: bit(4),
        PARITY: bit(6),
        SERR: bit(8),
        FAST: bit(9),
      },
    },
    STATUS: {
      offset: 0x06,
      width: 2,
      // Fast back-to-back capable, medium DEVSEL# timing.
      reset: 0x0280,
      fields: {
        MASTER_PARITY: bit(8, 'w1c'),
        SIGNALED_TARGET_ABORT: bit(11, 'w1c'),
        TARGET_ABORT: bit(12, 'w1c'),
        MASTER_ABORT: bit(13, 'w1c'),
        SERR_SENT: bit(14, 'w1c'),
        PARITY_SEEN: bit(15, 'w1c'),
      },
    },
    REVISION: { offset: 0x08, access: 'ro', reset: revision },
    INTERFACE: { offset: 0x09, access: 'ro', reset: classCode & 0xff },
    SUBCLASS: { offset: 0x0a, access: 'ro', reset: (classCode >>> 8) & 0xff },
    BASE_CLASS: { offset: 0x0b, access: 'ro', reset: classCode >>> 16 },
    CACHE_LINE: { offset: 0x0c },
    LATENCY: { offset: 0x0d, fields: { TIMER: bits(7, 3) } },
    HEADER_TYPE: { offset: 0x0e, access: 'ro', reset: multiFunction ? 0x80 : 0 },
    INTERRUPT_LINE: { offset: 0x3c },
    INTERRUPT_PIN: { offset: 0x3d, access: 'ro', reset: interruptPin },
  } as const;
}

/** A base address register that asks for `size` ports (a power of two). @param index 0..5 */
export function ioBar(index: number, size: number) {
  return { offset: 0x10 + 4 * index, width: 4, reset: 1, fields: { BASE: bits(31, Math.log2(size)) } } as const;
}

/** A base address register that asks for `size` bytes of memory. */
export function memoryBar(index: number, size: number, { prefetchable = false, reset = 0 } = {}) {
  return {
    offset: 0x10 + 4 * index,
    width: 4,
    reset: (reset | (prefetchable ? 8 : 0)) >>> 0,
    fields: { BASE: bits(31, Math.log2(size)) },
  } as const;
}
