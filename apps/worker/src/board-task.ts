import { DEFAULT_TIMEOUT, parseDuration, parseSize, type JobSpec } from '@bootlab/lab';
import { imageKey, type BlobStore, type Claim, type LabConfig } from '@bootlab/lab/server';
import type { BoardTask } from './protocol.js';

/** What a board thread needs to run a job: its spec in plain numbers, its images as files of this host. */
export async function boardTask(
  { spec, images, uploads }: Claim,
  config: LabConfig,
  blobs: BlobStore,
): Promise<BoardTask> {
  const file = (sha256: string): Promise<string> => blobs.localPath(imageKey(sha256));
  const files: BoardTask['files'] = {
    ...(images.kernel && { kernel: await file(images.kernel.sha256) }),
    ...(images.initrd && { initrd: await file(images.initrd.sha256) }),
    ...(images.firmware && { firmware: await file(images.firmware.sha256) }),
    drives: await Promise.all(images.drives.map((drive) => file(drive.sha256))),
  };
  const timeoutNs = parseDuration(spec.timeout ?? DEFAULT_TIMEOUT);
  return {
    board: spec.board,
    cpu: spec.cpu,
    memoryBytes: spec.memory === undefined ? undefined : parseSize(spec.memory),
    cmdline: spec.cmdline,
    files,
    clock: spec.clock ?? 'virtual',
    timeoutNs,
    // On the wall clock, time passes on the host as in the guest: the guard is what the host may take on top of it.
    wallGuardMs: wallGuardOf(spec, config.wallGuardMs) + (spec.clock === 'wall' ? timeoutNs / 1e6 : 0),
    consoleLimitBytes: config.consoleLimitBytes,
    steps: spec.steps,
    shell: spec.shell,
    prompt: spec.prompt,
    onReboot: spec.on_reboot,
    failOn: spec.results?.fail_on,
    ...(spec.kind === 'process' && {
      process: {
        spec,
        files: await Promise.all(
          [...uploads].map(async ([position, { sha256 }]) => [position, await file(sha256)] as const),
        ),
      },
    }),
    uploads: await Promise.all(
      [...(spec.kind === 'process' ? [] : uploads)].map(async ([position, { sha256 }]) => ({
        reference: spec.steps?.[position]?.upload ?? '',
        file: await file(sha256),
        sha256,
      })),
    ),
    artifacts: spec.artifacts,
    artifactFolder: blobs.stagingDir,
    artifactLimitBytes: config.artifactLimitBytes,
  };
}

/** A job may want to be given up earlier than the lab would, never later. */
function wallGuardOf(spec: JobSpec, labMs: number): number {
  return spec.wall_guard === undefined ? labMs : Math.min(labMs, parseDuration(spec.wall_guard) / 1e6);
}
