/** Exit statuses of every command; `--help` and the README promise them. */
export const ExitCode = {
  /** The guest powered off, or did all that was expected. */
  pass: 0,
  /** It did not. */
  fail: 1,
  /** Bad option, bad image, bad board. */
  usage: 2,
  /** The fault is Bootlab's or this host's, and says nothing about the guest. */
  internal: 3,
} as const;

/** The shell's convention for a process that a signal ended. */
export const signalExitCode = (signalNumber: number): number => 128 + signalNumber;

/** A mistake in how the program was called; the message names the option and the mend. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** A lab refused, failed, or cannot be reached; `exitCode` says whose doing it is. */
export class LabError extends Error {
  override readonly name = 'LabError';

  constructor(
    message: string,
    readonly exitCode: number,
    /** HTTP status; undefined when there was no answer. */
    readonly status?: number,
  ) {
    super(message);
  }
}
