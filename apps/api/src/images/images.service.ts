import { createHash } from 'node:crypto';
import { open, readFile } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { Injectable } from '@nestjs/common';
import { boardCatalogue, inspectImage, selfTestFirmware } from '@bootlab/emulator';
import type { Image, ImagePage, ImageSource } from '@bootlab/lab';
import { ImageStore, type Inspection, type Principal, type StagedFile } from '@bootlab/lab/server';
import { notFound } from '../problem/problem.js';

// Above this size only the head of a file is inspected: disks carry their type there.
const INSPECT_WHOLE_BYTES = 2 ** 28;
const INSPECT_HEAD_BYTES = 2 ** 20;

const BUILTIN_SELF_TEST = /^(.+)-selftest-(el|eb)$/;

/** The image library: stored, staged and built-in images. */
@Injectable()
export class ImagesService {
  constructor(private readonly images: ImageStore) {}

  list(principal: Principal, query: { cursor?: string | undefined; limit: number }): Promise<ImagePage> {
    return this.images.list(principal.projectId, query);
  }

  /** @param reference an image id, or sha256:<hex> */
  async get(principal: Principal, reference: string): Promise<Image> {
    const which = reference.startsWith('sha256:') ? { sha256: reference.slice('sha256:'.length) } : { id: reference };
    const image =
      isUuid(reference) || 'sha256' in which ? await this.images.find(principal.projectId, which) : undefined;
    if (!image) throw notFound(`image "${reference}"`);
    return image;
  }

  /** Stores uploaded files as images, typed by looking into them. */
  async store(principal: Principal, files: readonly StagedFile[]): Promise<Image[]> {
    const stored: Image[] = [];
    for (const file of files) {
      stored.push(await this.images.commit(principal.projectId, file, await inspectFile(file)));
    }
    return stored;
  }

  /** The stored image that a reference names; uploads are not stored yet and not looked for here. */
  async resolve(
    principal: Principal,
    source: Exclude<ImageSource, { kind: 'upload' | 'file' }>,
  ): Promise<Image | undefined> {
    switch (source.kind) {
      case 'digest':
        return this.images.find(principal.projectId, { sha256: source.sha256 });
      case 'id':
        return this.images.find(principal.projectId, { id: source.id });
      case 'builtin':
        return this.builtin(principal, source.name);
    }
  }

  localPath(image: Image): Promise<string> {
    return this.images.localPath(image.sha256);
  }

  /** Names that builtin: accepts. */
  builtinNames(): string[] {
    return boardCatalogue()
      .filter((board) => board.selfTest)
      .flatMap((board) => board.byteOrders.map((order) => `${board.id}-selftest-${order === 'little' ? 'el' : 'eb'}`));
  }

  private async builtin(principal: Principal, name: string): Promise<Image | undefined> {
    const [, board, order] = BUILTIN_SELF_TEST.exec(name) ?? [];
    if (!board || !this.builtinNames().includes(name)) return undefined;
    const firmware = selfTestFirmware(board, order === 'el' ? 'little' : 'big');
    const sha256 = createHash('sha256').update(firmware).digest('hex');
    const known = await this.images.find(principal.projectId, { sha256 });
    if (known) return known;
    const staged = await this.images.stage(Readable.from([Buffer.from(firmware)]), `${name}.elf`, firmware.length);
    const [image] = await this.store(principal, [staged]);
    return image;
  }
}

const isUuid = (text: string): boolean => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text);

export async function inspectFile(file: Pick<StagedFile, 'path' | 'sizeBytes'>): Promise<Inspection> {
  return inspectImage(file.sizeBytes <= INSPECT_WHOLE_BYTES ? await readFile(file.path) : await readHead(file.path));
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
