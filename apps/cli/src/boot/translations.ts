import { homedir } from 'node:os';
import path from 'node:path';
import type { TranslationServiceFactory } from '@bootlab/emulator/accel';
import { translateInThread, translateInThreadWith, translationFolder } from '@bootlab/emulator/threads';

const OFF = 'off';

/**
 * What translates for boards on this command line. Translations are kept from run to run in the folder that
 * BOOTLAB_TRANSLATIONS names, by default among this user's other caches; `off` keeps none.
 * @param build what the compiler knows of the emulator, see `generatorVersion`
 */
export function keptTranslations(env: NodeJS.ProcessEnv, build: URL): TranslationServiceFactory {
  const wanted = env['BOOTLAB_TRANSLATIONS'];
  if (wanted === OFF) return translateInThread;
  const cache = env['XDG_CACHE_HOME'] || path.join(homedir(), '.cache');
  const folder = translationFolder(wanted || path.join(cache, 'bootlab', 'translations'), { build });
  return folder ? translateInThreadWith({ kind: 'files', folder }) : translateInThread;
}
