import { readFile } from 'node:fs/promises';
import { HttpStatus, Injectable } from '@nestjs/common';
import { boardCatalogue, ConfigError, validateConfig, type MachineConfig } from '@bootlab/emulator';
import { openRawImage, type RawImage } from '@bootlab/emulator/backends';
import { formatSize, parseSize, type JobSpec } from '@bootlab/lab';
import { invalidField, problemOfConfig } from '../problem/problem.js';
import { JobImages, type ImageUse } from './job-images.js';

/** Finds at submission everything about a job that can be known then: the emulator's own validation, no copy of it. */
@Injectable()
export class JobValidation {
  constructor(private readonly jobImages: JobImages) {}

  /** @throws ProblemError that names the field of the spec */
  async validate(spec: JobSpec, uses: readonly ImageUse[]): Promise<void> {
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
        if (use.role === 'drive') continue;
        if (board) this.refuseOversized(use, largest);
        else continue; // validateConfig says that there is no such board
        config[use.role] = await readFile(await this.jobImages.path(use));
      }
      for (const use of uses.filter(({ role }) => role === 'drive')) {
        opened.push(openRawImage(await this.jobImages.path(use), { readOnly: true }));
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
}
