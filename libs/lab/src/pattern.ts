import { RE2JS } from 're2js';

/** A pattern that cannot be used; `mend` says what to write instead. */
export class PatternError extends Error {
  override readonly name = 'PatternError';

  constructor(
    message: string,
    readonly mend: string,
  ) {
    super(message);
  }
}

/** Longest pattern accepted, in characters. */
export const MAX_PATTERN_LENGTH = 1000;

const METACHARACTERS = /[\\^$.|?*+()[\]{}]/;
// Syntax that can consume a newline: escapes other than the newline-free ones, negated classes, inline flags,
// and newlines themselves. Over-approximating only costs time.
const MAY_CROSS_LINES = /\n|\[\^|\\(?![dwSbB.$^|?*+()[\]{}/\\-])|\(\?[a-zA-Z-]*s/;
// Characters of unconsumed text that are searched, for patterns inside one line and for patterns across lines.
const LINE_WINDOW = 4096;
const MULTILINE_WINDOW = 8192;

/**
 * Searches a console for a regular expression, character by character, so that the result never depends on how the
 * console was cut into chunks. RE2 syntax (linear time: guest and pattern may both be hostile). `^` and `$` match at
 * line boundaries, and `$` also at the end of what has been printed so far: a console has no other end.
 */
export class ConsolePattern {
  /** Whether the text seen so far contains a match that was not there one character ago. */
  private readonly matches: (window: string) => boolean;
  private readonly crossesLines: boolean;
  private window = '';

  /** @throws PatternError */
  constructor(readonly source: string) {
    if (source.length === 0) throw new PatternError('The pattern is empty', 'Write the text to wait for.');
    if (source.length > MAX_PATTERN_LENGTH) {
      throw new PatternError('The pattern is too long', `Use at most ${MAX_PATTERN_LENGTH} characters.`);
    }
    this.crossesLines = MAY_CROSS_LINES.test(source);
    if (!METACHARACTERS.test(source)) {
      this.matches = (window) => window.endsWith(source);
      return;
    }
    let regexp: RE2JS;
    try {
      regexp = RE2JS.compile(source, RE2JS.MULTILINE);
    } catch (error) {
      const text = error instanceof Error ? error.message.replace('(?m)', '') : String(error);
      throw new PatternError(
        text.replace(/^error parsing regexp: /, 'Invalid regular expression: '),
        'Correct it (RE2 syntax: no look-around, no back-references), or put \\ before characters meant literally.',
      );
    }
    if (regexp.test('')) {
      throw new PatternError('The pattern matches the empty text', 'Name at least one character to wait for.');
    }
    this.matches = (window) => regexp.test(window);
  }

  /** Forgets all text seen so far. */
  reset(): void {
    this.window = '';
  }

  /** Takes one more character; true when the text since the last reset now contains a match. */
  push(character: string): boolean {
    const limit = this.crossesLines ? MULTILINE_WINDOW : LINE_WINDOW;
    if (character === '\n' && !this.crossesLines) {
      this.window = '';
      return false;
    }
    this.window += character;
    if (this.window.length > 2 * limit) this.window = this.window.slice(-limit);
    return this.matches(this.window);
  }
}
