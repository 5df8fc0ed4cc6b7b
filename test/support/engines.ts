import type { EngineOptions } from '@bootlab/emulator';
import { translateInThread } from '@bootlab/emulator/threads';

/** Nothing is translated. */
export const INTERPRETER: EngineOptions = { accel: 'interp' };
/** Whatever a branch reaches twice is translated: as much as possible runs in translations. */
export const JIT_ONLY: EngineOptions = { accel: 'jit', jitThreshold: 1 };
/** Code goes from the interpreter to translations in the middle of its work. */
export const TIERED: EngineOptions = { accel: 'jit', jitThreshold: 40 };
/** As the product runs it, but eager: translations arrive when they are ready. Close the machine afterwards. */
export const IN_THREAD: EngineOptions = { ...TIERED, translationService: translateInThread };

/** Engine settings by name, for `describe.each`. No result may depend on which it is. */
export const ENGINES = [
  { engineName: 'interpreter', engine: INTERPRETER },
  { engineName: 'JIT only', engine: JIT_ONLY },
  { engineName: 'tiered', engine: TIERED },
] as const satisfies readonly { readonly engineName: string; readonly engine: EngineOptions }[];
