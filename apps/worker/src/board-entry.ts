import { readFileSync } from 'node:fs';

/** Where `bundle-board.js` writes; `build` comes last and says what the rest was made from. */
export const BUNDLE = new URL('./bundle/', import.meta.url);

/** What the compiler knows of the packages that a board's thread loads: hashes of all sources. */
export function currentBuild(): Buffer {
  const packages = ['@bootlab/emulator', '@bootlab/lab'].map((name) => import.meta.resolve(name));
  return Buffer.concat([import.meta.url, ...packages].map((main) => readFileSync(new URL('.tsbuildinfo', main))));
}

/** The module that a board's thread starts with: bundled, or as it was compiled where something was compiled again since. */
export function boardEntry(): URL {
  return new URL(isBundled() ? 'board-thread.js' : '../board-thread.js', BUNDLE);
}

function isBundled(): boolean {
  try {
    return readFileSync(new URL('build', BUNDLE)).equals(currentBuild());
  } catch {
    return false; // there is none
  }
}
