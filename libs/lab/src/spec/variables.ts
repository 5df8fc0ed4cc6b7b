import { fieldPath, type FieldError } from '../problem.js';
import type { Scalar } from './job-spec.js';

// Not the shell's own $NAME and ${NAME}: those belong to the guest.
const REFERENCE = /\$\{\{([^{}]{0,100})\}\}/g;
const MAX_TEXT_LENGTH = 64 * 1024;

export type Variables = Readonly<Record<string, Scalar>>;

/**
 * Replaces `${{ name }}` in every string of a value, keys excepted. A string that is nothing but one reference becomes
 * the variable's value with its type, so that `retries: ${{ n }}` is a number. Values are not read again for
 * references: nothing can grow without end.
 * @param path where the value stands, for the errors
 */
export function interpolate(
  value: unknown,
  variables: Variables,
  errors: FieldError[],
  path: readonly PropertyKey[] = [],
): unknown {
  if (typeof value === 'string') return interpolateText(value, variables, errors, path);
  if (Array.isArray(value)) return value.map((item, index) => interpolate(item, variables, errors, [...path, index]));
  if (typeof value !== 'object' || value === null) return value;
  // From entries, not by assignment: "__proto__" is a key like any other.
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, interpolate(item, variables, errors, [...path, key])]),
  );
}

function interpolateText(
  text: string,
  variables: Variables,
  errors: FieldError[],
  path: readonly PropertyKey[],
): Scalar {
  const complain = (message: string, mend: string): void => void errors.push({ field: fieldPath(path), message, mend });
  const valueOf = (name: string): Scalar | undefined => {
    const value = Object.hasOwn(variables, name) ? variables[name] : undefined;
    if (value === undefined) {
      const known = Object.keys(variables).join(', ') || 'none';
      complain(`There is no variable "${name}"`, `Declare it in variables. Declared are: ${known}.`);
    }
    return value;
  };
  const references = [...text.matchAll(REFERENCE)];
  const [only] = references;
  if (references.length === 1 && only?.[0] === text) return valueOf((only[1] ?? '').trim()) ?? text;
  const parts: string[] = [];
  let length = 0;
  let end = 0;
  const take = (part: string): void => {
    length += part.length;
    if (length <= MAX_TEXT_LENGTH) parts.push(part);
  };
  for (const reference of references) {
    take(text.slice(end, reference.index));
    take(String(valueOf((reference[1] ?? '').trim()) ?? ''));
    end = reference.index + reference[0].length;
  }
  take(text.slice(end));
  if (length > MAX_TEXT_LENGTH) {
    complain('The text is too long with its variables put in', `Keep it below ${MAX_TEXT_LENGTH} characters.`);
  }
  return parts.join('');
}
