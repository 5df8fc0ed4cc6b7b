import { homedir } from 'node:os';
import { join } from 'node:path';
import type { InterpreterStore, TranslationServiceFactory } from '@bootlab/emulator/accel';
import { translateInlineWith } from '@bootlab/emulator/accel';
import type { CacheFolder } from '@bootlab/emulator/threads';
import {
  cacheFolder,
  InterpreterFiles,
  lateCacheFolder,
  PreparedInterpreters,
  TranslationFiles,
  translateInThreadWith,
} from '@bootlab/emulator/threads';
import type { PreparedBuild } from '../bin/prepared.mjs';

/** The variable that names the folder of translations. */
const FOLDER = 'BOOTLAB_TRANSLATIONS';
const OFF = 'off';

/** Engines take from here what earlier runs have made, and leave what they make for later ones. */
export interface Kept {
  readonly translations: TranslationServiceFactory;
  readonly interpreters: InterpreterStore;
}

/** What engines on this command line find. */
export interface Stores {
  /** Undefined where nothing is kept. */
  readonly kept?: Kept | undefined;
  /** Interpreters that the build has prepared. */
  readonly prepared?: InterpreterStore | undefined;
}

/** Where they find it. */
export interface StorePlaces {
  readonly env: NodeJS.ProcessEnv;
  /** What the build has prepared. */
  readonly build: PreparedBuild | undefined;
}

/**
 * For boards. What is made is kept in the folder that BOOTLAB_TRANSLATIONS names, by default among this user's other
 * caches; `off` keeps nothing.
 */
export const storesForBoards = (places: StorePlaces): Stores =>
  stores(
    places,
    (folder, version) => cacheFolder(folder(), version),
    (folder) => translateInThreadWith({ kind: 'files', folder }),
  );

/** For single programs: their own thread translates, as a thread of its own would not be ready before they end. */
export const storesForPrograms = (places: StorePlaces): Stores =>
  stores(places, lateCacheFolder, (folder) => translateInlineWith(new TranslationFiles(folder)));

/** What an engine is given of it. @param keep false: nothing of earlier runs, and nothing for later ones */
export function engineStores(
  { kept, prepared }: Stores,
  keep = true,
): { translationService?: TranslationServiceFactory; interpreters?: InterpreterStore } {
  if (kept && keep) return { translationService: kept.translations, interpreters: kept.interpreters };
  return prepared ? { interpreters: prepared } : {};
}

function stores(
  { env, build }: StorePlaces,
  open: typeof lateCacheFolder,
  translate: (folder: CacheFolder) => TranslationServiceFactory,
): Stores {
  const prepared = build && new PreparedInterpreters(join(build.folder, 'interpreters'), build.interpreters);
  const folder = env[FOLDER] === OFF ? undefined : open(() => keptFolder(env), build?.generator, build?.format);
  const kept = folder && { translations: translate(folder), interpreters: new InterpreterFiles(folder, prepared) };
  return { kept, prepared };
}

const keptFolder = (env: NodeJS.ProcessEnv): string =>
  env[FOLDER] || join(env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'bootlab', 'translations');
