import { z } from 'zod';
import { fieldErrorSchema } from './problem.js';

/** An immutable file in the lab: content-addressed, typed by inspection. */
export const imageSchema = z
  .object({
    id: z.string(),
    sha256: z.string().regex(/^[0-9a-f]{64}$/),
    name: z.string(),
    sizeBytes: z.number().int().nonnegative(),
    type: z.string().describe('What inspection found: elf, cpio, gzip, disk-raw, firmware-raw, …'),
    description: z.string(),
    arch: z.string().nullable(),
    byteOrder: z.enum(['little', 'big']).nullable(),
    bits: z.number().int().nullable(),
    entry: z.number().nullable(),
    createdAt: z.iso.datetime(),
    origin: z.string().nullable().describe('Where it came from, for a person to read'),
    kept: z.boolean().describe('Retention never removes it'),
    lastUsedAt: z.iso.datetime().describe('When it was last uploaded or named by a job'),
    removedAt: z.iso.datetime().nullable().describe('Since when it is no longer in the library; jobs still show it'),
  })
  .meta({ id: 'Image' });
export type Image = z.infer<typeof imageSchema>;

const MAX_NAME_LENGTH = 200;

/**
 * The last part of a path, without what would steer a terminal or another file system: how files from outside are
 * named. Names are shown and stored, never opened.
 */
export function imageName(given: string): string {
  const last = given.split(/[/\\]/).findLast((part) => part !== '' && part !== '.' && part !== '..') ?? '';
  const name = last.replace(/\p{C}/gu, '').trim().slice(0, MAX_NAME_LENGTH);
  return name === '' ? 'unnamed' : name;
}

const nameSchema = z.string().min(1).max(1000).transform(imageName);

export const digestSchema = z
  .string()
  .regex(/^(sha256:)?[0-9a-f]{64}$/, 'Not a SHA-256 digest')
  .transform((text) => text.replace(/^sha256:/, ''))
  .describe('sha256:<64 hex digits> of the file as it is sent');

const unpackSchema = z
  .boolean()
  .default(false)
  .describe('Unpack gzip, xz, Zstandard or bzip2, and store what is inside');

/** A download that the lab is asked to make. */
export const importRequestSchema = z
  .strictObject({
    url: z.string().max(4000).describe('http or https; hosts in private networks only where the operator allows them'),
    name: nameSchema.optional().describe('Default: the last part of the URL'),
    sha256: digestSchema.optional(),
    unpack: unpackSchema,
  })
  .meta({ id: 'ImportRequest' });
export type ImportRequest = z.output<typeof importRequestSchema>;

/** What a resumable upload says about itself in `Upload-Metadata`. */
export const uploadMetadataSchema = z.object({
  filename: nameSchema.default('unnamed'),
  sha256: digestSchema.optional(),
  unpack: z
    .enum(['0', '1', 'false', 'true'])
    .default('0')
    .transform((text) => text === '1' || text === 'true'),
});

/** What of an image may be changed. */
export const imageChangeSchema = z
  .strictObject({ name: nameSchema.optional(), kept: z.boolean().optional() })
  .meta({ id: 'ImageChange' });
export type ImageChange = z.output<typeof imageChangeSchema>;

/** How long a project keeps images that no job uses. */
export const imageRetentionSchema = z
  .strictObject({
    days: z.number().int().min(1).max(36_500).nullable().describe("null: the lab's default"),
  })
  .meta({ id: 'ImageRetention' });
export type ImageRetention = z.infer<typeof imageRetentionSchema>;

/** A file on its way into the library. */
export const imageTransferSchema = z
  .object({
    id: z.string(),
    kind: z.enum(['upload', 'import']),
    name: z.string(),
    url: z.string().nullable(),
    state: z
      .enum(['receiving', 'checking', 'stored', 'failed', 'cancelled'])
      .describe('checking: all bytes are there; they are digested, unpacked, and stored'),
    sizeBytes: z.number().int().nullable(),
    receivedBytes: z.number().int(),
    image: imageSchema.nullable().describe('What became of it'),
    errors: z.array(fieldErrorSchema).describe('Why it failed'),
    createdAt: z.iso.datetime(),
  })
  .meta({ id: 'ImageTransfer' });
export type ImageTransfer = z.infer<typeof imageTransferSchema>;

/** The part an image plays in a job. */
export const imageRoleSchema = z.enum(['kernel', 'initrd', 'firmware', 'drive', 'upload']);
export type ImageRole = z.infer<typeof imageRoleSchema>;

const DIGEST = /^sha256:[0-9a-f]{64}$/;
const UPLOAD = /^upload:[A-Za-z0-9_.-]{1,100}$/;
const BUILTIN = /^builtin:[a-z0-9][a-z0-9-]{0,60}$/;
// With ./, ../ or / in front, as in a shell: a bare word is more likely a mistyped reference.
const FILE = /^\.{0,2}\/[^\0]+$/;
const ID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** What an image reference looks like. */
export const IMAGE_REFERENCE_PATTERN = [DIGEST, UPLOAD, BUILTIN, ID, FILE].map(({ source }) => source).join('|');

export type ImageSource =
  | { kind: 'digest'; sha256: string }
  | { kind: 'upload'; field: string }
  | { kind: 'builtin'; name: string }
  | { kind: 'id'; id: string }
  /** A file beside the job file: means something only where the spec is read, never to a server. */
  | { kind: 'file'; path: string };

/** What an image reference in a job spec names; undefined when it is none. */
export function parseImageReference(reference: string): ImageSource | undefined {
  if (DIGEST.test(reference)) return { kind: 'digest', sha256: reference.slice('sha256:'.length) };
  if (UPLOAD.test(reference)) return { kind: 'upload', field: reference.slice('upload:'.length) };
  if (BUILTIN.test(reference)) return { kind: 'builtin', name: reference.slice('builtin:'.length) };
  if (ID.test(reference)) return { kind: 'id', id: reference };
  if (FILE.test(reference)) return { kind: 'file', path: reference };
  return undefined;
}

const SELF_TEST = /^(.+)-selftest-(el|eb)$/;

/** The name of the self-test firmware that comes with a board, as `builtin:` takes it. */
export const selfTestName = (board: string, byteOrder: 'little' | 'big'): string =>
  `${board}-selftest-${byteOrder === 'little' ? 'el' : 'eb'}`;

/** The board whose self-test a builtin image is, whether or not there is such a board; undefined for another name. */
export function parseSelfTestName(name: string): { board: string; byteOrder: 'little' | 'big' } | undefined {
  const [, board, order] = SELF_TEST.exec(name) ?? [];
  return board === undefined ? undefined : { board, byteOrder: order === 'el' ? 'little' : 'big' };
}

export const imageReferenceSchema = z
  .string()
  .max(1000)
  .superRefine((value, context) => {
    if (parseImageReference(value)) return;
    context.addIssue({
      code: 'custom',
      message: `"${value}" does not name an image`,
      params: {
        mend:
          'Use sha256:<64 hex digits>, upload:<multipart field>, builtin:<name>, the id of an image, ' +
          'or a path that begins with ./ or /.',
      },
    });
  })
  .meta({ pattern: IMAGE_REFERENCE_PATTERN })
  .describe('sha256:<hex>, upload:<multipart field>, builtin:<name> or an image id; in a local job file also ./path');
