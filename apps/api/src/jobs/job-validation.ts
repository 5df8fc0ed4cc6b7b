import { readFile } from 'node:fs/promises';
import { HttpStatus, Injectable } from '@nestjs/common';
import { boardCatalogue, ConfigError, validateConfig, type MachineConfig } from '@bootlab/emulator';
import { openRawImage, type RawImage } from '@bootlab/emulator/backends';
import { checkProgram, UNREAD } from '@bootlab/emulator/user';
import { formatSize, parseSize, type JobSpec } from '@bootlab/lab';
import { checkProgramFiles } from '@bootlab/lab/process';
import { invalidField, invalidFields, problemOfConfig } from '../problem/problem.js';
import { JobImages, type ImageUse } from './job-images.js';

/** Largest file that a step may copy into a guest: it goes through a serial port, character by character. */
const MAX_STEP_UPLOAD_BYTES = 4 * 2 ** 20;
const MAX_KNOWN_GOOD = 1000;

/** Finds at submission everything about a job that can be known then: the emulator's own validation, no copy of it. */
@Injectable()
export class JobValidation {
  /** Configurations that were found good. Images are named by their digests: what was good stays so. */
  private readonly knownGood = new Set<string>();

  constructor(private readonly jobImages: JobImages) {}

  /** @throws ProblemError that names the field of the spec */
  async validate(spec: JobSpec, uses: readonly ImageUse[]): Promise<void> {
    if (spec.kind === 'process') return this.validateProgram(spec, uses);
    for (const use of uses) if (use.role === 'upload') this.refuseLongUpload(use);
    if (uses.some(({ source }) => 'pending' in source)) return; // it is validated when the files are there
    const key = this.keyOf(spec, uses);
    if (this.knownGood.has(key)) return;
    await this.validateMachine(
      spec,
      uses.filter(({ role }) => role !== 'upload'),
    );
    this.foundGood(key);
  }

  private foundGood(key: string): void {
    const [oldest] = this.knownGood;
    if (this.knownGood.size >= MAX_KNOWN_GOOD && oldest !== undefined) this.knownGood.delete(oldest);
    this.knownGood.add(key);
  }

  private keyOf({ board, cpu, memory, cmdline, arch, program }: JobSpec, uses: readonly ImageUse[]): string {
    const images = uses.map((use) => [use.field, use.role, use.position, this.jobImages.sha256(use)]);
    return JSON.stringify([board, cpu, memory, cmdline, arch, program, images]);
  }

  private async validateProgram(spec: JobSpec, uses: readonly ImageUse[]): Promise<void> {
    if (uses.some(({ source }) => 'pending' in source)) return;
    const key = this.keyOf(spec, uses);
    if (this.knownGood.has(key)) return;
    const paths = new Map<number, string>();
    for (const use of uses) {
      const path = await this.jobImages.path(use);
      if (path !== undefined) paths.set(use.position, path);
    }
    const problem = await checkProgramFiles(spec, {
      check: checkProgram,
      unread: UNREAD,
      pathOf: (position) => paths.get(position),
    });
    if (problem) throw invalidFields([problem], HttpStatus.UNPROCESSABLE_ENTITY);
    this.foundGood(key);
  }

  private async validateMachine(spec: JobSpec, uses: readonly ImageUse[]): Promise<void> {
    const board = boardCatalogue().find(({ id }) => id === spec.board);
    const opened: RawImage[] = [];
    try {
      const config: MachineConfig = {
        board: spec.board,
        ...(spec.cpu !== undefined && { cpu: spec.cpu }),
        ...(spec.memory !== undefined && { memoryBytes: parseSize(spec.memory) }),
        ...(spec.cmdline !== undefined && { cmdline: spec.cmdline }),
      };
      // What does not fit into the largest memory need not be read to know that.
      const largest = board?.memory.maxBytes ?? 0;
      for (const use of uses) {
        const file = await this.jobImages.path(use);
        if (file === undefined) continue;
        if (use.role === 'drive') opened.push(openRawImage(file, { readOnly: true }));
        else if (use.role !== 'upload') {
          if (board) this.refuseOversized(use, largest);
          else continue; // validateConfig says that there is no such board
          config[use.role] = await readFile(file);
        }
      }
      validateConfig({ ...config, drives: opened });
    } catch (error) {
      throw error instanceof ConfigError ? problemOfConfig(error) : error;
    } finally {
      opened.forEach((drive) => drive.close());
    }
  }

  private refuseOversized(use: ImageUse, largestBytes: number): void {
    if (this.jobImages.sizeBytes(use) <= largestBytes) return;
    throw invalidField(
      use.field,
      `The file is larger than the largest memory of this board (${formatSize(largestBytes)})`,
      'Give a smaller file; a disk image belongs into images.drives.',
      HttpStatus.UNPROCESSABLE_ENTITY,
    );
  }

  private refuseLongUpload(use: ImageUse): void {
    if (this.jobImages.sizeBytes(use) <= MAX_STEP_UPLOAD_BYTES) return;
    throw invalidField(
      use.field,
      `The file is too long to be typed into a guest (${this.jobImages.sizeBytes(use)} bytes)`,
      `Give at most ${formatSize(MAX_STEP_UPLOAD_BYTES)}; larger files belong into the initrd or onto a drive.`,
      HttpStatus.UNPROCESSABLE_ENTITY,
    );
  }
}
