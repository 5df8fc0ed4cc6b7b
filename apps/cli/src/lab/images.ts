import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Image, ImagePage, ImageTransfer } from '@bootlab/lab';
import { ExitCode, LabError, UsageError } from '../exit-codes.js';
import type { LabClient } from './client.js';
import { CATALOGUE, withCatalogueImages } from './debian.js';
import { columns, printable, sizeText, timeText, type Output } from './output.js';
import { stored, uploadFile } from './upload.js';

/** Prints the library, newest first. @returns the exit status */
export async function listImages(
  client: LabClient,
  { limit, json }: { limit: number; json: boolean },
  { out }: Output,
): Promise<number> {
  const { items } = await client.json<ImagePage>(`/images?limit=${limit}`);
  if (json) {
    out.write(`${JSON.stringify(items, null, 2)}\n`);
    return ExitCode.pass;
  }
  const rows = items.map((image) => [
    `sha256:${image.sha256.slice(0, 12)}`,
    image.type,
    sizeText(image.sizeBytes),
    timeText(image.createdAt),
    printable(image.name),
  ]);
  out.write(columns([['IMAGE', 'TYPE', 'SIZE', 'ADDED', 'NAME'], ...rows]));
  return ExitCode.pass;
}

export interface AddOptions {
  unpack: boolean;
  name?: string;
  /** Of the file as it is sent. */
  sha256?: string;
}

/**
 * Brings files, addresses and images of the catalogue into the library.
 * @returns the exit status
 * @throws UsageError, LabError
 */
export async function addImages(
  client: LabClient,
  sources: readonly string[],
  options: AddOptions,
  output: Output,
): Promise<number> {
  if (sources.length > 1 && (options.name !== undefined || options.sha256 !== undefined)) {
    throw new UsageError('--name and --sha256 are about one image. Add them one by one.');
  }
  for (const source of sources) {
    const images = await addOne(client, source, options, output);
    for (const image of images) output.out.write(`${image.name}  sha256:${image.sha256}\n`);
  }
  return ExitCode.pass;
}

async function addOne(client: LabClient, source: string, options: AddOptions, output: Output): Promise<Image[]> {
  if (Object.hasOwn(CATALOGUE, source)) {
    return withCatalogueImages(source, output, async (files) => {
      const images: Image[] = [];
      for (const { path, name } of files) images.push(await uploadFile(client, path, output, { name }));
      return images;
    });
  }
  const { name, unpack, sha256 } = options;
  if (/^https?:\/\//i.test(source)) {
    const request = {
      url: source,
      unpack,
      ...(name !== undefined && { name }),
      ...(sha256 !== undefined && { sha256 }),
    };
    const transfer = await client.post<ImageTransfer>('/images/imports', request);
    output.out.write(`${transfer.name}: the lab is downloading it\n`);
    return [await stored(client, transfer.id)];
  }
  return [
    await uploadFile(client, source, output, {
      unpack,
      ...(name !== undefined && { name }),
      ...(sha256 !== undefined && { sha256: bareDigest(sha256) }),
    }),
  ];
}

const bareDigest = (text: string): string => text.replace(/^sha256:/, '').toLowerCase();

/** @returns the exit status */
export async function removeImages(client: LabClient, references: readonly string[], { out }: Output): Promise<number> {
  for (const reference of references) {
    const { id, name } = await find(client, reference);
    await client.delete(`/images/${id}`);
    out.write(`${name}: removed\n`);
  }
  return ExitCode.pass;
}

/** Saves the bytes of an image. @returns the exit status */
export async function saveImage(client: LabClient, reference: string, file: string, { out }: Output): Promise<number> {
  const image = await find(client, reference);
  const { body } = await client.request(`/images/${image.id}/content`);
  if (!body) throw new LabError('the lab answered without the bytes', ExitCode.internal);
  const source = Readable.fromWeb(body as Parameters<typeof Readable.fromWeb>[0]);
  await pipeline(source, createWriteStream(file)).catch((error: Error) => {
    throw new UsageError(`cannot write ${file}: ${error.message}`);
  });
  out.write(`${file}: ${sizeText(image.sizeBytes)}\n`);
  return ExitCode.pass;
}

const SHORT_DIGEST = /^(?:sha256:)?([0-9a-f]{8,63})$/;

/** An image by its id, its digest, or the beginning of its digest. @throws UsageError, LabError */
async function find(client: LabClient, reference: string): Promise<Image> {
  const short = SHORT_DIGEST.exec(reference)?.[1];
  if (short === undefined) return client.json<Image>(`/images/${encodeURIComponent(reference)}`);
  const found: Image[] = [];
  for (let cursor: string | null = ''; cursor !== null;) {
    const page: ImagePage = await client.json<ImagePage>(`/images?limit=200${cursor && `&cursor=${cursor}`}`);
    found.push(...page.items.filter(({ sha256 }) => sha256.startsWith(short)));
    cursor = page.nextCursor;
  }
  const [only, ...others] = found;
  if (!only) throw new UsageError(`there is no image whose digest begins with ${short}.`);
  if (others.length > 0) throw new UsageError(`several images begin with ${short}. Write more digits of it.`);
  return only;
}
