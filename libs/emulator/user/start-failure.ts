import { ConfigError } from '../core/index.js';
import type { Architecture } from './architectures.js';
import { Errno, NotRegularFile } from './kernel/contracts.js';
import { errorText } from './kernel/error-text.js';
import { ScriptInterpreterFailure } from './kernel/script.js';
import { ProgramError } from './loader/index.js';

interface Start {
  readonly arch: Architecture;
  /** The host directory that is the guest's root; undefined for a tree in memory. */
  readonly root: string | undefined;
}

/** What the person who starts a program can mend, as a ConfigError about `program`; other errors as they are. */
export function startFailure(error: unknown, program: string, start: Start): unknown {
  if (error instanceof ProgramError) return new ConfigError('program', `${program} ${error.message}`, error.mend);
  if (error instanceof ScriptInterpreterFailure)
    return new ConfigError(
      'program',
      `${program} is a script for ${error.interpreter}, which ${explain(error.cause, start).problem}`,
      'Give a root that has the interpreter, built for the same architecture',
    );
  if (!(error instanceof Errno)) return error;
  const { problem, mend } = explain(error, start);
  return new ConfigError('program', `${program} ${problem}`, mend);
}

/** Whether there was no file at all where one was looked for. */
export const isAbsence = (error: Errno): boolean =>
  error.code === 'ENOENT' && !(error instanceof ScriptInterpreterFailure);

/** What is wrong with a file that cannot be executed, as a predicate whose subject is the file. */
function explain(error: Errno, { arch, root }: Start): { readonly problem: string; readonly mend: string } {
  if (error instanceof NotRegularFile)
    return { problem: error.isDirectory ? 'is a directory' : 'is not a regular file', mend: 'Name a program file' };
  const isHost = root === '/';
  const within = isHost || root === undefined ? '' : ` under the root ${root}`;
  switch (error.code) {
    case 'ENOENT':
      return {
        problem: `does not exist${within}`,
        mend: isHost
          ? 'Name a program file of this machine, or give the guest’s own tree with --root'
          : root === undefined
            ? 'Name a file of its root, or one that is added to it'
            : 'Paths are looked up inside the root; a file from outside can be bound into it with --bind HOST:GUEST',
      };
    case 'EACCES':
      return { problem: 'may not be executed', mend: 'Set its execute permission: chmod +x' };
    case 'ENOEXEC':
      return {
        problem: 'is neither an ELF program nor a script that starts with #!',
        mend: `Name a Linux program for ${arch}`,
      };
    default:
      return { problem: `cannot be executed: ${errorText(error.code)}`, mend: 'Name another program' };
  }
}
