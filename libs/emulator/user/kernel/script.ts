import type { ExecutableFile } from '../files/index.js';
import { isElf } from '../loader/index.js';
import { Errno } from './contracts.js';

/** Bytes of a file that tell what it is (BINPRM_BUF_SIZE), and how often a script may be run by a script. */
const HEAD_BYTES = 256;
const MAX_SCRIPTS = 5;

interface ProgramRequest {
  readonly path: Uint8Array;
  readonly argv: readonly Uint8Array[];
  readonly directory?: number;
  readonly emptyPath?: boolean;
  readonly noFollow?: boolean;
}

type Open = (
  path: Uint8Array,
  options?: { directory?: number; emptyPath?: boolean; noFollow?: boolean },
) => ExecutableFile;

/** Programs are told the code alone; people, which file it is about. */
export class ScriptInterpreterFailure extends Errno {
  constructor(
    readonly interpreter: string,
    override readonly cause: Errno,
  ) {
    super(cause.code);
  }
}

/**
 * The ELF file that a name leads to: scripts that start with `#!` are followed to their interpreters, which get the
 * script's path as an argument.
 * @throws Errno ENOENT, ELOOP, ENOEXEC…
 */
export function resolveProgram(
  request: ProgramRequest,
  open: Open,
): { readonly file: ExecutableFile; readonly argv: readonly Uint8Array[] } {
  const { directory, emptyPath, noFollow } = request;
  let { path, argv } = request;
  let file = open(path, {
    ...(directory === undefined ? {} : { directory }),
    ...(emptyPath === undefined ? {} : { emptyPath }),
    ...(noFollow === undefined ? {} : { noFollow }),
  });
  for (let depth = 0; ; depth++) {
    const head = file.read(0, HEAD_BYTES);
    if (isElf(head)) return { file, argv };
    const line = scriptLine(head);
    file.close();
    if (!line) throw new Errno('ENOEXEC');
    if (depth === MAX_SCRIPTS) throw new Errno('ELOOP');
    argv = [line.interpreter, ...(line.argument ? [line.argument] : []), path, ...argv.slice(1)];
    path = line.interpreter;
    file = openInterpreter(path, open);
  }
}

function openInterpreter(path: Uint8Array, open: Open): ExecutableFile {
  try {
    return open(path);
  } catch (error) {
    throw error instanceof Errno ? new ScriptInterpreterFailure(Buffer.from(path).toString('latin1'), error) : error;
  }
}

/** Interpreter and its one argument, from a line such as `#! /bin/sh -e`. */
function scriptLine(head: Uint8Array): { interpreter: Uint8Array; argument: Uint8Array | undefined } | undefined {
  if (head[0] !== 0x23 || head[1] !== 0x21) return undefined;
  const text = Buffer.from(head).toString('latin1');
  const end = text.search(/[\n\0]/);
  const match = /^[ \t]*([^ \t]+)[ \t]*(.*?)[ \t]*$/.exec(text.slice(2, end < 0 ? undefined : end));
  if (!match?.[1]) return undefined;
  const bytes = (part: string): Uint8Array => new Uint8Array(Buffer.from(part, 'latin1'));
  return { interpreter: bytes(match[1]), argument: match[2] ? bytes(match[2]) : undefined };
}
