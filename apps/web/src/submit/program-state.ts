// What the form for programs holds, how it begins, and the job spec it stands for.
import {
  type ARCHITECTURES,
  checkProcess,
  fieldErrorsOf,
  jobSpecSchema,
  PROCESS_BOARD,
  type ResultFormat,
} from '@bootlab/lab';
import type { ClockMode, FieldError, Job, JobSpec } from '../api/types.js';
import { escapeText, unescapeText } from '../lib/escapes.js';
import { shortDigest } from '../lib/format.js';
import { collectFiles, NO_IMAGE, WANTS_UPLOAD, type ImageChoice, type SpecWithFiles } from './form-state.js';

export type ProgramArchitecture = (typeof ARCHITECTURES)[number];

export interface FileRow {
  /** Identity of the row; not part of the spec. */
  key: number;
  path: string;
  choice: ImageChoice;
}

export interface ProgramState {
  name: string;
  arch: ProgramArchitecture;
  /** `none`: the program is at {@link path} in the root. */
  program: ImageChoice;
  path: string;
  /** One argument a line, with escapes such as \n. */
  arguments: string;
  /** NAME=value, one a line, with escapes such as \n. */
  environment: string;
  root: ImageChoice;
  files: FileRow[];
  stdinKind: 'empty' | 'text' | 'file';
  stdin: ImageChoice;
  stdinText: string;
  /** Of the test results on standard output; empty: there are none. */
  format: ResultFormat | '';
  memory: string;
  timeout: string;
  clock: ClockMode;
  /** What the form has no field for; a job that is submitted again keeps it. */
  further: Partial<JobSpec>;
}

let lastKey = 0;
export const newFile = (path = '', choice: ImageChoice = WANTS_UPLOAD): FileRow => ({
  key: (lastKey += 1),
  path,
  choice,
});

export const blankProgram = (): ProgramState => ({
  name: '',
  arch: 'mipsel',
  program: WANTS_UPLOAD,
  path: '',
  arguments: '',
  environment: '',
  root: NO_IMAGE,
  files: [],
  stdinKind: 'empty',
  stdin: WANTS_UPLOAD,
  stdinText: '',
  format: '',
  memory: '',
  timeout: '5m',
  clock: 'virtual',
  further: {},
});

/** The form of an earlier job: its files by digest, so that nothing has to be uploaded again. */
export function programOfJob({ spec }: Pick<Job, 'spec'>): ProgramState {
  const stored = (reference: string | undefined): ImageChoice =>
    reference === undefined
      ? NO_IMAGE
      : { kind: 'library', reference, name: shortDigest(reference.replace(/^sha256:/, '')) };
  const { name, arch, program, root, files, stdin, memory, timeout, clock, results } = spec;
  const { arguments: args = [], environment = {}, stdin_text: stdinText } = spec;
  const { format, ...otherResults } = results ?? {};
  const inRoot = program?.startsWith('/') ?? false;
  return {
    name: name ?? '',
    arch: arch ?? 'mipsel',
    program: inRoot ? NO_IMAGE : stored(program),
    path: inRoot ? (program ?? '') : '',
    arguments: args.map(argumentLine).join('\n'),
    environment: Object.entries(environment)
      .map(([variable, value]) => escapeText(`${variable}=${value}`))
      .join('\n'),
    root: stored(root),
    files: Object.entries(files ?? {}).map(([path, reference]) => newFile(path, stored(reference))),
    stdinKind: stdin !== undefined ? 'file' : stdinText !== undefined ? 'text' : 'empty',
    stdin: stored(stdin),
    stdinText: stdinText ?? '',
    format: format ?? '',
    memory: memory ?? '',
    timeout: timeout ?? '5m',
    clock: clock ?? 'virtual',
    further: { ...furtherOf(spec), ...(Object.keys(otherResults).length > 0 && { results: otherResults }) },
  };
}

const OWN_FIELDS = new Set([
  ...['kind', 'board', 'images', 'name', 'arch', 'program', 'arguments', 'environment', 'root', 'files', 'stdin'],
  ...['stdin_text', 'results', 'memory', 'timeout', 'clock'],
]);

