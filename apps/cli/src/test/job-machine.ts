import { createHash } from 'node:crypto';
import path from 'node:path';
import type { BlockBackend, Machine, MachineConfig } from '@bootlab/emulator';
import { BoardFiles, sha256InPlace } from '@bootlab/emulator/backends';
import { ConfigError } from '@bootlab/emulator/core';
import { translateInThread } from '@bootlab/emulator/threads';
import {
  fieldErrorOfConfig,
  parseImageReference,
  parseSelfTestName,
  parseSize,
  type FieldError,
  type JobSpec,
  type UploadFile,
} from '@bootlab/lab';
import type { MachineMaker } from '../boot/create.js';
import { engineStores } from '../kept.js';
import { readInput } from '../boot/files.js';
import { UsageError } from '../exit-codes.js';

/** What a job runs on here: a board and the files it needs, all open and read. */
export interface JobMachine {
  /** Makes the machine, as often as it is switched on, always with the same drives. */
  make(): Promise<Machine>;
  readonly uploads: ReadonlyMap<string, UploadFile>;
  /** The drives as the guest left them, in the order of the spec. */
  readonly drives: readonly BlockBackend[];
  close(): void;
}

/** A field of the spec that this host cannot satisfy. */
export class FieldProblem extends Error {
  override readonly name = 'FieldProblem';

  constructor(readonly error: FieldError) {
    super(error.message);
  }
}

/**
 * Opens what a job names. Paths are those of the job file's folder, so that a job means the same from wherever it is
 * started. The guest writes into overlays: image files never change.
 * @param warn takes the emulator's remarks
 * @throws FieldProblem naming the field of the spec
 */
export async function openJobMachine(
  spec: JobSpec,
  folder: string,
  maker: MachineMaker,
  warn: (text: string) => void,
): Promise<JobMachine> {
  const { images } = spec;
  const files = new BoardFiles();
  const bytes = (field: string, reference: string | undefined): Uint8Array | undefined =>
    reference === undefined ? undefined : readReference(field, reference, folder, maker);
  try {
    const config: MachineConfig = {
      board: spec.board,
      cpu: spec.cpu,
      memoryBytes: spec.memory === undefined ? undefined : parseSize(spec.memory),
      cmdline: spec.cmdline,
      kernel: bytes('images.kernel', images.kernel),
      initrd: bytes('images.initrd', images.initrd),
      firmware: bytes('images.firmware', images.firmware),
    };
    const drives = (images.drives ?? []).map((reference, index) =>
      files.drive(fileOf(`images.drives[${index}]`, reference, folder)),
    );
    const uploads = uploadsOf(spec, folder, maker);
    const make = (): Promise<Machine> =>
      maker.createMachine(
        { ...config, drives },
        { translationService: translateInThread, ...engineStores(maker), sha256: sha256InPlace, warn },
      );
    return { make, uploads, drives, close: () => files.close() };
  } catch (error) {
    files.close();
    throw error instanceof ConfigError ? problemOfConfig(error) : error;
  }
}

/** What the emulator found wrong with a configuration, in the words of the job spec. */
export function problemOfConfig(error: ConfigError): FieldProblem {
  return new FieldProblem(fieldErrorOfConfig(error));
}

function uploadsOf({ steps = [] }: JobSpec, folder: string, maker: MachineMaker): Map<string, UploadFile> {
  const uploads = new Map<string, UploadFile>();
  steps.forEach(({ upload }, index) => {
    if (upload === undefined || uploads.has(upload)) return;
    const bytes = readReference(`steps[${index}].upload`, upload, folder, maker);
    uploads.set(upload, { bytes, sha256: createHash('sha256').update(bytes).digest('hex') });
  });
  return uploads;
}

/** Bytes of what a reference names. @throws FieldProblem */
export function readReference(field: string, reference: string, folder: string, maker: MachineMaker): Uint8Array {
  const source = parseImageReference(reference);
  const selfTest = source?.kind === 'builtin' ? parseSelfTestName(source.name) : undefined;
  if (selfTest) {
    try {
      return maker.selfTestFirmware(selfTest.board, selfTest.byteOrder);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      throw new FieldProblem({ field, message, mend: 'Name a board that has a self-test: "bootlab boards".' });
    }
  }
  const file = fileOf(field, reference, folder);
  try {
    return readInput(field, file);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    const message = error.message.replace(`${field}: `, '');
    throw new FieldProblem({ field, message, mend: 'Paths are relative to the folder of the job file.' });
  }
}

function fileOf(field: string, reference: string, folder: string): string {
  const source = parseImageReference(reference);
  if (source?.kind === 'file') return path.resolve(folder, source.path);
  const message = `${reference} is in a lab, and this run has none`;
  throw new FieldProblem({ field, message, mend: 'Name a file: ./vmlinux, or builtin:<board>-selftest-el.' });
}
