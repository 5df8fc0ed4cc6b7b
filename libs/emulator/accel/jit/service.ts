import type { TargetDescription } from '../../jit/ir/index.js';
import type { CompiledBatch, CompilerResult, PutOff, TranslationRequest } from './region-compiler.js';
import { RegionCompiler } from './region-compiler.js';
import { joinRegions, withoutRegions } from './region-joiner.js';
import type { CompiledRegion, CompilerSetup, KeptModule, RegionModule } from './region-module.js';
import type { TranslationLibrary } from './translation-library.js';
import { libraryKey, placeKey, putOffOf } from './translation-library.js';

/** What a service has finished. */
export type TranslationResult =
  /** What was asked for. */
  | CompilerResult
  /** What was translated in an earlier run or for another board: of use if the same code turns up here. */
  | { readonly kind: 'known'; readonly made: RegionModule; readonly wasmBytes: number }
  /** What was asked for, and nobody had to look at. */
  | ({ readonly kind: 'put-off' } & Pick<CompiledBatch, 'covered' | 'postponed'>);

/** The answer to what is known to be asked for in vain. */
export const putOffAgain = (request: TranslationRequest, why: PutOff): TranslationResult => ({
  kind: 'put-off',
  postponed: why === 'postponed' ? [request] : [],
  covered: why === 'covered' ? [request] : [],
});

/** Where translations are made: here and now, or in another thread. */
export interface TranslationService {
  /** Was something kept from earlier runs? Absent: then nobody waits for translations that would be of use at once. */
  readonly hasKept?: boolean;
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
  const keep = (made: KeptModule): void => {
    if (key !== undefined) library?.add(key, made);
  };
  const learned: CompiledRegion[] = [];
  let compiler: RegionCompiler | undefined;
  /** Where everything is known, nobody loads what translates. */
  const startCompiler = (): RegionCompiler => {
    const started = new RegionCompiler(setup, description, keep);
    started.learn(learned);
    return started;
  };
  const failed = (error: Error): void => void finished.push({ kind: 'failed', failure: { request: undefined, error } });
  const known = new Map<string, PutOff>();
  let consulted = false;
  /** What ends before anything is translated has nothing to look up. */
  const consult = (): void => {
    if (consulted || key === undefined) return;
    consulted = true;
    const kept = library?.load(key);
    const joined = kept && joinRegions(kept.modules, setup, description, failed);
    const modules = joined ? [...withoutRegions(kept.modules, joined.replaced), ...joined.made] : kept?.modules;
    if (joined && modules) library?.replace(key, modules);
    for (const made of modules ?? []) {
      learned.push(...made.regions);
      finished.push({ kind: 'known', made, wasmBytes: made.bytes.length });
    }
    if (!joined) for (const [place, why] of kept?.putOff ?? []) known.set(place, why);
  };
  const hasKept = key !== undefined && library?.has(key) === true;
  return {
    hasKept,
    request(request) {
      consult();
      const why = request.before.length === 0 ? known.get(placeKey(request)) : undefined;
      if (why) return void finished.push(putOffAgain(request, why));
      compiler ??= startCompiler();
      for (const result of compiler.attempt([request])) {
        finished.push(result);
        if (key === undefined || result.kind === 'failed') continue;
        for (const [place, why] of putOffOf(result.batch)) library?.putOff(key, place, why);
      }
    },
    poll: () => finished.shift(),
    close: () => {
      if (key !== undefined) library?.save(key);
    },
  };
}
