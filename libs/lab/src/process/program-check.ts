import { readFile, stat } from 'node:fs/promises';
import type { FieldError } from '../problem.js';
import { processFiles, PROGRAM_PATH } from '../spec/process-check.js';
import type { JobSpec } from '../spec/job-spec.js';
import { emulatorProblem } from './emulator-problem.js';
import { fileEntry, FOLDERS, type ProgramRequest } from './process-run.js';
import { RootArchiveError, scanRootArchive, type RootEntry } from './root-archive.js';

/** How often files are read for one check: program, interpreter, and scripts on the way. */
const MAX_PASSES = 8;
/** A larger program, and one in a larger tree, is looked at where it runs. */
const MAX_PROGRAM_BYTES = 256 * 2 ** 20;
/** Each takes a page while it is checked. */
const MAX_EXECUTABLES = 20_000;

export interface ProgramCheckOptions {
  /** The emulator's `checkProgram`. */
  readonly check: (
    request: Pick<ProgramRequest, 'arch' | 'program'> & { readonly content: readonly RootEntry[] },
  ) => string | undefined;
  /** The emulator's `UNREAD`. */
  readonly unread: Uint8Array;
  /** Where the file of a position lies on this host. */
  readonly pathOf: (position: number) => string | undefined;
}

/**
 * Finds out, without running it, whether the program of a process job can be started: its architecture, whether it is whole, its
 * interpreter, its root. Of all files no more is in memory than the ones that are looked into.
 * @returns what is wrong, with the field of the spec
 */
export async function checkProgramFiles(spec: JobSpec, options: ProgramCheckOptions): Promise<FieldError | undefined> {
  const { arch = 'mipsel', program = '' } = spec;
  const name = program.startsWith('/') ? program : PROGRAM_PATH;
  const wanted = new Set<string>();
  try {
    for (let pass = 0; pass < MAX_PASSES; pass++) {
      const content = await contentOf(spec, wanted, options);
      if (!content) return undefined;
      const path = options.check({ arch, program: name, content });
      if (path === undefined || wanted.has(path)) return undefined;
      for (let next: string | undefined = path; next !== undefined && !wanted.has(next); next = linkedBy(content, next))
        wanted.add(next);
    }
  } catch (error) {
    if (error instanceof RootArchiveError) {
      const message = `This is no archive that can be unpacked: ${error.message}`;
      return { field: 'root', message, mend: 'Give a tar archive, plain or packed with gzip.' };
    }
    const problem = emulatorProblem(error);
    if (!problem) throw error;
    return { ...problem, field: problem.field === 'root' || problem.field === 'program' ? problem.field : 'program' };
  }
  return undefined;
}

/** The program's tree, with the content of the wanted files; undefined where one of them is missing or very large. */
async function contentOf(
  spec: JobSpec,
  wanted: ReadonlySet<string>,
  { pathOf, unread }: ProgramCheckOptions,
): Promise<RootEntry[] | undefined> {
  const content: RootEntry[] = [...FOLDERS];
  for (const { position, use } of processFiles(spec)) {
    if (use.kind === 'stdin') continue;
    const file = pathOf(position);
    if (file === undefined) return undefined;
    if (use.kind === 'root')
      content.push(
        ...(await scanRootArchive(
          file,
          (path, size) => size <= MAX_PROGRAM_BYTES && wanted.has(absolute(path)),
          unread,
        )),
      );
    else {
      const { size } = await stat(file);
      const isWanted = wanted.has(absolute(Buffer.from(use.path).toString('latin1')));
      if (isWanted && size > MAX_PROGRAM_BYTES) return undefined;
      content.push(fileEntry(use.path, isWanted || size === 0 ? await readFile(file) : unread));
    }
  }
  const executables = content.filter((entry) => entry.kind === 'file' && entry.bytes.length > 0);
  return executables.length > MAX_EXECUTABLES ? undefined : content;
}

/** What an entry is a second name of. */
function linkedBy(content: readonly RootEntry[], path: string): string | undefined {
  const entry = content.findLast((each) => absolute(each.path) === path);
  return entry?.kind === 'hardlink' ? absolute(entry.target) : undefined;
}

const absolute = (path: string): string =>
  `/${path
    .split('/')
    .filter((part) => part !== '' && part !== '.')
    .join('/')}`;
