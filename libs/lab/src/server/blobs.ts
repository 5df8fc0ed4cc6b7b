import type * as S3Module from '@aws-sdk/client-s3';
import { randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { access, copyFile, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';

/** Part of a blob, both ends included, counted from 0. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** Immutable bytes under a key. Putting the same key again is harmless: keys are digests or written once. */
export interface BlobStore {
  /** Folder for files on their way into the store. */
  readonly stagingDir: string;
  /** Takes over a file of the staging folder. */
  putFile(key: string, file: string): Promise<void>;
  put(key: string, bytes: Uint8Array): Promise<void>;
  has(key: string): Promise<boolean>;
  read(key: string, range?: ByteRange): Promise<Readable>;
  /** A file with the bytes of `key` on this host; not to be changed. */
  localPath(key: string): Promise<string>;
  delete(key: string): Promise<void>;
}

export const imageKey = (sha256: string): string => `images/${sha256.slice(0, 2)}/${sha256}`;
/** Where an artifact of a job lies; every attempt has its own. */
export const artifactKey = (jobId: string, attempt: number, name: string): string =>
  `artifacts/${jobId}/${attempt}/${name}`;
export const logKey = (jobId: string, firstSeq: number): string => `logs/${jobId}/${firstSeq}.jsonl.gz`;

/** `file:///var/lib/bootlab/blobs` or `s3://bucket/prefix?region=…&endpoint=…`. */
export async function openBlobStore(url: string): Promise<BlobStore> {
  const { protocol } = new URL(url);
  if (protocol === 'file:') return FileBlobStore.open(fileURLToPath(url));
  if (protocol === 's3:') return S3BlobStore.open(new URL(url));
  throw new Error(`BLOB_URL has the scheme ${protocol}; use file:///folder or s3://bucket/prefix`);
}

const exists = (file: string): Promise<boolean> =>
  access(file).then(
    () => true,
    () => false,
  );

class FileBlobStore implements BlobStore {
  private constructor(
    private readonly root: string,
    readonly stagingDir: string,
  ) {}

  static async open(root: string): Promise<FileBlobStore> {
    const stagingDir = path.join(root, 'staging');
    await mkdir(stagingDir, { recursive: true });
    return new FileBlobStore(root, stagingDir);
  }

  async putFile(key: string, file: string): Promise<void> {
    const target = this.fileOf(key);
    await mkdir(path.dirname(target), { recursive: true });
    await rename(file, target); // atomic: a reader sees the whole blob or none
  }

  async put(key: string, bytes: Uint8Array): Promise<void> {
    const staged = path.join(this.stagingDir, randomUUID());
    await writeFile(staged, bytes);
    await this.putFile(key, staged);
  }

  has(key: string): Promise<boolean> {
    return exists(this.fileOf(key));
  }

  async read(key: string, range?: ByteRange): Promise<Readable> {
    const file = this.fileOf(key);
    await access(file);
    return createReadStream(file, range);
  }

  async localPath(key: string): Promise<string> {
    const file = this.fileOf(key);
    await access(file);
    return file;
  }

  delete(key: string): Promise<void> {
    return rm(this.fileOf(key), { force: true });
  }

  private fileOf(key: string): string {
    return path.join(this.root, key);
  }
}

type S3 = typeof S3Module;

/** S3 or anything that speaks it; blobs are copied to a cache on this host when a file is needed. */
class S3BlobStore implements BlobStore {
  private constructor(
    private readonly s3: S3,
    private readonly client: InstanceType<S3['S3Client']>,
    private readonly bucket: string,
    private readonly prefix: string,
    readonly stagingDir: string,
    private readonly cacheDir: string,
  ) {}

  static async open(url: URL): Promise<S3BlobStore> {
    // Only labs on S3 pay for loading the SDK.
    const s3 = await import('@aws-sdk/client-s3');
    const endpoint = url.searchParams.get('endpoint');
    const client = new s3.S3Client({
      region: url.searchParams.get('region') ?? process.env['AWS_REGION'] ?? 'us-east-1',
      ...(endpoint && { endpoint, forcePathStyle: true }),
    });
    const base = path.join(process.env['BOOTLAB_CACHE'] ?? path.join(tmpdir(), 'bootlab'), url.hostname);
    const stagingDir = path.join(base, 'staging');
    const cacheDir = path.join(base, 'cache');
    await Promise.all([mkdir(stagingDir, { recursive: true }), mkdir(cacheDir, { recursive: true })]);
    const prefix = url.pathname.replace(/^\/|\/$/g, '');
    return new S3BlobStore(s3, client, url.hostname, prefix ? `${prefix}/` : '', stagingDir, cacheDir);
  }

  async putFile(key: string, file: string): Promise<void> {
    const { Upload } = await import('@aws-sdk/lib-storage');
    const params = { ...this.address(key), Body: createReadStream(file) };
    await new Upload({ client: this.client, params }).done();
    const cached = this.cacheFile(key);
    await mkdir(path.dirname(cached), { recursive: true });
    await rename(file, cached);
  }

  async put(key: string, bytes: Uint8Array): Promise<void> {
    await this.client.send(new this.s3.PutObjectCommand({ ...this.address(key), Body: bytes }));
  }

  async has(key: string): Promise<boolean> {
    try {
      await this.client.send(new this.s3.HeadObjectCommand(this.address(key)));
      return true;
    } catch (error) {
      if (error instanceof this.s3.NotFound) return false;
      throw error;
    }
  }

  async read(key: string, range?: ByteRange): Promise<Readable> {
    const part = range && { Range: `bytes=${range.start}-${range.end}` };
    const { Body } = await this.client.send(new this.s3.GetObjectCommand({ ...this.address(key), ...part }));
    if (!Body) throw new Error(`S3 answered without a body for ${key}`);
    return Body as Readable; // under Node the SDK always gives a Node stream
  }

  async localPath(key: string): Promise<string> {
    const cached = this.cacheFile(key);
    if (await exists(cached)) return cached;
    const staged = path.join(this.stagingDir, randomUUID());
    await pipeline(await this.read(key), createWriteStream(staged));
    await mkdir(path.dirname(cached), { recursive: true });
    await rename(staged, cached).catch(async () => {
      await copyFile(staged, cached); // another file system
      await rm(staged, { force: true });
    });
    return cached;
  }

  async delete(key: string): Promise<void> {
    await this.client.send(new this.s3.DeleteObjectCommand(this.address(key)));
    await rm(this.cacheFile(key), { force: true });
  }

  private address(key: string): { Bucket: string; Key: string } {
    return { Bucket: this.bucket, Key: this.prefix + key };
  }

  private cacheFile(key: string): string {
    return path.join(this.cacheDir, key);
  }
}
