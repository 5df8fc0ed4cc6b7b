import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { HttpStatus, Injectable } from '@nestjs/common';
import { boardCatalogue, selfTestFirmware } from '@bootlab/emulator';
import {
  parseSelfTestName,
  selfTestName,
  type Image,
  type ImageChange,
  type ImagePage,
  type ImageRetention,
  type ImageSource,
} from '@bootlab/lab';
import { ImageInUseError, ImageStore, type Principal, type StagedFile } from '@bootlab/lab/server';
import { notFound, ProblemError } from '../problem/problem.js';
import { inspectFile } from './inspect-file.js';

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

  async change(principal: Principal, id: string, change: ImageChange): Promise<Image> {
    const image = isUuid(id) ? await this.images.change(principal.projectId, id, change) : undefined;
    if (!image) throw notFound(`image "${id}"`);
    return image;
  }

  async remove(principal: Principal, id: string): Promise<void> {
    try {
      if (isUuid(id) && (await this.images.remove(principal.projectId, id))) return;
    } catch (error) {
      if (!(error instanceof ImageInUseError)) throw error;
      throw new ProblemError(HttpStatus.CONFLICT, `${error.message}: cancel it, or wait for its end`);
    }
    throw notFound(`image "${id}"`);
  }

  /** The bytes of an image; those of a removed one may be gone. */
  async content(principal: Principal, reference: string): Promise<{ image: Image; bytes: Readable }> {
    const image = await this.get(principal, reference);
    if (image.removedAt !== null) throw notFound(`image "${reference}": it was removed from the library`);
    return { image, bytes: await this.images.read(image.sha256) };
  }

  async retention(principal: Principal): Promise<ImageRetention> {
    return { days: await this.images.retentionDays(principal.projectId) };
  }

  async setRetention(principal: Principal, { days }: ImageRetention): Promise<ImageRetention> {
    await this.images.setRetentionDays(principal.projectId, days);
    return { days };
  }

  /** Stores uploaded files as images, typed by looking into them. */
  async store(principal: Principal, files: readonly StagedFile[]): Promise<Image[]> {
    const stored: Image[] = [];
    for (const file of files) {
      stored.push(await this.images.commit(principal.projectId, file, await inspectFile(file), 'Uploaded'));
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
        return this.images.use(principal.projectId, { sha256: source.sha256 });
      case 'id':
        return this.images.use(principal.projectId, { id: source.id });
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
      .flatMap((board) => board.byteOrders.map((order) => selfTestName(board.id, order)));
  }

  private async builtin(principal: Principal, name: string): Promise<Image | undefined> {
    const selfTest = parseSelfTestName(name);
    if (!selfTest || !this.builtinNames().includes(name)) return undefined;
    const firmware = selfTestFirmware(selfTest.board, selfTest.byteOrder);
    const sha256 = createHash('sha256').update(firmware).digest('hex');
    const known = await this.images.use(principal.projectId, { sha256 });
    if (known) return known;
    const staged = await this.images.stage(Readable.from([Buffer.from(firmware)]), `${name}.elf`, firmware.length);
    return this.images.commit(principal.projectId, staged, await inspectFile(staged), 'Built into the lab');
  }
}

export const isUuid = (text: string): boolean => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text);
