import { homedir } from 'node:os';
import path from 'node:path';
import type { TranslationServiceFactory } from '@bootlab/emulator/accel';
import { translateInline, translateInlineWith } from '@bootlab/emulator/accel';
import type { CacheFolder } from '@bootlab/emulator/threads';
import { TranslationFiles, translateInThread, translateInThreadWith, cacheFolder } from '@bootlab/emulator/threads';

const OFF = 'off';

/**
 * What translates for boards on this command line. Translations are kept from run to run in the folder that
 * BOOTLAB_TRANSLATIONS names, by default among this user's other caches; `off` keeps none.
 * @param build what the compiler knows of the emulator, see `generatorVersion`
 */
export function keptTranslations(env: NodeJS.ProcessEnv, build: URL): TranslationServiceFactory {
  const folder = folderOf(env, build);
  return folder ? translateInThreadWith({ kind: 'files', folder }) : translateInThread;
}

/** The same for a single program: its own thread translates, as a thread of its own would not be ready before it ends. */
export function keptTranslationsInline(env: NodeJS.ProcessEnv, build: URL): TranslationServiceFactory {
  const folder = folderOf(env, build);
  return folder ? translateInlineWith(new TranslationFiles(folder)) : translateInline;
}

function folderOf(env: NodeJS.ProcessEnv, build: URL): CacheFolder | undefined {
  const wanted = env['BOOTLAB_TRANSLATIONS'];
  if (wanted === OFF) return undefined;
  const cache = env['XDG_CACHE_HOME'] || path.join(homedir(), '.cache');
  return cacheFolder(wanted || path.join(cache, 'bootlab', 'translations'), { build });
}
