import type { CompiledRegion, KeptTranslations, PutOff } from '../accel/jit/index.js';
import type { MemoryImport } from '../jit/wasm/index.js';

/** A module as it lies in a file. */
export interface StoredModule {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly regions: readonly CompiledRegion[];
  readonly memory: MemoryImport;
  /** See `machineCodeOf`. */
  readonly machineCode: Uint8Array<ArrayBuffer>;
  /** Names of the functions that it has. */
  readonly optimized: readonly string[];
}

export interface StoredTranslations {
  readonly modules: readonly StoredModule[];
  readonly putOff: KeptTranslations['putOff'];
}

/** Where in the file's second part something lies. */
type Place = readonly [offset: number, bytes: number];

interface StoredRegion extends Omit<CompiledRegion, 'window' | 'addresses' | 'words'> {
  readonly window?: CompiledRegion['window'];
  readonly addresses: Place;
  readonly words: Place;
}

/** What the file's first part says, as JSON. */
interface Index {
  readonly modules: readonly {
    readonly bytes: Place;
    readonly machineCode: Place;
    readonly regions: readonly StoredRegion[];
    readonly memory: MemoryImport;
    readonly optimized: readonly string[];
  }[];
  readonly putOff: readonly (readonly [place: string, why: PutOff])[];
}

/** Everything in the second part lies at multiples of this: there are arrays of words. */
const ALIGNMENT = 8;
const LENGTH_BYTES = 4;

const aligned = (offset: number): number => Math.ceil(offset / ALIGNMENT) * ALIGNMENT;

/**
 * Translations as the bytes of a file: the length of an index, 32 bits, little-endian; the index, in JSON; arrays, in this host's order.
 * Node needs two milliseconds to load what serializes objects, and longer to make them of it.
 */
export function encodeTranslations({ modules, putOff }: StoredTranslations): Uint8Array {
  const parts: { readonly at: number; readonly bytes: Uint8Array }[] = [];
  let end = 0;
  const place = ({ buffer, byteOffset, byteLength }: Uint8Array | Uint32Array): Place => {
    const at = end;
    parts.push({ at, bytes: new Uint8Array(buffer, byteOffset, byteLength) });
    end = aligned(at + byteLength);
    return [at, byteLength];
  };
  const index: Index = {
    modules: modules.map(({ bytes, machineCode, regions, memory, optimized }) => ({
      ...{ bytes: place(bytes), machineCode: place(machineCode), memory, optimized },
      regions: regions.map((region) => ({
        ...region,
        addresses: place(region.addresses),
        words: place(region.words),
      })),
    })),
    putOff: [...putOff],
  };
  const text = Buffer.from(JSON.stringify(index));
  const start = aligned(LENGTH_BYTES + text.length);
  const file = new Uint8Array(start + end);
  new DataView(file.buffer).setUint32(0, text.length, true);
  file.set(text, LENGTH_BYTES);
  for (const { at, bytes } of parts) file.set(bytes, start + at);
  return file;
}

/**
 * What was encoded. Its arrays are the file's own memory.
 * @param file begins at a multiple of 8 in its buffer, and is what {@link encodeTranslations} returned, see `KeptFiles`
 */
export function decodeTranslations(file: Uint8Array<ArrayBuffer>): StoredTranslations {
  const { buffer, byteOffset } = file;
  const length = new DataView(buffer, byteOffset).getUint32(0, true);
  const text = Buffer.from(buffer, byteOffset + LENGTH_BYTES, length).toString();
  const index = JSON.parse(text) as Index; // see above
  const start = byteOffset + aligned(LENGTH_BYTES + length);
  const bytes = ([at, size]: Place): Uint8Array<ArrayBuffer> => new Uint8Array(buffer, start + at, size);
  const words = ([at, size]: Place): Uint32Array =>
    new Uint32Array(buffer, start + at, size / Uint32Array.BYTES_PER_ELEMENT);
  return {
    modules: index.modules.map((module) => ({
      ...module,
      ...{ bytes: bytes(module.bytes), machineCode: bytes(module.machineCode) },
      regions: module.regions.map((region) => ({
        ...region,
        ...{ window: region.window, addresses: words(region.addresses), words: words(region.words) },
      })),
    })),
    putOff: new Map(index.putOff),
  };
}
