import { readFileSync } from 'node:fs';
import type { InterpreterStore } from '@bootlab/emulator/user';

/** `exec` in a few files, and the interpreters it needs: loading and generating them takes longer than most programs run. */
export interface PreparedExec {
  /** The module that stands for `command-line.js`. */
  readonly commandLine: string;
  readonly interpreters: InterpreterStore;
}

/** Where `prepare.js` writes; `build` comes last and says what the rest was made from. */
export const PREPARED = new URL('../prepared/', import.meta.url);

/** What `npm run build` prepared. Undefined where it did not, or where something was compiled again since. */
export function preparedExec(): PreparedExec | undefined {
  try {
    if (!readFileSync(new URL('build', PREPARED)).equals(currentBuild())) return undefined;
  } catch {
    return undefined; // there is none
  }
  const read = (name: string): Buffer<ArrayBuffer> => readFileSync(new URL(name, PREPARED));
  return {
    commandLine: new URL('command-line.js', PREPARED).href,
    interpreters: {
      find(key) {
        const files = JSON.parse(read('interpreters.json').toString()) as Record<string, string>;
        const file = files[key];
        return file === undefined ? undefined : read(file);
      },
    },
  };
}

/** What the compiler knows of the packages that are prepared: hashes of all sources. */
export function currentBuild(): Buffer {
  const emulator = import.meta.resolve('@bootlab/emulator');
  const builds = [new URL('../.tsbuildinfo', import.meta.url), new URL('.tsbuildinfo', emulator)];
  return Buffer.concat(builds.map((build) => readFileSync(build)));
}
