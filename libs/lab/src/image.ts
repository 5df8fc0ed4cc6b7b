import { z } from 'zod';

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
  })
  .meta({ id: 'Image' });
export type Image = z.infer<typeof imageSchema>;

/** The part an image plays in a job. */
export const imageRoleSchema = z.enum(['kernel', 'initrd', 'firmware', 'drive', 'upload']);
export type ImageRole = z.infer<typeof imageRoleSchema>;

const DIGEST = /^sha256:[0-9a-f]{64}$/;
const UPLOAD = /^upload:[A-Za-z0-9_.-]{1,100}$/;
const BUILTIN = /^builtin:[a-z0-9][a-z0-9-]{0,60}$/;
// With ./, ../ or / in front, as in a shell: a bare word is more likely a mistyped reference.
const FILE = /^\.{0,2}\/[^\0]+$/;
const ID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

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
  .describe('sha256:<hex>, upload:<multipart field>, builtin:<name> or an image id; in a local job file also ./path');
