import { fieldErrorsOf, fieldPath, type FieldError } from '../problem.js';
import { JobSource } from './job-source.js';
import { jobSpecSchema, matrixSchema, PROCESS_BOARD, variablesSchema, type JobSpec, type Scalar } from './job-spec.js';
import { interpolate, type Variables } from './variables.js';

/** One job of a file, and the values of the matrix that made it. */
export interface ExpandedJob {
  readonly spec: JobSpec;
  readonly combination: Variables;
}

export type JobFileResult =
  | {
      ok: true;
      jobs: ExpandedJob[];
      /** Adds line and column to an error that is found later, as far as they are known. */
      locate(error: FieldError): FieldError;
    }
  | { ok: false; errors: FieldError[] };

/** Most jobs that one matrix may make. */
export const MAX_MATRIX_JOBS = 256;

/** Fields that a matrix may set directly, and where they stand in the spec. */
const MATRIX_FIELDS: Readonly<Record<string, readonly string[]>> = {
  board: ['board'],
  arch: ['arch'],
  cpu: ['cpu'],
  memory: ['memory'],
  cmdline: ['cmdline'],
  clock: ['clock'],
  timeout: ['timeout'],
  kernel: ['images', 'kernel'],
  initrd: ['images', 'initrd'],
  firmware: ['images', 'firmware'],
};

export interface JobFileOptions {
  /** Values from outside, for example from a command line: they go before those that the file declares. */
  variables?: Variables;
}

/** Reads a job file, YAML or JSON; every error has the line and the column of what it is about. */
export function readJobFile(text: string, options: JobFileOptions = {}): JobFileResult {
  const source = JobSource.parse(text);
  if ('errors' in source) return { ok: false, errors: source.errors };
  const result = expandJob(source.value, options);
  const locate = (error: FieldError): FieldError => source.locate(error);
  return result.ok ? { ...result, locate } : { ok: false, errors: result.errors.map(locate) };
}

/** Makes the jobs that a parsed file stands for: variables put in, one job for each combination of the matrix. */
export function expandJob(value: unknown, options: JobFileOptions = {}): JobFileResult {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    const mend = 'Write keys and values, at least "board" and "images".';
    return { ok: false, errors: [{ field: 'body', message: 'A job is a mapping', mend }] };
  }
  const { variables: declared = {}, matrix: rows = {}, ...template } = value as Record<string, unknown>;
  const variables = variablesSchema.safeParse(declared);
  const matrix = matrixSchema.safeParse(rows);
  const errors = [
    ...(variables.success ? [] : fieldErrorsOf(variables.error, 'variables')),
    ...(matrix.success ? [] : fieldErrorsOf(matrix.error, 'matrix')),
  ];
  if (!variables.success || !matrix.success) return { ok: false, errors };
  const given = options.variables ?? {};
  errors.push(...undeclared(given, variables.data, matrix.data), ...matrixErrors(matrix.data, variables.data));
  if (errors.length > 0) return { ok: false, errors };

  const jobs: ExpandedJob[] = [];
  for (const combination of combinationsOf(matrix.data)) {
    const values = Object.fromEntries(Object.entries(combination).map(([key, { value: scalar }]) => [key, scalar]));
    const problems: FieldError[] = [];
    const filled = interpolate(template, { ...variables.data, ...values, ...given }, problems);
    const parsed = jobSpecSchema.safeParse(completed(withFields(filled as Record<string, unknown>, values)));
    if (parsed.success && problems.length === 0) jobs.push({ spec: parsed.data, combination: values });
    // A reference that means nothing makes its field wrong as well: one error for one mistake.
    const named = new Set(problems.map(({ field }) => field));
    const rest = parsed.success ? [] : fieldErrorsOf(parsed.error).filter(({ field }) => !named.has(field));
    errors.push(...problems, ...rest.map((error) => inMatrix(error, combination)));
  }
  return errors.length === 0 ? { ok: true, jobs, locate: (error) => error } : { ok: false, errors: distinct(errors) };
}

function undeclared(given: Variables, declared: Variables, matrix: Readonly<Record<string, unknown>>): FieldError[] {
  const known = [...Object.keys(declared), ...Object.keys(matrix)];
  return Object.keys(given)
    .filter((name) => !known.includes(name))
    .map((name) => ({
      field: 'variables',
      message: `The job has no variable "${name}"`,
      mend: `Declare it there, with a default. Declared are: ${known.join(', ') || 'none'}.`,
    }));
}

function matrixErrors(matrix: Readonly<Record<string, readonly Scalar[]>>, declared: Variables): FieldError[] {
  const errors: FieldError[] = Object.keys(matrix)
    .filter((key) => !Object.hasOwn(MATRIX_FIELDS, key) && !Object.hasOwn(declared, key))
    .map((key) => ({
      field: fieldPath(['matrix', key]),
      message: `"${key}" is neither a field that a matrix can set nor a variable`,
      mend: `Use ${Object.keys(MATRIX_FIELDS).join(', ')}, or declare "${key}" in variables.`,
    }));
  const jobs = Object.values(matrix).reduce((product, values) => product * values.length, 1);
  if (jobs > MAX_MATRIX_JOBS) {
    const message = `The matrix makes ${jobs} jobs`;
    errors.push({ field: 'matrix', message, mend: `Make at most ${MAX_MATRIX_JOBS}: split the file.` });
  }
  return errors;
}

type Combination = Readonly<Record<string, { value: Scalar; index: number }>>;

/** All combinations, the last key of the matrix changing fastest, as people read a table. */
function combinationsOf(matrix: Readonly<Record<string, readonly Scalar[]>>): Combination[] {
  return Object.entries(matrix).reduce<Combination[]>(
    (all, [key, values]) =>
      all.flatMap((combination) => values.map((value, index) => ({ ...combination, [key]: { value, index } }))),
    [{}],
  );
}

/** What a process job need not say. */
function completed(spec: Record<string, unknown>): Record<string, unknown> {
  return spec['kind'] === 'process' ? { board: PROCESS_BOARD, images: {}, ...spec } : spec;
}

function withFields(template: Record<string, unknown>, values: Variables): Record<string, unknown> {
  const spec = { ...template };
  for (const [key, value] of Object.entries(values)) {
    const [outer, inner] = MATRIX_FIELDS[key] ?? [];
    if (outer === undefined) continue;
    if (inner === undefined) spec[outer] = value;
    else spec[outer] = { ...(spec[outer] as object | undefined), [inner]: value };
  }
  return spec;
}

/** An error in a field that the matrix set is an error in the matrix. */
function inMatrix(error: FieldError, combination: Combination): FieldError {
  for (const [key, { index }] of Object.entries(combination)) {
    if (MATRIX_FIELDS[key]?.join('.') === error.field) return { ...error, field: fieldPath(['matrix', key, index]) };
  }
  return error;
}

function distinct(errors: readonly FieldError[]): FieldError[] {
  return [...new Map(errors.map((error) => [`${error.field}\0${error.message}`, error])).values()];
}

/** "cpu=24Kf memory=64M": the part of a job's name that tells it from the others of its matrix. */
export function combinationName(combination: Variables): string {
  return Object.entries(combination)
    .map(([key, value]) => `${key}=${value}`)
    .join(' ');
}
