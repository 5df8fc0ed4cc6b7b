import { once } from 'node:events';
import { pack, type Header, type Pack } from 'tar-stream';

/** What is in a guest's tree; the emulator's `GuestFile` is one. Paths and targets are byte strings. */
export type GuestFile = {
  /** From what was asked for on; empty for that itself. */
  readonly path: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Guest time, ns since 1970. */
  readonly modifiedNs: bigint;
} & (
  | { readonly kind: 'directory' }
  | { readonly kind: 'symlink'; readonly target: string }
  | { readonly kind: 'file'; readonly sizeBytes: number; read(offset: number, target: Uint8Array): number }
);

/** Something whose bytes can be read from any offset. */
export interface ReadableBytes {
  readonly sizeBytes: number;
  read(offset: number, target: Uint8Array): unknown;
}

const PIECE_BYTES = 2 ** 20;

/** All bytes, in pieces that stay as they are. */
export function* piecesOf(source: ReadableBytes): Generator<Uint8Array, void, undefined> {
  for (let offset = 0; offset < source.sizeBytes; offset += PIECE_BYTES) {
    const piece = new Uint8Array(Math.min(PIECE_BYTES, source.sizeBytes - offset));
    source.read(offset, piece);
    yield piece;
  }
}

/**
 * The bytes of a file; of a directory, a tar archive (pax) of what is in it, by paths that begin there. Nothing of the host is
 * in it: the same run gives the same bytes.
 * @param files what is at one path of a guest's tree, the thing itself first
 * @returns undefined where there is nothing
 */
export function guestBytes(files: Iterable<GuestFile>): AsyncIterable<Uint8Array> | undefined {
  const rest = files[Symbol.iterator]();
  const { value: first, done } = rest.next();
  if (done) return undefined;
  if (first.kind === 'directory') return archiveOf({ [Symbol.iterator]: () => rest });
  return onlyFile(first, rest);
}

async function* onlyFile(file: GuestFile, rest: Iterator<GuestFile>): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    if (file.kind === 'file') yield* piecesOf(file);
  } finally {
    rest.return?.();
  }
}

async function* archiveOf(files: Iterable<GuestFile>): AsyncGenerator<Uint8Array, void, undefined> {
  const archive = pack();
  const filled = fill(archive, files);
  filled.catch((error: Error) => archive.destroy(error));
  try {
    yield* archive as AsyncIterable<Uint8Array>; // nothing else comes out of an archive
    await filled;
  } finally {
    archive.destroy();
  }
}

async function fill(archive: Pack, files: Iterable<GuestFile>): Promise<void> {
  for (const file of files) {
    const added = new Promise<void>((resolve, reject) => {
      const entry = archive.entry(headerOf(file), (error) => (error ? reject(error) : resolve()));
      if (file.kind !== 'file') return;
      const write = async (): Promise<void> => {
        for (const piece of piecesOf(file)) if (!entry.write(piece)) await once(entry, 'drain');
        entry.end(null);
      };
      write().catch(reject);
    });
    await added;
  }
  archive.finalize();
}

/** What a tar header has room for, seconds: guests may say any time of a file. */
const LATEST_S = 8n ** 11n - 1n;

function headerOf(file: GuestFile): Partial<Header> & Pick<Header, 'name'> {
  const { mode, uid, gid } = file;
  const seconds = file.modifiedNs / 1_000_000_000n;
  const mtime = new Date(Number(seconds < 0n ? 0n : seconds > LATEST_S ? LATEST_S : seconds) * 1000);
  const common = { name: textOf(file.path), mode, uid, gid, mtime };
  if (file.kind === 'directory') return { ...common, type: 'directory' };
  if (file.kind === 'symlink') return { ...common, type: 'symlink', linkname: textOf(file.target) };
  return { ...common, type: 'file', size: file.sizeBytes };
}

const textOf = (bytes: string): string => Buffer.from(bytes, 'latin1').toString();
