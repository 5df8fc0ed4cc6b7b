import type { TargetDescription } from '../../jit/ir/index.js';
import type { CompiledBatch, PutOff, TranslationRequest } from './region-compiler.js';
import type { CompilerSetup, KeptModule } from './region-module.js';

/** What is known of an image from earlier runs. */
export interface KeptTranslations {
  /** Oldest first. */
  readonly modules: readonly KeptModule[];
  /** Places, see {@link placeKey}, where a translation was asked for in vain, and why: it will be the same again. */
  readonly putOff: ReadonlyMap<string, PutOff>;
}

/** Translations that outlive the machine they were made for. It belongs to one build of the translator. */
export interface TranslationLibrary {
  /** May there be something under a key? Quick, since it is asked for programs that end at once, too. */
  has(key: string): boolean;
  load(key: string): KeptTranslations;
  add(key: string, made: KeptModule): void;
  putOff(key: string, place: string, why: PutOff): void;
  /** What it is to have under a key instead of all that was known. */
  replace(key: string, modules: readonly KeptModule[]): void;
  /** No more will be added under this key by the machine that asks. */
  save(key: string): void;
}

/** Names where a translation was asked for. */
export const placeKey = ({ modeKey, address }: TranslationRequest): string => `${modeKey} ${address.toString(16)}`;

/** What of a batch was asked for in vain. */
export const putOffOf = ({ postponed, covered }: CompiledBatch): [place: string, why: PutOff][] => [
  ...postponed.map((request): [string, PutOff] => [placeKey(request), 'postponed']),
  ...covered.map((request): [string, PutOff] => [placeKey(request), 'covered']),
];

/**
 * Says everything that translations depend on besides the code itself and the translator: two machines with the same
 * key may use each other's. Undefined where nobody said what the machine boots.
 */
export function libraryKey(
  { memory, cpuBase, jumpCache, systemExits, image }: CompilerSetup,
  { name, model, byteOrder }: Pick<TargetDescription, 'name' | 'model' | 'byteOrder'>,
): string | undefined {
  if (image === undefined) return undefined;
  return JSON.stringify([name, model, byteOrder, memory.pages, memory.shared, cpuBase, jumpCache, systemExits, image]);
}
