import type { MessagePort } from 'node:worker_threads';
import type { ByteOrder } from '../core/index.js';
import type {
  CompilerSetup,
  KeptModule,
  RegionModule,
  TranslationRequest,
  TranslationResult,
} from '../accel/jit/index.js';
import type { CacheFolder } from './cache-folder.js';

/** What the translation thread gets when it starts; afterwards it receives {@link ToTranslator} and posts results. */
export interface ThreadStart {
  readonly setup: CompilerSetup;
  readonly target: { readonly name: string; readonly model: string; readonly byteOrder: ByteOrder };
  readonly port: MessagePort;
  readonly cache?: ThreadCache | undefined;
}

/** Where a translation thread finds what was translated before. */
export type ThreadCache =
  | { readonly kind: 'files'; readonly key: string; readonly folder: CacheFolder }
  /** A hub's port, which opens with {@link FromHub}; the thread posts {@link ToHub}. */
  | { readonly kind: 'hub'; readonly port: MessagePort };

export type ToTranslator =
  | { readonly kind: 'request'; readonly request: TranslationRequest }
  /** Nothing will be asked any more: keep what is to be kept, and what others made, then end. */
  | { readonly kind: 'close'; readonly made: readonly KeptModule[] };

export type FromTranslator =
  | TranslationResult
  /** Nobody has asked for anything for a while, since this many requests. */
  | { readonly kind: 'idle'; readonly requests: number };

/** A module that a board did not make itself. */
export interface SharedModule {
  readonly made: RegionModule;
  readonly wasmBytes: number;
}

export interface FromHub {
  readonly modules: readonly SharedModule[];
}

/** What a board's thread tells its hub: a module that it made. */
export interface ToHub {
  readonly made: KeptModule;
}
