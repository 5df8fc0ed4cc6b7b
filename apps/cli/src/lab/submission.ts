import path from 'node:path';
import {
  type ExpandedJob,
  expandJob,
  type JobSpec,
  parseImageReference,
  processFiles,
  readJobFile,
  type Variables,
  withProcessFiles,
} from '@bootlab/lab';
import { isScalar, parseDocument, type Document } from 'yaml';
import { jobFileError, readJobText } from '../job-file-errors.js';

/** A job file as it can be sent: what it names on this machine is named by digest. */
export interface Submission {
  /** One text for each request; several only where one cannot say it. */
  readonly texts: readonly string[];
}

/** A job file that was read and is right, as far as this machine can tell. */
export class JobFile {
  private constructor(
    private readonly file: string,
    private readonly text: string,
    private readonly variables: Variables,
    private readonly jobs: readonly ExpandedJob[],
  ) {}

  /** @throws UsageError that names lines and columns */
  static read(file: string, variables: Variables): JobFile {
    const text = readJobText(file);
    const read = readJobFile(text, { variables });
    if (!read.ok) throw jobFileError(file, read.errors);
    return new JobFile(file, text, variables, read.jobs);
  }

  get jobCount(): number {
    return this.jobs.length;
  }

  /** Files of this machine that the jobs name: each as written, and where it is. */
  localFiles(): Map<string, string> {
    const folder = path.dirname(this.file);
    const references = this.jobs.flatMap(({ spec }) => fileReferences(spec));
    return new Map(references.map((reference) => [reference, path.resolve(folder, reference)]));
  }

  /** @param digests of every local file, by the reference that names it */
  submission(digests: ReadonlyMap<string, string>): Submission {
    const whole = this.rewritten(digests);
    if (whole !== undefined) return { texts: [whole] };
    // A path with a variable in its middle has no digest before the variable has its value.
    return { texts: this.jobs.map(({ spec }) => JSON.stringify(withDigests(spec, digests))) };
  }

  /** The file with digests in place of paths; undefined when a path comes together only in a job. */
  private rewritten(digests: ReadonlyMap<string, string>): string | undefined {
    const document = parseDocument(this.text, { stringKeys: true });
    for (const [name, value] of Object.entries(this.variables)) {
      // Where the matrix gives it, one value is left of it.
      if (document.hasIn(['matrix', name])) document.deleteIn(['matrix', name]);
      document.setIn(['variables', name], value);
    }
    for (const place of imagePlaces(document)) {
      const digest = digests.get(String(document.getIn(place)));
      if (digest !== undefined) document.setIn(place, `sha256:${digest}`);
    }
    const sent = expandJob(document.toJS());
    const complete = sent.ok && sent.jobs.every(({ spec }) => fileReferences(spec).length === 0);
    return complete ? document.toString() : undefined;
  }
}

const ROLES = ['kernel', 'initrd', 'firmware'] as const;

function fileReferences(spec: JobSpec): string[] {
  const { images, steps = [] } = spec;
  const references = [
    ...(spec.kind === 'process' ? processFiles(spec).map(({ reference }) => reference) : []),
    ...ROLES.map((role) => images[role]),
    ...(images.drives ?? []),
    ...steps.map(({ upload }) => upload),
  ];
  return references.filter(
    (reference) => reference !== undefined && parseImageReference(reference)?.kind === 'file',
  ) as string[];
}

function withDigests(spec: JobSpec, digests: ReadonlyMap<string, string>): JobSpec {
  const swap = (reference: string): string => {
    const digest = digests.get(reference);
    return digest === undefined ? reference : `sha256:${digest}`;
  };
  const { images, steps } = spec;
  const files = new Map(processFiles(spec).map(({ position, reference }) => [position, swap(reference)]));
  return {
    ...(spec.kind === 'process' ? withProcessFiles(spec, (position) => files.get(position)) : spec),
    images: {
      ...Object.fromEntries(ROLES.flatMap((role) => (images[role] === undefined ? [] : [[role, swap(images[role])]]))),
      ...(images.drives && { drives: images.drives.map(swap) }),
    },
    ...(steps && {
      steps: steps.map((step) => (step.upload === undefined ? step : { ...step, upload: swap(step.upload) })),
    }),
  };
}

type Place = (string | number)[];

/** Where a job file can name an image as a whole: in images and uploads, in their columns of the matrix, in variables. */
function imagePlaces(document: Document): Place[] {
  const places: Place[] = [...ROLES.map((role) => ['images', role]), ['program'], ['root'], ['stdin']];
  const sequence = (place: Place): Place[] => {
    const node = document.getIn(place);
    const length = typeof node === 'object' && node !== null && 'items' in node ? (node.items as unknown[]).length : 0;
    return Array.from({ length }, (_, index) => [...place, index]);
  };
  const keys = (key: string): string[] => {
    const node = document.getIn([key]);
    const items = typeof node === 'object' && node !== null && 'items' in node ? (node.items as unknown[]) : [];
    return items.map((item) => String((item as { key: unknown }).key));
  };
  for (const path of keys('files')) places.push(['files', path]);
  places.push(...sequence(['images', 'drives']));
  places.push(...sequence(['steps']).map((step) => [...step, 'upload']));
  for (const name of keys('matrix')) places.push(...sequence(['matrix', name]));
  for (const name of keys('variables')) places.push(['variables', name]);
  return places.filter((place) => document.hasIn(place) && isScalar(document.getIn(place, true)));
}
