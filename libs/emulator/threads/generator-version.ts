import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

/** What the compiler knows of this build: hashes of all sources. It lies beside what it wrote. */
const buildInformation = (): URL => new URL('../.tsbuildinfo', import.meta.url);

/**
 * Names this build of the translator: what another one made is never used. Undefined where the build says nothing of
 * itself, as when tests run on the sources: then nothing can be kept.
 * @param build where the compiler's build information of the emulator lies; who moves its modules elsewhere must say so
 */
export function generatorVersion(build = buildInformation()): string | undefined {
  try {
    return createHash('sha256').update(readFileSync(build)).digest('hex');
  } catch {
    return undefined;
  }
}
