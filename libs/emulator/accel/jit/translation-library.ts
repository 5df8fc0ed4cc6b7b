import type { TargetDescription } from '../../jit/ir/index.js';
import type { CompilerSetup, KeptModule } from './region-compiler.js';

/** Translations that outlive the machine they were made for. It belongs to one build of the translator. */
export interface TranslationLibrary {
  /** What it has under a key, oldest first. */
  load(key: string): readonly KeptModule[];
  add(key: string, made: KeptModule): void;
  /** No more will be added under this key by the machine that asks. */
  save(key: string): void;
}

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
