import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { extract, type Header } from 'tar-stream';

/** Most that an archive may hold, unpacked: it lies in memory while the program runs. */
const MAX_ROOT_BYTES = 1024 * 2 ** 20;
const MAX_ENTRIES = 200_000;
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
export async function readRootArchive(bytes: Uint8Array): Promise<RootEntry[]> {
  const entries: RootEntry[] = [];
  let total = 0;
  const archive = extract();
  const source = Readable.from([bytes]);
  const isGzip = bytes.length > 2 && ((bytes[0] ?? 0) | ((bytes[1] ?? 0) << 8)) === GZIP_MAGIC;
  const input = isGzip ? source.pipe(createGunzip().on('error', (error) => archive.destroy(error))) : source;
  input.pipe(archive);
  try {
    for await (const entry of archive) {
      const { header } = entry;
      if (entries.length >= MAX_ENTRIES) throw new RootArchiveError(`it has more than ${MAX_ENTRIES} entries`);
      const parts: Uint8Array[] = [];
      for await (const part of entry as AsyncIterable<Uint8Array>) {
        total += part.length;
        if (total > MAX_ROOT_BYTES) throw new RootArchiveError(`it holds more than ${MAX_ROOT_BYTES >> 20} MiB`);
        parts.push(part);
      }
      const made = entryOf(header, parts);
      if (made) entries.push(made);
    }
  } catch (error) {
    if (error instanceof RootArchiveError) throw error;
    throw new RootArchiveError(error instanceof Error ? error.message : String(error), { cause: error });
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
