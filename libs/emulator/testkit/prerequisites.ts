import { accessSync, constants } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';

/** Something outside the repository that a test or benchmark needs and this machine does not have. */
export class MissingPrerequisite extends Error {
  /**
   * @param what the program or file that is missing
   * @param mend what to do about it, a sentence without its full stop
   */
  constructor(
    readonly what: string,
    readonly mend: string,
  ) {
    super(`missing: ${what}. ${mend}.`);
    this.name = 'MissingPrerequisite';
  }
}

/** Full path of a program on PATH, or undefined. */
export function findProgram(name: string): string | undefined {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    const path = join(folder, name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      continue; // not in this folder
    }
  }
  return undefined;
}

/** Full path of a program on PATH. @throws MissingPrerequisite naming the Debian package that has it */
export function requireProgram(name: string, debianPackage: string): string {
  const path = findProgram(name);
  if (path === undefined)
    throw new MissingPrerequisite(name, `Install Debian's ${debianPackage}, or run 'npm run setup'`);
  return path;
}

/** Where everything fetched or built for tests is kept, outside the repository: `$BOOTLAB_CACHE` or `~/.cache/bootlab`. */
export function cacheFolder(...below: string[]): string {
  return join(process.env['BOOTLAB_CACHE'] ?? join(homedir(), '.cache', 'bootlab'), ...below);
}
