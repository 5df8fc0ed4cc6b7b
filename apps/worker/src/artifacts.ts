import { createHash, randomUUID } from 'node:crypto';
import { open } from 'node:fs/promises';
import path from 'node:path';
import type { BlockBackend } from '@bootlab/emulator';
import type { BoardTask, WrittenArtifact } from './protocol.js';

const PIECE_BYTES = 4 * 2 ** 20;

/** Writes the drives that a job keeps, as the guest left them, into files of the task's folder. */
export async function saveDrives(
  { artifacts, artifactFolder }: Pick<BoardTask, 'artifacts' | 'artifactFolder'>,
  drives: readonly BlockBackend[],
): Promise<WrittenArtifact[]> {
  const written: WrittenArtifact[] = [];
  for (const { drive, as } of artifacts) {
    const backend = drives[drive];
    if (backend) written.push(await saveDrive(backend, as, path.join(artifactFolder, randomUUID())));
  }
  return written;
}

/** In pieces: drives may be larger than memory. */
async function saveDrive(drive: BlockBackend, name: string, file: string): Promise<WrittenArtifact> {
  const hash = createHash('sha256');
  const piece = new Uint8Array(Math.min(drive.sizeBytes, PIECE_BYTES));
  const target = await open(file, 'wx');
  try {
    for (let offset = 0; offset < drive.sizeBytes; offset += piece.length) {
      const part = piece.subarray(0, Math.min(piece.length, drive.sizeBytes - offset));
      drive.read(offset, part);
      hash.update(part);
      await target.writeFile(part);
    }
  } finally {
    await target.close();
  }
  return { name, file, sizeBytes: drive.sizeBytes, sha256: hash.digest('hex') };
}
