/** Reads and writes the structures that `targets/linux-abi` declares, in guest memory or in plain bytes. */
import type { ByteOrder } from '../../core/index.js';
import type {
  BytesType,
  FieldLayout,
  Fields,
  FieldType,
  PaddingType,
  StructLayout,
  ValueFields,
} from '../../targets/linux-abi/layout.js';
import type { UserMemory } from '../kernel/contracts.js';

/** What reading a field gives: 64-bit integers are bigints; `long` and pointers of 64-bit ABIs are exact up to 2^53. */
export type FieldValue<T extends FieldType> = T extends BytesType
  ? Uint8Array
  : T extends PaddingType
    ? never
    : T extends 'u64' | 'i64'
      ? bigint
      : number;

export type StructValue<F extends Fields> = { -readonly [K in ValueFields<F>]: FieldValue<F[K]> };

/** What writing takes: either kind of number for every integer; it is stored modulo the field's width. */
export type StructInput<F extends Fields> = {
  readonly [K in ValueFields<F>]: F[K] extends BytesType ? Uint8Array : number | bigint;
};

export function decodeStruct<F extends Fields>(
  layout: StructLayout<F>,
  bytes: Uint8Array,
  byteOrder: ByteOrder,
): StructValue<F> {
  if (bytes.length < layout.size) {
    throw new RangeError(`decodeStruct: ${bytes.length} bytes for a structure of ${layout.size}`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const littleEndian = byteOrder === 'little';
  const result: Record<string, unknown> = {};
  for (const [name, field] of fieldsOf(layout)) result[name] = readField(view, field, littleEndian);
  return result as StructValue<F>; // has exactly the layout's value fields
}

/** @returns the structure's bytes, padding zero */
export function encodeStruct<F extends Fields>(
  layout: StructLayout<F>,
  values: StructInput<F>,
  byteOrder: ByteOrder,
): Uint8Array {
  const bytes = new Uint8Array(layout.size);
  const view = new DataView(bytes.buffer);
  const littleEndian = byteOrder === 'little';
  for (const [name, field] of fieldsOf(layout)) {
    const value = (values as Readonly<Record<string, number | bigint | Uint8Array>>)[name]!;
    if (value instanceof Uint8Array) bytes.set(value.subarray(0, field.bytes), field.offset);
    else writeField(view, field, value, littleEndian);
  }
  return bytes;
}

/** @throws Errno EFAULT */
export function readStruct<F extends Fields>(
  memory: UserMemory,
  address: number,
  layout: StructLayout<F>,
): StructValue<F> {
  return decodeStruct(layout, memory.read(address, layout.size), memory.byteOrder);
}

/** @throws Errno EFAULT */
export function writeStruct<F extends Fields>(
  memory: UserMemory,
  address: number,
  layout: StructLayout<F>,
  values: StructInput<F>,
): void {
  memory.write(address, encodeStruct(layout, values, memory.byteOrder));
}

/** Whether an integer can be stored in a field without loss; where not, Linux gives EOVERFLOW. */
export function fits<F extends Fields>(layout: StructLayout<F>, name: ValueFields<F>, value: number | bigint): boolean {
  const field: FieldLayout = layout.fields[name];
  const bits = field.bytes * 8;
  return (field.signed ? BigInt.asIntN(bits, BigInt(value)) : BigInt.asUintN(bits, BigInt(value))) === BigInt(value);
}

function fieldsOf<F extends Fields>(layout: StructLayout<F>): [string, FieldLayout][] {
  return Object.entries(layout.fields);
}

function readField(view: DataView, field: FieldLayout, littleEndian: boolean): number | bigint | Uint8Array {
  const { offset, bytes, signed, type } = field;
  if (typeof type !== 'string') return new Uint8Array(view.buffer, view.byteOffset + offset, bytes).slice();
  switch (bytes) {
    case 1:
      return signed ? view.getInt8(offset) : view.getUint8(offset);
    case 2:
      return signed ? view.getInt16(offset, littleEndian) : view.getUint16(offset, littleEndian);
    case 4:
      return signed ? view.getInt32(offset, littleEndian) : view.getUint32(offset, littleEndian);
    default: {
      const value = signed ? view.getBigInt64(offset, littleEndian) : view.getBigUint64(offset, littleEndian);
      return type === 'u64' || type === 'i64' ? value : Number(value);
    }
  }
}

function writeField(view: DataView, field: FieldLayout, value: number | bigint, littleEndian: boolean): void {
  const { offset, bytes } = field;
  if (bytes === 8) {
    view.setBigUint64(offset, BigInt.asUintN(64, BigInt(value)), littleEndian);
    return;
  }
  const low = Number(BigInt.asUintN(32, BigInt(value)));
  if (bytes === 1) view.setUint8(offset, low);
  else if (bytes === 2) view.setUint16(offset, low, littleEndian);
  else view.setUint32(offset, low, littleEndian);
}
