const ESC = '\x1b';
const BEL = '\x07';
// A sequence longer than this is none, or one that a hostile guest never ends.
const LONGEST_SEQUENCE = 1024;

/**
 * Takes escape sequences (ECMA-48: CSI, OSC and the other strings, charset selection) out of a stream of characters:
 * colours, cursor movement, window titles, bracketed paste. A line's end ends any sequence, so nothing printed can
 * swallow what follows it.
 */
export class EscapeFilter {
  private state: 'text' | 'escape' | 'csi' | 'string' | 'string-escape' | 'one-more' = 'text';
  private length = 0;

  /** Whether this character is text. */
  keep(character: string): boolean {
    if (this.state === 'text') {
      if (character !== ESC) return true;
      this.state = 'escape';
      this.length = 0;
      return false;
    }
    this.length += 1;
    if (character === '\n' || this.length > LONGEST_SEQUENCE) {
      this.state = 'text';
      return true;
    }
    this.state = this.next(character);
    return false;
  }

  private next(character: string): EscapeFilter['state'] {
    const code = character.charCodeAt(0);
    switch (this.state) {
      case 'escape':
        if (character === '[') return 'csi';
        if (character === ']' || character === 'P' || character === 'X' || character === '^' || character === '_') {
          return 'string';
        }
        // Intermediate bytes (0x20–0x2f): ESC ( B and the like have a final byte still to come.
        return code >= 0x20 && code <= 0x2f ? 'one-more' : 'text';
      case 'csi':
        return code >= 0x40 && code <= 0x7e ? 'text' : 'csi';
      case 'string':
        if (character === BEL) return 'text';
        return character === ESC ? 'string-escape' : 'string';
      case 'string-escape':
        return character === '\\' ? 'text' : 'string';
      case 'one-more':
      case 'text':
        return 'text';
    }
  }
}
