import module from 'node:module';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** Compiled JavaScript is kept from run to run where Node can do that (from 22.1): commands start in half the time. */
export function keepCompiledCode() {
  const cache = process.env.XDG_CACHE_HOME || join(homedir(), '.cache');
  const { enableCompileCache } = /** @type {any} */ (module);
  enableCompileCache?.(join(cache, 'bootlab', 'compile'));
}
