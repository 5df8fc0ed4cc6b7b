import type { TargetDescription } from '../../jit/ir/index.js';
import type { CompiledBatch, CompilerSetup, TranslationRequest } from './region-compiler.js';
import { RegionCompiler } from './region-compiler.js';

/** Where translations are made: here and now, or in another thread. */
export interface TranslationService {
  request(request: TranslationRequest): void;
  /** The next finished batch, if there is one. Never waits. */
  poll(): CompiledBatch | undefined;
  close(): void;
}

/** Makes the service of one vCPU. */
export type TranslationServiceFactory = (setup: CompilerSetup, description: TargetDescription) => TranslationService;

/** Translates at once, in the thread that asks. */
export const translateInline: TranslationServiceFactory = (setup, description) => {
  const compiler = new RegionCompiler(setup, description);
  const finished: CompiledBatch[] = [];
  return {
    request: (request) => void finished.push(compiler.compile([request])),
    poll: () => finished.shift(),
    close: () => undefined,
  };
};
