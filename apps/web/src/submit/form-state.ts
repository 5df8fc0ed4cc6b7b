// What the submit form holds, how it begins (blank, preset, link, earlier job), and the job spec it stands for.
import { fieldErrorsOf, formatSize, jobSpecSchema, parseSize, UnitError } from '@bootlab/lab';
import type { Board, ClockMode, FieldError, Job, JobSpec, Step } from '../api/types.js';
import { escapeText, unescapeText } from '../lib/escapes.js';

export type ImageChoice =
  | { kind: 'none' }
  /** `file` is undefined until one is picked. */
  | { kind: 'upload'; file: File | undefined }
  /** `reference` is empty until one is picked. */
  | { kind: 'library'; reference: string; name: string }
  | { kind: 'builtin'; reference: string };

export interface StepRow {
  /** Identity of the row while rows move; not part of the spec. */
  key: number;
  /** `json`: any other step, or one with more to say than its text, as it stands in the spec. */
  kind: 'expect' | 'send' | 'run' | 'json';
  /** As typed: in `send`, escapes such as \n stand for bytes. */
  text: string;
}

export interface FormState {
  name: string;
  board: string;
  /** Empty: the board's default. */
  cpu: string;
  memory: string;
  kernel: ImageChoice;
  initrd: ImageChoice;
  firmware: ImageChoice;
  drives: ImageChoice[];
  cmdline: string;
  timeout: string;
  clock: ClockMode;
  steps: StepRow[];
  /** What the form has no field for; a job that is submitted again keeps it. */
  further: Omit<JobSpec, FormField>;
}

type FormField = 'name' | 'board' | 'cpu' | 'memory' | 'images' | 'cmdline' | 'timeout' | 'clock' | 'steps';

export type Preset = 'shell' | 'boot-test' | 'self-test';

export const NO_IMAGE: ImageChoice = { kind: 'none' };
export const WANTS_UPLOAD: ImageChoice = { kind: 'upload', file: undefined };

let lastStepKey = 0;

export function newStep(kind: StepRow['kind'], text = ''): StepRow {
  lastStepKey += 1;
  return { key: lastStepKey, kind, text };
}

export function blankForm(board: Board): FormState {
  return {
    name: '',
    board: board.id,
    cpu: '',
    memory: '',
    kernel: WANTS_UPLOAD,
    initrd: NO_IMAGE,
    firmware: NO_IMAGE,
    drives: [],
    cmdline: '',
    timeout: '5m',
    clock: 'virtual',
    steps: [],
    further: {},
  };
}

/** A preset changes what it is about and leaves the rest (board, files already picked) alone. */
export function applyPreset(form: FormState, preset: Preset, selfTest: string): FormState {
  const kernel = form.kernel.kind === 'none' ? WANTS_UPLOAD : form.kernel;
  const initrd = form.initrd.kind === 'none' ? WANTS_UPLOAD : form.initrd;
  switch (preset) {
    case 'shell':
      // A person is slower than a guest: real seconds, and hours of them.
      return { ...form, kernel, initrd, firmware: NO_IMAGE, clock: 'wall', timeout: '8h', steps: [] };
    case 'boot-test':
      return {
        ...form,
        kernel,
        initrd,
        firmware: NO_IMAGE,
        clock: 'virtual',
        timeout: '5m',
        steps: [newStep('expect', 'login:')],
      };
    case 'self-test':
      return {
        ...form,
        kernel: NO_IMAGE,
        initrd: NO_IMAGE,
        firmware: { kind: 'builtin', reference: selfTest },
        drives: [],
        cmdline: '',
        clock: 'virtual',
        timeout: '1m',
        steps: [],
      };
  }
}

/** The form of an earlier job: its images by digest, so that nothing has to be uploaded again. */
export function formOfJob(job: Job): FormState {
  const { images } = job;
  const { name, board, cpu, memory, images: references, cmdline, timeout, clock, steps, ...further } = job.spec;
  const stored = (reference: string | undefined, name: string | undefined): ImageChoice => {
    if (reference === undefined) return NO_IMAGE;
    if (reference.startsWith('builtin:')) return { kind: 'builtin', reference };
    return { kind: 'library', reference, name: name ?? reference };
  };
  return {
    name: name ?? '',
    board,
    cpu: cpu ?? '',
    memory: memory ?? '',
    kernel: stored(references.kernel, images.kernel?.name),
    initrd: stored(references.initrd, images.initrd?.name),
    firmware: stored(references.firmware, images.firmware?.name),
    drives: (references.drives ?? []).map((reference, index) => stored(reference, images.drives[index]?.name)),
    cmdline: cmdline ?? '',
    timeout: timeout ?? '5m',
    clock: clock ?? 'virtual',
    steps: (steps ?? []).map(rowOfStep),
    further,
  };
}

function rowOfStep(step: Step): StepRow {
  const [kind, ...more] = Object.keys(step);
  if (more.length === 0 && kind === 'expect') return newStep(kind, step.expect);
  if (more.length === 0 && kind === 'run') return newStep(kind, step.run);
  if (more.length === 0 && kind === 'send') return newStep(kind, escapeText(step.send ?? ''));
  return newStep('json', JSON.stringify(step));
}

export interface SpecWithFiles {
  spec: JobSpec;
  /** Multipart field name → file. */
  files: Map<string, File>;
}

