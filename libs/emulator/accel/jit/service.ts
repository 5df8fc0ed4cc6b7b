import type { TargetDescription } from '../../jit/ir/index.js';
import type { CompiledBatch, CompilerSetup, RegionModule, TranslationRequest } from './region-compiler.js';
import { RegionCompiler } from './region-compiler.js';
import type { TranslationLibrary } from './translation-library.js';
import { libraryKey } from './translation-library.js';

/** What a service has finished. */
export type TranslationResult =
  /** What was asked for. */
  | { readonly kind: 'answer'; readonly batch: CompiledBatch }
  /** What was translated in an earlier run or for another board: of use if the same code turns up here. */
  | { readonly kind: 'known'; readonly made: RegionModule; readonly wasmBytes: number };

/** Where translations are made: here and now, or in another thread. */
export interface TranslationService {
  request(request: TranslationRequest): void;
  /** The next result, if there is one. Never waits. */
  poll(): TranslationResult | undefined;
  close(): void;
}

/** Makes the service of one vCPU. */
export type TranslationServiceFactory = (setup: CompilerSetup, description: TargetDescription) => TranslationService;

/** Translates at once, in the thread that asks. */
export const translateInline: TranslationServiceFactory = (setup, description) => inline(setup, description, undefined);

/** The same, and nothing that the library has is translated again. */
export const translateInlineWith =
  (library: TranslationLibrary): TranslationServiceFactory =>
  (setup, description) =>
    inline(setup, description, library);

function inline(
  setup: CompilerSetup,
  description: TargetDescription,
  library: TranslationLibrary | undefined,
): TranslationService {
  const key = library && libraryKey(setup, description);
  const finished: TranslationResult[] = [];
  const compiler = new RegionCompiler(setup, description, (made) => {
    if (key !== undefined) library?.add(key, made);
  });
  let consulted = false;
  /** What ends before anything is translated has nothing to look up. */
  const consult = (): void => {
    if (consulted || key === undefined) return;
    consulted = true;
    for (const made of library?.load(key) ?? []) {
      compiler.learn(made.regions);
      finished.push({ kind: 'known', made, wasmBytes: made.bytes.length });
    }
  };
  return {
    request(request) {
      consult();
      finished.push({ kind: 'answer', batch: compiler.compile([request]) });
    },
    poll: () => finished.shift(),
    close: () => {
      if (key !== undefined) library?.save(key);
    },
  };
}
