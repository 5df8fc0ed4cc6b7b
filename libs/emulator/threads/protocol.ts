import type { MessagePort } from 'node:worker_threads';
import type { ByteOrder } from '../core/index.js';
import type {
  CompilerSetup,
  RegionModule,
  RegionModuleBytes,
  TranslationRequest,
  TranslationResult,
} from '../accel/jit/index.js';
import type { TranslationFolder } from './translation-files.js';

/** What the translation thread gets when it starts; afterwards it receives {@link ToTranslator} and posts results. */
export interface ThreadStart {
  readonly setup: CompilerSetup;
  readonly target: { readonly name: string; readonly model: string; readonly byteOrder: ByteOrder };
  readonly port: MessagePort;
  readonly cache?: ThreadCache | undefined;
}

/** Where a translation thread finds what was translated before. */
export type ThreadCache =
  | { readonly kind: 'files'; readonly key: string; readonly folder: TranslationFolder }
  /** A hub's port, which opens with {@link FromHub}; the thread posts {@link ToHub}. */
  | { readonly kind: 'hub'; readonly port: MessagePort };

export type ToTranslator =
  | { readonly kind: 'request'; readonly request: TranslationRequest }
  /** Nothing will be asked any more: keep what is to be kept, and what others made, then end. */
  | { readonly kind: 'close'; readonly made: readonly RegionModuleBytes[] };

export type FromTranslator =
  | TranslationResult
  /** Nobody has asked for anything for a while, since this many requests. */
  | { readonly kind: 'idle'; readonly requests: number };

/** A module that a board did not make itself: compiled, unless it was read from a file and nobody has done that yet. */
export interface SharedModule {
  readonly id: number;
  readonly regions: RegionModule['regions'];
  readonly code: WebAssembly.Module | Uint8Array<ArrayBuffer>;
  readonly wasmBytes: number;
}

export interface FromHub {
  readonly modules: readonly SharedModule[];
}

export type ToHub =
  | { readonly kind: 'made'; readonly made: RegionModule & RegionModuleBytes }
  | {
      readonly kind: 'compiled';
      readonly modules: readonly { readonly id: number; readonly module: WebAssembly.Module }[];
    };
