import { ConfigError } from '../core/index.js';
import type { Architecture } from './architectures.js';
import { Errno } from './kernel/contracts.js';
import { errorText } from './kernel/error-text.js';
import { MissingScriptInterpreter } from './kernel/script.js';
import { ProgramError } from './loader/index.js';

/**
 * What the person who starts a program can mend, as a ConfigError about `program`; other errors as they are.
 * @param root the host directory that is the guest's root; undefined for a tree in memory
 */
export function startFailure(
  error: unknown,
  program: string,
  { root, arch }: { readonly root: string | undefined; readonly arch: Architecture },
): unknown {
  if (error instanceof ProgramError) return new ConfigError('program', `${program} ${error.message}`, error.mend);
  if (error instanceof MissingScriptInterpreter)
    return new ConfigError(
      'program',
      `${program} is a script for ${error.interpreter}, which does not exist`,
      'Give a root that has the interpreter, built for the same architecture',
    );
  if (!(error instanceof Errno)) return error;
  const isHost = root === '/';
  const within = isHost || root === undefined ? '' : ` under the root ${root}`;
  switch (error.code) {
    case 'ENOENT':
      return new ConfigError(
        'program',
        `${program} does not exist${within}`,
        isHost
          ? 'Name a program file of this machine, or give the guest’s own tree with --root'
          : root === undefined
            ? 'Name a file of its root, or one that is added to it'
            : 'Paths are looked up inside the root; a file from outside can be bound into it with --bind HOST:GUEST',
      );
    case 'EACCES':
      return new ConfigError('program', `${program} may not be executed`, `Set its execute permission: chmod +x`);
    case 'ENOEXEC':
      return new ConfigError(
        'program',
        `${program} is neither an ELF program nor a script that starts with #!`,
        `Name a Linux program for ${arch}`,
      );
    default:
      return new ConfigError('program', `${program}: ${errorText(error.code)}`, 'Name another program');
  }
}
