import type { FieldError } from '../problem.js';

// The emulator's configuration has its own field names; people know those of the job spec.
const SPEC_FIELDS: Readonly<Record<string, string>> = {
  kernel: 'images.kernel',
  initrd: 'images.initrd',
  firmware: 'images.firmware',
  drives: 'images.drives',
  memoryBytes: 'memory',
};

/** What the emulator found wrong with a configuration (its `ConfigError`), in the words of the job spec. */
export function fieldErrorOfConfig(error: { field: string; problem: string; mend: string }): FieldError {
  const field = error.field.replace(/^[A-Za-z]+/, (name) => SPEC_FIELDS[name] ?? name);
  return { field, message: error.problem, mend: `${error.mend}.` };
}
