import { open, readFile } from 'node:fs/promises';
import { constants, gunzipSync } from 'node:zlib';
import { inspectImage } from '@bootlab/emulator';
import type { Inspection, StagedFile } from '@bootlab/lab/server';

// Above this size only the head of a file is inspected: disks carry their type there.
const INSPECT_WHOLE_BYTES = 2 ** 28;
const INSPECT_HEAD_BYTES = 2 ** 20;
const PEEK_BYTES = 64 * 1024;

/** Types a file by looking into it; and, where it is compressed with gzip, into that. */
export async function inspectFile(file: Pick<StagedFile, 'path' | 'sizeBytes'>): Promise<Inspection> {
  const bytes = file.sizeBytes <= INSPECT_WHOLE_BYTES ? await readFile(file.path) : await readHead(file.path);
  const info = inspectImage(bytes);
  if (info.type !== 'gzip') return info;
  const inside = peek(bytes.subarray(0, PEEK_BYTES));
  return inside ? { ...info, description: `${info.description}: ${inspectImage(inside).description}` } : info;
}

/** The beginning of what is compressed; undefined when it is damaged, or a bomb. */
function peek(head: Uint8Array): Uint8Array | undefined {
  try {
    const inside = gunzipSync(head, { finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength: 2 ** 26 });
    return inside.length > 0 ? inside : undefined;
  } catch {
    return undefined; // whoever uses the file learns what is wrong with it
  }
}

async function readHead(path: string): Promise<Uint8Array> {
  const handle = await open(path);
  try {
    const head = new Uint8Array(INSPECT_HEAD_BYTES);
    const { bytesRead } = await handle.read(head, 0, head.length, 0);
    return head.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}
