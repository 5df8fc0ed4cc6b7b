/** Bad input from the user: names the field that is wrong and how to mend it. */
export class ConfigError extends Error {
  /**
   * @param field the input's name as the caller wrote it, for example `kernel` or `memoryBytes`
   * @param problem what is wrong, a sentence without its full stop
   * @param mend what to do about it, a sentence without its full stop
   */
  constructor(
    readonly field: string,
    readonly problem: string,
    readonly mend: string,
  ) {
    super(`${field}: ${problem}. ${mend}.`);
    this.name = 'ConfigError';
  }
}

/** A broken invariant of the emulator itself. Never caused by guest behaviour alone. */
export class EmulatorError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'EmulatorError';
  }
}

/** What was thrown, which may be anything. */
export const asError = (thrown: unknown): Error => (thrown instanceof Error ? thrown : new Error(String(thrown)));
