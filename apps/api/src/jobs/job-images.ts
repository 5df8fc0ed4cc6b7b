import { HttpStatus, Injectable } from '@nestjs/common';
import { parseImageReference, type Image, type ImageRole, type JobSpec } from '@bootlab/lab';
import type { Principal, StagedFile } from '@bootlab/lab/server';
import { ImagesService } from '../images/images.service.js';
import { invalidField, invalidFields } from '../problem/problem.js';

/** One use of an image in a spec: a stored image, or a file that came with the request. */
export interface ImageUse {
  readonly role: ImageRole;
  readonly position: number;
  /** Path of the reference in the spec. */
  readonly field: string;
  readonly source: { image: Image } | { upload: string; file: StagedFile };
}

interface Reference {
  role: ImageRole;
  position: number;
  field: string;
  text: string;
}

function referencesOf({ images }: JobSpec): Reference[] {
  const single = (['kernel', 'initrd', 'firmware'] as const).flatMap((role) => {
    const text = images[role];
    return text === undefined ? [] : [{ role, position: 0, field: `images.${role}`, text }];
  });
  const drives = (images.drives ?? []).map((text, position) => ({
    role: 'drive' as const,
    position,
    field: `images.drives[${position}]`,
    text,
  }));
  return [...single, ...drives];
}

/** Finds what the image references of a spec mean. */
@Injectable()
export class JobImages {
  constructor(private readonly images: ImagesService) {}

  async resolve(principal: Principal, spec: JobSpec, files: ReadonlyMap<string, StagedFile>): Promise<ImageUse[]> {
    const uses: ImageUse[] = [];
    for (const reference of referencesOf(spec)) uses.push(await this.resolveOne(principal, reference, files));
    this.refuseUnused(uses, files);
    return uses;
  }

  /** Stores the uploads among the uses; what comes back are stored images only, each with its digest. */
  async store(principal: Principal, uses: readonly ImageUse[]): Promise<(ImageUse & { source: { image: Image } })[]> {
    const byUpload = new Map<string, Image>();
    const stored: (ImageUse & { source: { image: Image } })[] = [];
    for (const use of uses) {
      if ('image' in use.source) {
        stored.push({ ...use, source: use.source });
        continue;
      }
      const { upload, file } = use.source;
      const image = byUpload.get(upload) ?? (await this.images.store(principal, [file]))[0];
      if (!image) throw new Error(`Storing ${upload} gave no image`);
      byUpload.set(upload, image);
      stored.push({ ...use, source: { image } });
    }
    return stored;
  }

  /** Where the bytes of a use lie on this host. */
  path(use: ImageUse): Promise<string> {
    return 'image' in use.source ? this.images.localPath(use.source.image) : Promise.resolve(use.source.file.path);
  }

  sizeBytes(use: ImageUse): number {
    return 'image' in use.source ? use.source.image.sizeBytes : use.source.file.sizeBytes;
  }

  private async resolveOne(
    principal: Principal,
    { text, ...place }: Reference,
    files: ReadonlyMap<string, StagedFile>,
  ): Promise<ImageUse> {
    const source = parseImageReference(text);
    if (!source) throw invalidField(place.field, `"${text}" does not name an image`, 'See JobSpec in /api/docs.');
    if (source.kind === 'file') {
      const mend = 'Send the file in the same request and name its field: upload:<field>.';
      throw invalidField(place.field, `${text} is a path, and this lab does not see your files`, mend);
    }
    if (source.kind === 'upload') {
      const file = files.get(source.field);
      if (file) return { ...place, source: { upload: source.field, file } };
      throw invalidField(
        place.field,
        `This request has no file in a field "${source.field}"`,
        `Send a multipart form with the spec in the field "spec" and the file in the field "${source.field}".`,
      );
    }
    const image = await this.images.resolve(principal, source);
    if (image) return { ...place, source: { image } };
    const mend =
      source.kind === 'builtin'
        ? `Built-in images are: ${this.images.builtinNames().join(', ') || 'none'}.`
        : 'Upload it first (POST /api/v1/images), or in the same request with upload:<field>.';
    throw invalidField(place.field, `There is no image ${text}`, mend, HttpStatus.UNPROCESSABLE_ENTITY);
  }

  private refuseUnused(uses: readonly ImageUse[], files: ReadonlyMap<string, StagedFile>): void {
    const used = new Set(uses.flatMap(({ source }) => ('upload' in source ? [source.upload] : [])));
    const unused = [...files.keys()].filter((field) => !used.has(field));
    if (unused.length === 0) return;
    throw invalidFields(
      unused.map((field) => ({
        field,
        message: 'The spec does not use this file',
        mend: `Name it as upload:${field} in images, or leave it out.`,
      })),
    );
  }
}
