import { openSync, readFileSync } from 'node:fs';
import { UsageError } from '../exit-codes.js';

/** Reads the file that `option` names. @throws UsageError naming the option */
export const readInput = (option: string, path: string): Uint8Array => readable(option, () => readFileSync(path));

/** Reads or opens the file that `option` names. @throws UsageError naming the option */
export function readable<T>(option: string, access: () => T): T {
  try {
    return access();
  } catch (error) {
    const problem = (error as Error).message; // file access throws nothing but Errors
    throw new UsageError(`${option}: cannot read the file: ${problem}. Name a file that exists and that you may read.`);
  }
}

/**
 * Creates the file that `option` names, before the run, so that a bad path does not cost one.
 * @returns its descriptor
 * @throws UsageError naming the option
 */
export function createOutput(option: string, path: string): number {
  if (path.startsWith('--'))
    throw new UsageError(`${option}: wants a file, and ${path} looks like an option. Name a file, or write ./${path}.`);
  try {
    return openSync(path, 'w');
  } catch (error) {
    const problem = (error as Error).message; // openSync throws nothing but Errors
    throw new UsageError(
      `${option}: cannot create the file: ${problem}. Name a file in a folder that you may write to.`,
    );
  }
}
