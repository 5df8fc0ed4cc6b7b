import { open } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { extract, type Header } from 'tar-stream';

/** Most that an archive may hold, unpacked: it lies in memory while the program runs. */
const MAX_ROOT_BYTES = 1024 * 2 ** 20;
const MAX_ENTRIES = 200_000;
/** Execute permission for anybody. */
const EXECUTABLE = 0o111;
const GZIP_MAGIC = 0x8b1f;

/** An entry of a program's root. Paths and targets are byte strings: one character per byte. */
export type RootEntry = { readonly path: string; readonly mode: number; readonly uid: number; readonly gid: number } & (
  | { readonly kind: 'directory' }
  | { readonly kind: 'file'; readonly bytes: Uint8Array }
  | { readonly kind: 'symlink' | 'hardlink'; readonly target: string }
);

/** An archive that cannot be a program's root. */
export class RootArchiveError extends Error {}

/**
 * Reads a tar archive (ustar, GNU or pax; plain or gzip) into entries in memory. Device nodes and FIFOs are left out: the guest
 * has a /dev of its own. Nothing is written anywhere, so names can do no harm; the emulator refuses those that leave the tree.
 * @throws RootArchiveError saying what is wrong
 */
export function readRootArchive(bytes: Uint8Array): Promise<RootEntry[]> {
  return readEntries(Readable.from([bytes]), isGzip(bytes), () => true);
}

/**
 * The same of a file, with the content of those entries only whose path, as the archive has it, is wanted. Of other files
 * that may be executed the content is `unread`, of all others there is none. No more of it lies in memory at a time than a block.
 * @throws RootArchiveError saying what is wrong
 */
export async function scanRootArchive(
  file: string,
  wanted: (path: string, sizeBytes: number) => boolean,
  unread: Uint8Array,
): Promise<RootEntry[]> {
  const handle = await open(file);
  try {
    const { buffer, bytesRead } = await handle.read(new Uint8Array(4), 0, 4, 0);
    const source = handle.createReadStream({ start: 0, autoClose: false });
    return await readEntries(source, isGzip(buffer.subarray(0, bytesRead)), wanted, unread);
  } finally {
    await handle.close();
  }
}

const isGzip = (bytes: Uint8Array): boolean =>
  bytes.length > 2 && ((bytes[0] ?? 0) | ((bytes[1] ?? 0) << 8)) === GZIP_MAGIC;

async function readEntries(
  source: Readable,
  compressed: boolean,
  wanted: (path: string, sizeBytes: number) => boolean,
  unread: Uint8Array = new Uint8Array(),
): Promise<RootEntry[]> {
  const entries: RootEntry[] = [];
  let total = 0;
  const archive = extract();
  const fail = (error: Error): void => void archive.destroy(error);
  source.on('error', fail);
  const input = compressed ? source.pipe(createGunzip().on('error', fail)) : source;
  input.pipe(archive);
  try {
    for await (const entry of archive) {
      const { header } = entry;
      if (entries.length >= MAX_ENTRIES) throw new RootArchiveError(`it has more than ${MAX_ENTRIES} entries`);
      const isWanted = wanted(byteString(header.name), header.size ?? 0);
      const isProgram = ((header.mode ?? EXECUTABLE) & EXECUTABLE) !== 0;
      const parts: Uint8Array[] = isWanted || !isProgram || (header.size ?? 0) === 0 ? [] : [unread];
      for await (const part of entry as AsyncIterable<Uint8Array>) {
        total += part.length;
        if (total > MAX_ROOT_BYTES) throw new RootArchiveError(`it holds more than ${MAX_ROOT_BYTES >> 20} MiB`);
        if (isWanted) parts.push(part);
      }
      const made = entryOf(header, parts);
      if (made) entries.push(made);
    }
  } catch (error) {
    if (error instanceof RootArchiveError) throw error;
    throw new RootArchiveError(error instanceof Error ? error.message : String(error), { cause: error });
  } finally {
    source.destroy();
  }
  if (entries.length === 0) throw new RootArchiveError('it has no files in it');
  return entries;
}

function entryOf(header: Header, parts: readonly Uint8Array[]): RootEntry | undefined {
  const path = byteString(header.name);
  const { mode = 0o755, uid = 0, gid = 0, linkname, type } = header;
  const common = { path, mode, uid, gid };
  switch (type) {
    case 'directory':
      return { ...common, kind: 'directory' };
    case 'symlink':
      return { ...common, kind: 'symlink', target: byteString(linkname ?? '') };
    case 'link':
      return { ...common, kind: 'hardlink', target: byteString(linkname ?? '') };
    case 'file':
    case 'contiguous-file':
      return { ...common, kind: 'file', bytes: Buffer.concat(parts) };
    default:
      return undefined;
  }
}

const byteString = (text: string): string => Buffer.from(text).toString('latin1');
