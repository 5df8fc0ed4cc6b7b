import { z } from 'zod';

/** One bad field: where it is, what is wrong with it, and what to do about it. */
export const fieldErrorSchema = z.object({
  field: z.string().describe('Path of the field, for example steps[2].expect'),
  message: z.string(),
  mend: z.string().describe('What to change'),
  line: z.number().int().optional().describe('Line in the job file, from 1'),
  column: z.number().int().optional().describe('Column in that line, from 1'),
});
export type FieldError = z.infer<typeof fieldErrorSchema>;

/** RFC 9457 problem details, with the bad fields beside it. */
export const problemSchema = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.number().int(),
    detail: z.string(),
    errors: z.array(fieldErrorSchema),
  })
  .meta({ id: 'Problem', description: 'RFC 9457 problem details (application/problem+json)' });
export type Problem = z.infer<typeof problemSchema>;

/** ['steps', 2, 'expect'] → "steps[2].expect" */
export function fieldPath(path: readonly PropertyKey[]): string {
  return path.reduce<string>(
    (text, key) => (typeof key === 'number' ? `${text}[${key}]` : text ? `${text}.${String(key)}` : String(key)),
    '',
  );
}

function mendOf(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.length === 1 ? 'Remove this key or correct its spelling.' : 'Remove these keys.';
    case 'invalid_type':
      return `Give a value of type ${issue.expected}.`;
    case 'invalid_value':
      return `Use one of: ${issue.values.map(String).join(', ')}.`;
    case 'too_big':
      return `Use at most ${String(issue.maximum)}.`;
    case 'too_small':
      return `Use at least ${String(issue.minimum)}.`;
    default:
      return 'See the description of this field in /api/docs.';
  }
}

/** Turns what zod found into field errors; a refinement may bring its own mend in `params.mend`. */
export function fieldErrorsOf(error: { issues: readonly z.core.$ZodIssue[] }, root = ''): FieldError[] {
  return error.issues.flatMap((issue) => {
    const path = root ? [root, ...issue.path] : issue.path;
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => ({
        field: fieldPath([...path, key]),
        message: 'Unknown key',
        mend: mendOf(issue),
      }));
    }
    const given = issue.code === 'custom' ? (issue.params?.['mend'] as unknown) : undefined;
    return [
      {
        field: fieldPath(path) || 'body',
        message: issue.message,
        mend: typeof given === 'string' ? given : mendOf(issue),
      },
    ];
  });
}
