import type { Board } from '../board.js';
import type { FieldError } from '../problem.js';
import { fitsUBoot, MAX_TYPED } from '../steps/shell.js';
import { formatSize, parseSize } from '../units.js';
import { driveOf, type JobSpec } from './job-spec.js';
import { checkProcess, foreign, PROCESS_ONLY, repeatedNames } from './process-check.js';
import type { Step } from './step.js';
import { verbOf } from './step-verb.js';

/**
 * Holds a job against the board catalogue: everything that is known without opening an image.
 * @returns what does not fit, with the field of the spec
 */
export function checkBoard(spec: JobSpec, boards: readonly Board[]): FieldError[] {
  if (spec.kind === 'process') return checkProcess(spec);
  const strange = PROCESS_ONLY.filter((field) => spec[field] !== undefined);
  if (strange.length > 0) return strange.map((field) => foreign(field, 'process'));
  const board = boards.find(({ id }) => id === spec.board);
  if (!board) {
    const ids = boards.map(({ id }) => id).join(', ');
    return [{ field: 'board', message: `There is no board "${spec.board}"`, mend: `Use one of: ${ids}.` }];
  }
  return [...partErrors(spec, board), ...imageErrors(spec, board), ...stepErrors(spec, board)];
}

function partErrors(spec: JobSpec, board: Board): FieldError[] {
  const errors: FieldError[] = [];
  const cpus = board.cpus.map(({ id }) => id);
  if (spec.cpu !== undefined && !cpus.includes(spec.cpu)) {
    const message = `${board.name} has no CPU model "${spec.cpu}"`;
    errors.push({ field: 'cpu', message, mend: `Use one of: ${cpus.join(', ')}.` });
  }
  const { minBytes, maxBytes } = board.memory;
  const bytes = spec.memory === undefined ? board.memory.defaultBytes : parseSize(spec.memory);
  if (bytes < minBytes || bytes > maxBytes) {
    const mend = `Use ${formatSize(minBytes)} to ${formatSize(maxBytes)}.`;
    errors.push({ field: 'memory', message: `${board.name} cannot have ${spec.memory} of memory`, mend });
  }
  return errors;
}

function imageErrors({ images, artifacts = [] }: JobSpec, board: Board): FieldError[] {
  const errors: FieldError[] = [];
  if (images.kernel === undefined && images.firmware === undefined) {
    const mend = 'Name a kernel or a firmware.';
    errors.push({ field: 'images.kernel', message: 'There is nothing to boot', mend });
  }
  const drives = images.drives?.length ?? 0;
  if (drives > board.drives) {
    const message = `${board.name} takes ${board.drives} drives, not ${drives}`;
    errors.push({ field: 'images.drives', message, mend: 'Remove some.' });
  }
  artifacts.forEach((artifact, index) => {
    const drive = driveOf(artifact);
    if (drive === undefined) errors.push(foreign(`artifacts[${index}].path`, 'process'));
    else if (drive >= drives) {
      const field = `artifacts[${index}].${artifact.drive === undefined ? 'disk' : 'drive'}`;
      const message = `There is no drive ${artifact.disk ?? drive} in images.drives`;
      errors.push({ field, message, mend: 'Drives are counted from 0, disks from sda.' });
    }
  });
  return [...errors, ...repeatedNames(artifacts)];
}

function stepErrors({ steps = [], shell }: JobSpec, board: Board): FieldError[] {
  const errors: FieldError[] = [];
  const consoles = board.consoles.map(({ name }) => name);
  let off = false;
  steps.forEach((step, index) => {
    const field = `steps[${index}]`;
    const verb = verbOf(step);
    if (step.console !== undefined && !consoles.includes(step.console)) {
      const message = `${board.name} has no console "${step.console}"`;
      errors.push({ field: `${field}.console`, message, mend: `Use one of: ${consoles.join(', ')}.` });
    }
    if (verb === 'screenshot') {
      const message = `${board.name} has no screen to take a picture of`;
      errors.push({ field: `${field}.screenshot`, message, mend: 'Remove this step.' });
    }
    if (shell === 'u-boot') errors.push(...uBootErrors(step, field));
    if (off && verb !== 'wait' && step.power !== 'on') {
      const message = `${verb} comes while the board is off`;
      errors.push({ field: `${field}.${verb}`, message, mend: 'Put a step "power: on" before it.' });
      off = false; // one error for one mistake
    }
    if (verb !== 'power') return;
    if (!off && step.power === 'on') {
      const mend = 'Remove this step; a job begins with the board on.';
      errors.push({ field: `${field}.power`, message: 'The board is on already', mend });
    }
    off = step.power === 'off';
  });
  return errors;
}

/** What U-Boot's shell cannot be told. */
function uBootErrors(step: Step, field: string): FieldError[] {
  if (step.upload !== undefined) {
    const mend = 'Remove this step; U-Boot can load the file from a drive.';
    return [{ field: `${field}.upload`, message: "U-Boot's shell cannot write files", mend }];
  }
  const command = step.run ?? step.test;
  if (command === undefined || fitsUBoot(command)) return [];
  const mend = `Write one line of at most ${MAX_TYPED} ASCII characters to a step.`;
  const verb = step.run === undefined ? 'test' : 'run';
  return [{ field: `${field}.${verb}`, message: 'U-Boot takes commands of one short line only', mend }];
}
