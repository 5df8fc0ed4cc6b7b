import { z } from 'zod';
import { PatternError, ConsolePattern, MAX_PATTERN_LENGTH } from '../pattern.js';
import { fieldPath, type FieldError } from '../problem.js';
import { DURATION_PATTERN, parseDuration, parseSize, SIZE_PATTERN, UnitError } from '../units.js';

/** As much as JSON Schema can say of a text that a function checks. */
interface Looks {
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
}

/** A string that `parse` accepts; its error and mend become the field's. */
export function parsedString(parse: (text: string) => unknown, looks: Looks) {
  return z
    .string()
    .superRefine((value, context) => {
      try {
        parse(value);
      } catch (error) {
        if (!(error instanceof UnitError || error instanceof PatternError)) throw error;
        context.addIssue({ code: 'custom', message: error.message, params: { mend: error.mend } });
      }
    })
    .meta({ ...looks });
}

export const sizeField = () => parsedString(parseSize, { pattern: SIZE_PATTERN });

/** What a person calls something. */
export const nameField = () => z.string().trim().min(1).max(200).meta({ pattern: '\\S' });

const MAX_TIME = '24h';

/** A duration of virtual or host time, at most a day. */
export const durationField = () =>
  parsedString(
    (text) => {
      if (parseDuration(text) > parseDuration(MAX_TIME)) {
        throw new UnitError(`"${text}" is longer than a job may run`, `Use at most ${MAX_TIME}.`);
      }
    },
    { pattern: DURATION_PATTERN },
  );

/** A regular expression for a console. */
export const patternField = () =>
  parsedString((text) => new ConsolePattern(text), { minLength: 1, maxLength: MAX_PATTERN_LENGTH }).describe(
    `Regular expression (RE2 syntax, at most ${MAX_PATTERN_LENGTH} characters)`,
  );

const ARTIFACT_NAME = /^[A-Za-z0-9_][A-Za-z0-9_.-]*$/;

/** A file name without folders: what a guest or a spec names never leaves the folder of the results. */
export const artifactNameField = () =>
  z
    .string()
    .max(100)
    .superRefine((value, context) => {
      if (ARTIFACT_NAME.test(value)) return;
      context.addIssue({
        code: 'custom',
        message: `"${value}" cannot be the name of an artifact`,
        params: { mend: 'Use letters, digits, ".", "_" and "-", and do not begin with "." or "-".' },
      });
    })
    .meta({ pattern: ARTIFACT_NAME.source });

/** Text of a query: whatever it is, a database can look for it. */
export const searchField = (maxLength: number) =>
  z
    .string()
    .max(maxLength)
    .refine((text) => !UNSTORABLE.test(text), { message: 'This text has a NUL, or half a character, in it' });

// What neither text nor JSON of PostgreSQL can hold.
const UNSTORABLE = /\0|\p{Surrogate}/u;

/** Texts of a value, keys included, that a lab cannot store. @param path where the value stands, for the errors */
export function unstorableTexts(value: unknown, path: readonly PropertyKey[] = []): FieldError[] {
  if (typeof value === 'string' && UNSTORABLE.test(value)) {
    const message = 'The text has a NUL, or half a character, in it, and a lab cannot store that';
    return [{ field: fieldPath(path), message, mend: 'Leave it out; in a command, printf can make any byte.' }];
  }
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, item]) => [
    ...(UNSTORABLE.test(key) ? unstorableTexts(key, path) : []),
    ...unstorableTexts(item, [...path, Array.isArray(value) ? Number(key) : key]),
  ]);
}
