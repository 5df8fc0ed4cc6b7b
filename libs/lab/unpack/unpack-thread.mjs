// Unpacks one file: the entry of the thread that `server/unpack.ts` starts. Plain JavaScript, because a thread runs what
// lies on the disk, and unit tests run the sources. A thread of its own, because the bytes are hostile and some decoders
// do not pause: the host ends it when its time is up, whatever it does.
import { createHash } from 'node:crypto';
import { closeSync, createReadStream, openSync, readSync, statSync, writeSync } from 'node:fs';
import { Readable } from 'node:stream';
import { parentPort, workerData } from 'node:worker_threads';
import * as zlib from 'node:zlib';
import { Decompress } from 'fzstd';
import Bunzip from 'seek-bzip';
import xz from 'xz-decompress';

/** @typedef {import('../src/server/unpack.ts').UnpackTask} UnpackTask */

// seek-bzip 2.0 still calls Buffer's old constructor, on sizes of its own.
process.noDeprecation = true;

const CHUNK_BYTES = 64 * 1024;
// fzstd decodes all of what it is given at once, and 4 bytes can stand for 128 KiB (RFC 8878, 3.1.1.2.2).
const FZSTD_CHUNK_BYTES = 4 * 1024;
const PROGRESS_BYTES = 8 * 2 ** 20;

class LimitError extends Error {}

/** The unpacked file: counts, digests, and stops what grows beyond its limits. */
class Output {
  #fd;
  #hash = createHash('sha256');
  #limits;
  #buffer = Buffer.alloc(CHUNK_BYTES);
  #buffered = 0;
  #toldAt = 0;
  sizeBytes = 0;

  /** @param {UnpackTask} task */
  constructor({ to, limits }) {
    this.#fd = openSync(to, 'wx');
    this.#limits = limits;
  }

  /** @param {Uint8Array} bytes */
  write(bytes) {
    this.sizeBytes += bytes.length;
    const { maxBytes, ratio, ratioFromBytes, packedBytes } = this.#limits;
    if (this.sizeBytes > maxBytes) throw new LimitError('size');
    if (this.sizeBytes > ratioFromBytes && this.sizeBytes > ratio * packedBytes) throw new LimitError('ratio');
    this.#hash.update(bytes);
    for (let done = 0; done < bytes.length;) done += writeSync(this.#fd, bytes, done);
    if (this.sizeBytes - this.#toldAt < PROGRESS_BYTES) return;
    this.#toldAt = this.sizeBytes;
    parentPort?.postMessage({ type: 'progress', sizeBytes: this.sizeBytes });
  }

  /** @param {number} byte */
  writeByte(byte) {
    this.#buffer[this.#buffered++] = byte;
    if (this.#buffered === this.#buffer.length) this.#flush();
  }

  #flush() {
    const full = this.#buffer.subarray(0, this.#buffered);
    this.#buffered = 0;
    this.write(full);
  }

  end() {
    if (this.#buffered > 0) this.#flush();
    closeSync(this.#fd);
    return { sizeBytes: this.sizeBytes, sha256: this.#hash.digest('hex') };
  }
}

/** The packed file, byte by byte, as seek-bzip reads. */
class ByteInput {
  #fd;
  #buffer = Buffer.alloc(CHUNK_BYTES);
  #position = 0;
  #end = 0;

  /** @param {string} file */
  constructor(file) {
    this.#fd = openSync(file, 'r');
  }

  /** @returns {boolean} */
  eof() {
    if (this.#position < this.#end) return false;
    this.#end = readSync(this.#fd, this.#buffer, 0, CHUNK_BYTES, null);
    this.#position = 0;
    return this.#end === 0;
  }

  /** The next byte. The library would take an end in the middle for ones. */
  readByte() {
    if (this.eof()) throw new Error('the file ends in the middle');
    return this.#buffer[this.#position++] ?? 0;
  }

  /** @param {Uint8Array} target @param {number} offset @param {number} length */
  read(target, offset, length) {
    for (let i = 0; i < length; i++) target[offset + i] = this.readByte();
    return length;
  }
}

/** @type {Record<import('../src/server/unpack.ts').PackedType, (file: string, output: Output) => Promise<void>>} */
const DECODERS = {
  async gzip(file, output) {
    await through(file, 0, zlib.createGunzip(), output);
  },
  async zstd(file, output) {
    const packedBytes = statSync(file).size;
    // Node has it since 22.15. It stops at the end of a frame; the file may have more of them (RFC 8878, 3).
    if (!('createZstdDecompress' in zlib)) return unzstd(file, output);
    for (let position = 0; position < packedBytes;) {
      const consumed = await through(file, position, /** @type {any} */ (zlib).createZstdDecompress(), output);
      if (consumed === 0) throw new Error('bytes after the end of the last frame');
      position += consumed;
    }
  },
  async xz(file, output) {
    const packed = Readable.toWeb(createReadStream(file, { highWaterMark: CHUNK_BYTES }));
    const unpacked = new xz.XzReadableStream(/** @type {any} */ (packed)); // DOM's and Node's types of one class
    for await (const chunk of Readable.fromWeb(/** @type {any} */ (unpacked))) output.write(chunk);
  },
  bzip2(file, output) {
    Bunzip.decode(new ByteInput(file), output, true);
    return Promise.resolve();
  },
};

/**
 * @param {string} file @param {number} start @param {import('node:zlib').Gunzip} decoder @param {Output} output
 * @returns {Promise<number>} bytes of the file that were used
 */
async function through(file, start, decoder, output) {
  const source = createReadStream(file, { start });
  source.on('error', (error) => decoder.destroy(error));
  for await (const chunk of source.pipe(decoder)) output.write(chunk);
  source.destroy();
  return decoder.bytesWritten;
}

/** @param {string} file @param {Output} output */
async function unzstd(file, output) {
  const decoder = new Decompress((chunk) => output.write(chunk));
  for await (const chunk of createReadStream(file, { highWaterMark: FZSTD_CHUNK_BYTES })) decoder.push(chunk);
  decoder.push(new Uint8Array(), true); // complains of a file that ends in the middle
}

const task = /** @type {UnpackTask} */ (workerData);
try {
  const output = new Output(task);
  await DECODERS[task.type](task.from, output);
  parentPort?.postMessage({ type: 'done', ...output.end() });
} catch (error) {
  const limit = error instanceof LimitError ? error.message : undefined;
  parentPort?.postMessage({ type: 'failed', limit, reason: error instanceof Error ? error.message : String(error) });
}
