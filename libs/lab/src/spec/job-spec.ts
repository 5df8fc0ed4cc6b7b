import { z } from 'zod';
import { imageReferenceSchema } from '../image.js';
import { RESULT_FORMATS } from '../results/formats.js';
import { FAIL_ON_KINDS } from '../results/kernel/kinds.js';
import { artifactNameField, durationField, nameField, patternField, sizeField } from './fields.js';
import { stepSchema } from './step.js';

export const DEFAULT_TIMEOUT = '5m';
export const MAX_STEPS = 1000;
export const MAX_RETRIES = 5;
/** How often a lab tries a job again after an infrastructure error when the job does not say. */
export const DEFAULT_RETRIES = 1;

export const clockModeSchema = z.enum(['virtual', 'wall']);
export type ClockMode = z.infer<typeof clockModeSchema>;

/** What reads commands on the console: it decides how a command's end and exit status are found. */
export const shellSchema = z.enum(['sh', 'u-boot']);
export type Shell = z.infer<typeof shellSchema>;

export const jobImagesSchema = z.strictObject({
  kernel: imageReferenceSchema.optional(),
  initrd: imageReferenceSchema.optional(),
  firmware: imageReferenceSchema.optional(),
  drives: z.array(imageReferenceSchema).max(8).optional(),
});

const GUEST_PATH = /^(\/(?!\.{1,2}(\/|$))[^/\0]+)+$/;

/** Where an artifact can come from; each artifact has exactly one of these. */
const ARTIFACT_SOURCES = ['drive', 'disk', 'path'] as const;

export const artifactSchema = z
  .strictObject({
    drive: z
      .number()
      .int()
      .min(0)
      .max(7)
      .describe('Which of images.drives, counted from 0, as it is after the run')
      .optional(),
    disk: z
      .string()
      .regex(/^[sh]d[a-h]$/, 'Disks are called sda, sdb, … in the order of images.drives')
      .describe('The same by the name that Linux gives it: sda is the first of images.drives')
      .optional(),
    path: z
      .string()
      .max(4096)
      .regex(GUEST_PATH, 'An absolute path without "." and ".."')
      .describe('Of a process: a file as it is after the run; of a directory, a tar archive')
      .optional(),
    as: artifactNameField().describe('File name of the artifact'),
  })
  .superRefine((artifact, context) => {
    const sources = ARTIFACT_SOURCES.filter((source) => artifact[source] !== undefined);
    if (sources.length === 1) return;
    context.addIssue({
      code: 'custom',
      message: sources.length === 0 ? 'It is not said what to keep' : `It is both ${sources.join(' and ')}`,
      params: { mend: 'Write one of {"drive": 0}, {"disk": "sda"} and, of a process, {"path": "/out"} beside "as".' },
    });
  })
  .meta({ oneOf: ARTIFACT_SOURCES.map((source) => ({ required: [source] })) });
export type ArtifactRequest = z.infer<typeof artifactSchema>;

/** Which of `images.drives` an artifact is, counted from 0; undefined for a file of a process. */
export function driveOf({ drive, disk }: ArtifactRequest): number | undefined {
  return drive ?? (disk === undefined ? undefined : disk.charCodeAt(2) - 'a'.charCodeAt(0));
}

/** What a job runs on when it is a process: no board of the catalogue, but Linux user mode. */
export const PROCESS_BOARD = 'linux-user';
export const ARCHITECTURES = ['mipsel', 'mips'] as const;
/** Consoles of a process job. */
export const PROCESS_CONSOLES = ['stdout', 'stderr'] as const;

/** Characters of standard input that may stand in the job itself. */
const MAX_STDIN_TEXT = 65_536;
const VARIABLE = /^[^=\0]+$/;

/** Fields of jobs of the kind `process`. */
const processFields = {
  arch: z.enum(ARCHITECTURES).describe("The program's architecture").optional(),
  program: z
    .string()
    .min(1)
    .max(4096)
    .describe('A path in the root that begins with /, or an image reference (upload:<field>, sha256:<hex>, ./file)')
    .optional(),
  arguments: z.array(z.string().max(65_536)).max(1000).describe('What follows the name in argv').optional(),
  environment: z
    .record(z.string().regex(VARIABLE, 'A name without "=" and NUL'), z.string().max(65_536))
    .describe('Variables beside PATH and HOME')
    .optional(),
  root: imageReferenceSchema.describe('A tar archive that the program sees as /').optional(),
  files: z
    .record(z.string().regex(GUEST_PATH, 'An absolute path without "." and ".."'), imageReferenceSchema)
    .describe('Files by the path at which the program finds them; each may be executed')
    .optional(),
  stdin: imageReferenceSchema.describe('A file that is the standard input; without one it is empty').optional(),
  stdin_text: z.string().max(MAX_STDIN_TEXT).describe('The standard input itself, instead of a file').optional(),
};