/** Makes references of what was chosen in a form, and collects the files that go with the job. */
export function collectFiles(): {
  files: Map<string, File>;
  /** @param field multipart field of the file, if it is one. @returns undefined where nothing is chosen */
  reference(choice: ImageChoice, field: string): string | undefined;
} {
  const files = new Map<string, File>();
  const reference = (choice: ImageChoice, field: string): string | undefined => {
    if (choice.kind === 'none') return undefined;
    if (choice.kind !== 'upload') return choice.reference === '' ? undefined : choice.reference;
    if (!choice.file) return undefined;
    files.set(field, choice.file);
    return `upload:${field}`;
  };
  return { files, reference };
}

export function specOfForm(form: FormState): SpecWithFiles {
  const { files, reference } = collectFiles();
  const kernel = reference(form.kernel, 'kernel');
  const initrd = reference(form.initrd, 'initrd');
  const firmware = reference(form.firmware, 'firmware');
  const drives = form.drives
    .map((choice, index) => reference(choice, `drive${index}`))
    .filter((drive) => drive !== undefined);
  const spec: JobSpec = {
    ...form.further,
    ...(form.name.trim() !== '' && { name: form.name.trim() }),
    board: form.board,
    ...(form.cpu !== '' && { cpu: form.cpu }),
    ...(form.memory.trim() !== '' && { memory: form.memory.trim() }),
    images: {
      ...(kernel !== undefined && { kernel }),
      ...(initrd !== undefined && { initrd }),
      ...(firmware !== undefined && { firmware }),
      ...(drives.length > 0 && { drives }),
    },
    ...(form.cmdline.trim() !== '' && { cmdline: form.cmdline.trim() }),
    timeout: form.timeout.trim(),
    clock: form.clock,
    ...(form.steps.length > 0 && { steps: form.steps.map(stepOfRow) }),
  };
  return { spec, files };
}

function stepOfRow({ kind, text }: StepRow): Step {
  switch (kind) {
    case 'expect':
      return { expect: text };
    case 'run':
      return { run: text };
    case 'send':
      return { send: unescapeText(text) };
    case 'json':
      return jsonOf(text) ?? {};
  }
}

/** What a person wrote as JSON, if it is an object; the schema says whether it is a step. */
function jsonOf(text: string): Step | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

/** What can be known to be wrong before anything is uploaded; the lab checks everything again, and the files too. */
export function checkForm(form: FormState, board: Board | undefined): FieldError[] {
  const { spec } = specOfForm(form);
  const checked = jobSpecSchema.safeParse(spec);
  const malformed = form.steps.flatMap(({ kind, text }, index) =>
    kind === 'json' && !jsonOf(text)
      ? [{ field: `steps[${index}]`, message: 'This is no JSON object', mend: 'Write for example {"wait": "2s"}.' }]
      : [],
  );
  const found = checked.success ? [] : fieldErrorsOf(checked.error);
  const errors = [...found.filter(({ field }) => !malformed.some((step) => step.field === field)), ...malformed];
  const choices: [field: string, choice: ImageChoice][] = [
    ['images.kernel', form.kernel],
    ['images.initrd', form.initrd],
    ['images.firmware', form.firmware],
    ...form.drives.map((choice, index): [string, ImageChoice] => [`images.drives[${index}]`, choice]),
  ];
  for (const [field, choice] of choices) {
    if (choice.kind === 'upload' && !choice.file) {
      errors.push({ field, message: 'No file is picked', mend: 'Pick one, or choose None.' });
    } else if (choice.kind === 'library' && choice.reference === '') {
      errors.push({ field, message: 'No image is picked', mend: 'Pick one, or choose None.' });
    }
  }
  if (form.kernel.kind === 'none' && form.firmware.kind === 'none') {
    errors.push({ field: 'images.kernel', message: 'There is nothing to boot', mend: 'Pick a kernel or a firmware.' });
  }
  if (board && spec.memory !== undefined) errors.push(...checkMemory(spec.memory, board));
  return errors;
}

function checkMemory(text: string, board: Board): FieldError[] {
  const { minBytes, maxBytes } = board.memory;
  try {
    const bytes = parseSize(text);
    if (bytes >= minBytes && bytes <= maxBytes) return [];
  } catch (error) {
    // The schema has already said what is wrong with the text.
    if (error instanceof UnitError) return [];
    throw error;
  }
  const mend = `Use ${formatSize(minBytes)} to ${formatSize(maxBytes)}.`;
  return [{ field: 'memory', message: `${board.name} cannot have ${text} of memory`, mend }];
}

function shellQuote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** The same submission as a curl command, for a CI script. `origin` is the lab's address. */
export function curlOfForm({ spec, files }: SpecWithFiles, origin: string): string {
  const lines = [`curl ${origin}/api/v1/jobs`, `-H "Authorization: Bearer $BOOTLAB_TOKEN"`];
  if (files.size === 0) {
    lines.push(`--json ${shellQuote(JSON.stringify(spec))}`);
  } else {
    lines.push(`-F ${shellQuote(`spec=${JSON.stringify(spec)}`)}`);
    for (const [field, file] of files) lines.push(`-F ${shellQuote(`${field}=@${file.name}`)}`);
  }
  return lines.join(' \\\n  ');
}
