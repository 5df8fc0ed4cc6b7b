/**
 * Structures of a Linux ABI as data: each field's type in C's terms, from which offsets and sizes follow by the ABI's
 * data model (sizes of `long` and pointers, alignment of 64-bit integers). `user/abi/struct.ts` reads and writes them.
 */

/** C integers. `long`, `ulong` and `pointer` are as wide as the data model says. */
export type IntegerType = 'u8' | 'i8' | 'u16' | 'i16' | 'u32' | 'i32' | 'u64' | 'i64' | 'long' | 'ulong' | 'pointer';

/** `char name[count]`: opaque bytes. */
export interface BytesType {
  readonly bytes: number;
}

/** Reserved space: written as zeros, never read. */
export interface PaddingType {
  readonly padding: IntegerType;
  readonly count: number;
}

export type FieldType = IntegerType | BytesType | PaddingType;
export type Fields = Readonly<Record<string, FieldType>>;

export const bytes = (count: number): BytesType => ({ bytes: count });
export const padding = (type: IntegerType, count = 1): PaddingType => ({ padding: type, count });

/** Names of the fields that carry a value. */
export type ValueFields<F extends Fields> = {
  [K in keyof F]: F[K] extends PaddingType ? never : K;
}[keyof F];

export interface FieldLayout<T extends FieldType = FieldType> {
  readonly type: T;
  /** Bytes from the start of the structure. */
  readonly offset: number;
  readonly bytes: number;
  readonly signed: boolean;
}

export interface StructLayout<F extends Fields = Fields> {
  /** `sizeof`. */
  readonly size: number;
  readonly alignment: number;
  readonly fields: { readonly [K in ValueFields<F>]: FieldLayout<F[K]> };
}

/** Sizes and alignments that C's types have in an ABI. */
export interface DataModel {
  readonly longBytes: 4 | 8;
  readonly pointerBytes: 4 | 8;
  /** Alignment of 64-bit integers inside structures: 4 on i386, 8 on most others. */
  readonly longLongAlignment: 4 | 8;
}

const FIXED_BYTES = { u8: 1, i8: 1, u16: 2, i16: 2, u32: 4, i32: 4, u64: 8, i64: 8 } as const;

export function integerBytes(model: DataModel, type: IntegerType): 1 | 2 | 4 | 8 {
  if (type === 'long' || type === 'ulong') return model.longBytes;
  if (type === 'pointer') return model.pointerBytes;
  return FIXED_BYTES[type];
}

function alignmentOf(model: DataModel, type: IntegerType): number {
  const size = integerBytes(model, type);
  return size === 8 ? model.longLongAlignment : size;
}

/**
 * Lays a structure out as the ABI's C compiler does, when something of the layout is first asked for: a program uses few of them.
 * @param options.packed no alignment at all (`__attribute__((packed))`)
 */
export const structLayout = <const F extends Fields>(
  model: DataModel,
  fields: F,
  options: { readonly packed?: boolean } = {},
): StructLayout<F> => new LateLayout(() => layOut(model, fields, options));

class LateLayout<F extends Fields> implements StructLayout<F> {
  #layout: StructLayout<F> | undefined;

  constructor(private readonly layOut: () => StructLayout<F>) {}

  get size(): number {
    return this.#laidOut.size;
  }

  get alignment(): number {
    return this.#laidOut.alignment;
  }

  get fields(): StructLayout<F>['fields'] {
    return this.#laidOut.fields;
  }

  get #laidOut(): StructLayout<F> {
    return (this.#layout ??= this.layOut());
  }
}

function layOut<F extends Fields>(
  model: DataModel,
  fields: F,
  { packed = false }: { readonly packed?: boolean },
): StructLayout<F> {
  const layouts: Record<string, FieldLayout> = {};
  let offset = 0;
  let alignment = 1;
  for (const [name, type] of Object.entries(fields)) {
    let element: IntegerType = 'u8';
    let count = 1;
    if (typeof type === 'string') element = type;
    else if ('padding' in type) [element, count] = [type.padding, type.count];
    else count = type.bytes;

    const fieldAlignment = packed ? 1 : alignmentOf(model, element);
    alignment = Math.max(alignment, fieldAlignment);
    offset = roundUp(offset, fieldAlignment);
    const size = integerBytes(model, element) * count;
    if (typeof type === 'string' || 'bytes' in type) {
      layouts[name] = { type, offset, bytes: size, signed: element.startsWith('i') || element === 'long' };
    }
    offset += size;
  }
  return {
    size: roundUp(offset, alignment),
    alignment,
    fields: layouts as StructLayout<F>['fields'], // keyed by the names of `fields` without the padding
  };
}

const roundUp = (value: number, multiple: number): number => Math.ceil(value / multiple) * multiple;