const furtherOf = (spec: JobSpec): Partial<JobSpec> =>
  Object.fromEntries(Object.entries(spec).filter(([field]) => !OWN_FIELDS.has(field)));

/** An empty argument is written "". */
function argumentLine(text: string): string {
  if (text === '') return '""';
  return text === '""' ? '\\x22"' : escapeText(text);
}

/** Lines that say something. */
const linesOf = (text: string): string[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => (line === '""' ? '' : unescapeText(line)));

export function specOfProgram(form: ProgramState): SpecWithFiles {
  const { files, reference } = collectFiles();
  const path = form.path.trim();
  const program = form.program.kind === 'none' ? (path === '' ? undefined : path) : reference(form.program, 'program');
  const root = reference(form.root, 'root');
  const more = form.files.flatMap(({ path: at, choice }, index) => {
    const file = reference(choice, `file${index}`);
    return file === undefined ? [] : [[at.trim(), file] as const];
  });
  const stdin = form.stdinKind === 'file' ? reference(form.stdin, 'stdin') : undefined;
  const args = linesOf(form.arguments);
  const environment = linesOf(form.environment).map((line) => variableOf(line) ?? ([line, ''] as const));
  const results = { ...form.further.results, ...(form.format !== '' && { format: form.format as never }) };
  const spec: JobSpec = {
    ...form.further,
    kind: 'process',
    board: PROCESS_BOARD,
    images: {},
    ...(form.name.trim() !== '' && { name: form.name.trim() }),
    arch: form.arch,
    ...(program !== undefined && { program }),
    ...(args.length > 0 && { arguments: args }),
    ...(environment.length > 0 && { environment: Object.fromEntries(environment) }),
    ...(root !== undefined && { root }),
    ...(more.length > 0 && { files: Object.fromEntries(more) }),
    ...(stdin !== undefined && { stdin }),
    ...(form.stdinKind === 'text' && { stdin_text: form.stdinText }),
    ...(Object.keys(results).length > 0 && { results }),
    ...(form.memory.trim() !== '' && { memory: form.memory.trim() }),
    timeout: form.timeout.trim(),
    clock: form.clock,
  };
  return { spec, files };
}

function variableOf(line: string): readonly [string, string] | undefined {
  const at = line.indexOf('=');
  return at > 0 ? [line.slice(0, at), line.slice(at + 1)] : undefined;
}

/** What can be known to be wrong before anything is uploaded; the lab checks everything again, and the files too. */
export function checkProgram(form: ProgramState): FieldError[] {
  const { spec } = specOfProgram(form);
  const checked = jobSpecSchema.safeParse(spec);
  const errors = checked.success ? checkProcess(spec) : fieldErrorsOf(checked.error);
  const wrong = linesOf(form.environment).find((line) => !variableOf(line));
  if (wrong !== undefined)
    errors.push({ field: 'environment', message: `"${wrong}" is no variable`, mend: 'Write NAME=value.' });
  const choices: [field: string, choice: ImageChoice][] = [
    ['program', form.program],
    ['root', form.root],
    ...form.files.map(({ choice }): [string, ImageChoice] => ['files', choice]),
    ...(form.stdinKind === 'file' ? [['stdin', form.stdin] as [string, ImageChoice]] : []),
  ];
  const kept = errors.filter(({ field }) => field !== 'program' || form.program.kind === 'none');
  for (const [field, choice] of choices) {
    if (choice.kind === 'upload' && !choice.file)
      kept.push({ field, message: 'No file is picked', mend: 'Pick one, or choose another source.' });
    else if (choice.kind === 'library' && choice.reference === '')
      kept.push({ field, message: 'No image is picked', mend: 'Pick one, or choose another source.' });
    else if (choice.kind === 'none' && field === 'stdin')
      kept.push({ field, message: 'No file is picked', mend: 'Pick one, or choose Empty.' });
  }
  for (const { path } of form.files)
    if (path.trim() === '')
      kept.push({ field: 'files', message: 'A file has no path', mend: 'Say where the program finds it, from / on.' });
  return kept;
}