const jobSpecShape = z.strictObject({
  kind: z
    .enum(['board', 'process'])
    .describe('board: boots a board (default); process: runs a Linux program in user mode')
    .optional(),
  ...processFields,
  name: nameField().optional(),
  board: z.string().min(1).max(100).describe('Board id from the catalogue'),
  cpu: z.string().min(1).max(100).describe("CPU model; default: the board's").optional(),
  memory: sizeField().describe("RAM, for example 256M; default: the board's").optional(),
  images: jobImagesSchema,
  cmdline: z.string().max(4096).describe("Kernel command line; default: the board's").optional(),
  timeout: durationField()
    .describe('Virtual time after which the job ends as a time-out, for example 90s, 5m, 1h30m')
    .optional(),
  wall_guard: durationField()
    .describe('Host time after which the job is given up as an infrastructure error, never as a failure')
    .optional(),
  clock: clockModeSchema
    .describe('virtual: idle time is skipped (default); wall: idle time waits for the host clock')
    .optional(),
  on_reboot: z
    .enum(['end', 'restart'])
    .describe('When the guest resets the board: end the run as failed (default), or let it start again')
    .optional(),
  shell: shellSchema.describe('What reads commands on the console; default sh, a POSIX shell').optional(),
  prompt: patternField()
    .describe("What the shell's prompt looks like; default: a line that ends with '# ' or '$ ', or U-Boot's '=> '")
    .optional(),
  steps: z.array(stepSchema).max(MAX_STEPS).optional(),
  results: z
    .strictObject({
      fail_on: z
        .array(z.enum(FAIL_ON_KINDS))
        .max(FAIL_ON_KINDS.length)
        .describe('Kernel failures that make the job fail; others become results only')
        .optional(),
      format: z
        .enum(RESULT_FORMATS)
        .exclude(['exit-code', 'regex'])
        .describe('Of a process: the format of the test results on its standard output')
        .optional(),
    })
    .optional(),
  artifacts: z.array(artifactSchema).max(20).optional(),
  retries: z
    .number()
    .int()
    .min(0)
    .max(MAX_RETRIES)
    .describe('How often the job is run again after an infrastructure error; never after a failure')
    .optional(),
});

/** One job, complete: no variables, no matrix. What the lab stores and runs. */
export const jobSpecSchema = jobSpecShape.meta({ id: 'JobSpec' });
export type JobSpec = z.infer<typeof jobSpecSchema>;

export const scalarSchema = z.union([z.string().max(4096), z.number(), z.boolean()]);
export type Scalar = z.infer<typeof scalarSchema>;

const VARIABLE_NAME = /^[A-Za-z_][A-Za-z0-9_]{0,62}$/;

const VARIABLE_NAMES = { propertyNames: { type: 'string', pattern: VARIABLE_NAME.source } } as const;

function variableNames(record: Record<string, unknown>, context: z.RefinementCtx): void {
  for (const name of Object.keys(record)) {
    if (VARIABLE_NAME.test(name)) continue;
    context.addIssue({
      code: 'custom',
      path: [name],
      message: `"${name}" cannot be the name of a variable`,
      params: { mend: 'Use letters, digits and "_", and do not begin with a digit.' },
    });
  }
}

export const variablesSchema = z
  .record(z.string(), scalarSchema)
  .superRefine(variableNames)
  .meta(VARIABLE_NAMES)
  .describe('Values that ${{ name }} stands for in any text of the job');

export const matrixSchema = z
  .record(z.string(), z.array(scalarSchema).min(1).max(64))
  .superRefine(variableNames)
  .meta(VARIABLE_NAMES)
  .describe(
    'Fields (board, cpu, memory, cmdline, kernel, …) or variables with several values: one job for each combination',
  );

/** A job as it is written: with variables, and a matrix that makes several jobs of it. */
export const jobFileSchema = z
  .strictObject({
    ...jobSpecShape.shape,
    // A process has neither.
    board: jobSpecShape.shape.board.optional(),
    images: jobImagesSchema.optional(),
    variables: variablesSchema.optional(),
    matrix: matrixSchema.optional(),
  })
  .meta({ title: 'Bootlab job', description: 'A job for an emulated board or a program of another architecture' });
export type JobFile = z.infer<typeof jobFileSchema>;
