import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Commands in a few files, and the interpreters they need: loading and generating them takes longer than most programs run. */
export interface Prepared {
  /** The module that stands for `exec/command-line.js`. */
  readonly exec: string;
  /** The module that stands for `boot/command-line.js`. */
  readonly boot: string;
  /** Folder of the interpreters. */
  readonly interpreters: string;
}

/** Where `prepare.js` writes; `build` comes last and says what the rest was made from. */
export const PREPARED = new URL('../prepared/', import.meta.url);

/** Folder of the prepared interpreters. */
export const INTERPRETERS = fileURLToPath(new URL('interpreters', PREPARED));

const buildInfo = (main: string): URL => new URL('.tsbuildinfo', main);

/** What the compiler knows of the emulator: hashes of all sources. */
export const EMULATOR_BUILD = buildInfo(import.meta.resolve('@bootlab/emulator'));

/** What `npm run build` prepared. Undefined where it did not, or where something was compiled again since. */
export function prepared(): Prepared | undefined {
  try {
    if (!readFileSync(new URL('build', PREPARED)).equals(currentBuild())) return undefined;
  } catch {
    return undefined; // there is none
  }
  return {
    exec: new URL('exec.js', PREPARED).href,
    boot: new URL('boot.js', PREPARED).href,
    interpreters: INTERPRETERS,
  };
}

/** What the compiler knows of the packages that are prepared. */
export function currentBuild(): Buffer {
  const own = new URL('../.tsbuildinfo', import.meta.url);
  const lab = buildInfo(import.meta.resolve('@bootlab/lab'));
  return Buffer.concat([own, EMULATOR_BUILD, lab].map((build) => readFileSync(build)));
}
