import type { MessagePort } from 'node:worker_threads';
import type { ByteOrder } from '../core/index.js';
import type {
  CompiledBatch,
  CompiledRegion,
  CompilerResult,
  CompilerSetup,
  KeptModule,
  KeptTranslations,
  RegionModule,
  TranslationRequest,
} from '../accel/jit/index.js';

/** What the translation thread gets when it starts; afterwards it receives {@link ToTranslator} and posts results. */
export interface ThreadStart {
  readonly setup: CompilerSetup;
  readonly target: { readonly name: string; readonly model: string; readonly byteOrder: ByteOrder };
  readonly port: MessagePort;
  /**
   * How many messages were posted to it: the thread sleeps until this changes, and takes them itself. The first that Node 24
   * delivers as an event loads its HTTP client, which takes 20 ms and 15 MB.
   */
  readonly posted: Int32Array<SharedArrayBuffer>;
  /** What there is already. */
  readonly known: readonly CompiledRegion[];
}

export type ToTranslator =
  | { readonly kind: 'request'; readonly request: TranslationRequest }
  /** There is more. */
  | { readonly kind: 'learn'; readonly regions: readonly CompiledRegion[] }
  /** Nothing will be asked any more: answer what was, then end. */
  | { readonly kind: 'close' };

export type FromTranslator =
  /** @property bytes of the module that was made */
  | {
      readonly kind: 'answer';
      readonly batch: CompiledBatch;
      readonly bytes: Uint8Array<ArrayBuffer> | undefined;
    }
  | (CompilerResult & { readonly kind: 'failed' })
  /** Nobody has asked for anything for a while, since this many requests. */
  | { readonly kind: 'idle'; readonly requests: number };

/** A module that a board did not make itself. */
export interface SharedModule {
  readonly made: RegionModule;
  readonly wasmBytes: number;
}

/** What a board has not heard of yet. See `KeptTranslations`. */
export interface FromHub {
  readonly modules: readonly SharedModule[];
  readonly putOff: KeptTranslations['putOff'];
}

/** What its hub has not heard of yet. */
export interface ToHub {
  readonly made: readonly KeptModule[];
  /** Regions that what was made replaces. */
  readonly replaced?: readonly CompiledRegion[];
  readonly putOff: KeptTranslations['putOff'];
}
