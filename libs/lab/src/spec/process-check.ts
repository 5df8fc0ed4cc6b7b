import { parseImageReference, type ImageRole } from '../image.js';
import type { FieldError } from '../problem.js';
import { formatSize, parseSize } from '../units.js';
import { PROCESS_BOARD, type ArtifactRequest, type JobSpec } from './job-spec.js';

export const PROCESS_ONLY = [
  ...(['arch', 'program', 'arguments', 'environment', 'root', 'files', 'stdin', 'stdin_text'] as const),
];
export const BOARD_ONLY = ['cpu', 'cmdline', 'on_reboot', 'shell', 'prompt', 'steps'] as const;
/** The artifact that every process job leaves: what its program used. */
export const USAGE_ARTIFACT = 'usage.json';
/** Memory of all processes of a job together. */
const MEMORY = { defaultBytes: 2 ** 30, minBytes: 16 * 2 ** 20, maxBytes: 3 * 2 ** 30 };

/** A field that belongs to the other kind of job. */
export function foreign(field: string, kind: 'board' | 'process'): FieldError {
  const mend = kind === 'process' ? 'Write "kind: process", or remove it.' : 'Remove it.';
  return { field, message: `"${field}" belongs to jobs of the kind ${kind}`, mend };
}

/** What is wrong with a job of the kind `process`, as far as that is known without opening a file. */
export function checkProcess(spec: JobSpec): FieldError[] {
  const errors = BOARD_ONLY.filter((field) => spec[field] !== undefined).map((field) => foreign(field, 'board'));
  errors.push(...Object.keys(spec.images).map((name) => foreign(`images.${name}`, 'board')));
  const missing = (field: string, mend: string): FieldError => ({ field, message: `There is no "${field}"`, mend });
  if (spec.board !== PROCESS_BOARD) errors.push(foreign('board', 'board'));
  if (spec.arch === undefined) errors.push(missing('arch', 'Use one of: mipsel, mips.'));
  if (spec.program === undefined)
    errors.push(missing('program', 'Name the program: upload:<field>, or a path in the root.'));
  else errors.push(...programErrors(spec.program, spec));
  if (spec.stdin !== undefined && spec.stdin_text !== undefined) {
    const mend = 'Keep one of them.';
    errors.push({ field: 'stdin_text', message: 'There is a standard input in "stdin" already', mend });
  }
  errors.push(...artifactErrors(spec.artifacts));
  if (spec.results?.fail_on) errors.push(foreign('results.fail_on', 'board'));
  if (spec.memory !== undefined) {
    const bytes = parseSize(spec.memory);
    const mend = `Use ${formatSize(MEMORY.minBytes)} to ${formatSize(MEMORY.maxBytes)}.`;
    if (bytes < MEMORY.minBytes || bytes > MEMORY.maxBytes)
      errors.push({ field: 'memory', message: `A program cannot have ${spec.memory} of memory`, mend });
  }
  return errors;
}

function artifactErrors(artifacts: readonly ArtifactRequest[] = []): FieldError[] {
  const errors: FieldError[] = [];
  artifacts.forEach(({ path, disk, as }, index) => {
    const field = `artifacts[${index}]`;
    if (path === undefined) errors.push(foreign(`${field}.${disk === undefined ? 'drive' : 'disk'}`, 'board'));
    if (as !== USAGE_ARTIFACT) return;
    const message = `${as} is what the program used, which every process job leaves`;
    errors.push({ field: `${field}.as`, message, mend: 'Use another name.' });
  });
  return [...errors, ...repeatedNames(artifacts)];
}

/** Two artifacts of one name: one of them would be lost. */
export function repeatedNames(artifacts: readonly ArtifactRequest[]): FieldError[] {
  return artifacts.flatMap(({ as }, index) => {
    if (artifacts.findIndex((artifact) => artifact.as === as) === index) return [];
    const message = `Another artifact is called ${as}`;
    return [{ field: `artifacts[${index}].as`, message, mend: 'Use a name once.' }];
  });
}

function programErrors(program: string, { root, files = {} }: JobSpec): FieldError[] {
  if (!program.startsWith('/')) {
    if (parseImageReference(program)) return [];
    const mend =
      'Use upload:<multipart field>, sha256:<64 hex digits>, ./file, or a path in the root that begins with /.';
    return [{ field: 'program', message: `"${program}" names no program`, mend }];
  }
  if (root !== undefined || Object.hasOwn(files, program)) return [];
  const message = `There is nothing at ${program}`;
  return [{ field: 'program', message, mend: 'Give a root that has it, or name it in files.' }];
}

/** Memory that a process job gets, bytes. */
export const processMemoryBytes = ({ memory }: Pick<JobSpec, 'memory'>): number =>
  memory === undefined ? MEMORY.defaultBytes : parseSize(memory);

/** A file of a process job. */
export interface ProcessFile {
  readonly role: ImageRole & 'upload';
  /** Tells the files of a job apart. */
  readonly position: number;
  /** Path of the reference in the spec. */
  readonly field: string;
  readonly reference: string;
  /** What it is for: the tree that the program sees, a file in it, or its standard input. */
  readonly use:
    { readonly kind: 'root' } | { readonly kind: 'stdin' } | { readonly kind: 'file'; readonly path: string };
}

/** Where a program is found that came as a file. */
export const PROGRAM_PATH = '/program';

/** The files that a process job names: program, root, others, standard input, each with a position of its own. */
export function processFiles({ program, root, files = {}, stdin }: JobSpec): ProcessFile[] {
  const role = 'upload' as const;
  return [
    ...(program === undefined || program.startsWith('/')
      ? []
      : [
          {
            role,
            position: 0,
            field: 'program',
            reference: program,
            use: { kind: 'file', path: PROGRAM_PATH } as const,
          },
        ]),
    ...(root === undefined
      ? []
      : [{ role, position: 1, field: 'root', reference: root, use: { kind: 'root' } as const }]),
    ...Object.entries(files).map(([path, reference], index) => ({
      role,
      position: 2 + index,
      field: `files.${path}`,
      reference,
      use: { kind: 'file', path } as const,
    })),
    ...(stdin === undefined
      ? []
      : [
          {
            role,
            position: 2 + Object.keys(files).length,
            field: 'stdin',
            reference: stdin,
            use: { kind: 'stdin' } as const,
          },
        ]),
  ];
}

/** The spec with files named otherwise, for example by their digests. @param name of the file at a position */
export function withProcessFiles(spec: JobSpec, name: (position: number) => string | undefined): JobSpec {
  const named = new Map(processFiles(spec).map((file) => [file.field, name(file.position) ?? file.reference]));
  const { program, root, files, stdin } = spec;
  return {
    ...spec,
    ...(program !== undefined && { program: named.get('program') ?? program }),
    ...(root !== undefined && { root: named.get('root') ?? root }),
    ...(stdin !== undefined && { stdin: named.get('stdin') ?? stdin }),
    ...(files && {
      files: Object.fromEntries(
        Object.entries(files).map(([path, reference]) => [path, named.get(`files.${path}`) ?? reference]),
      ),
    }),
  };
}
