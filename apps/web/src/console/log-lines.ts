// Console chunks as lines of text with the virtual time each line began: what the log page lists and searches.
// Escape sequences are left out (ECMA-48 5th ed., 5.4 control sequences, 5.6 control strings); what remains is plain text.
import type { ConsoleChunk } from './console-stream.js';

export interface LogLine {
  tNs: number;
  uart: string;
  text: string;
}

/** A guest that never ends its line must not grow one string for ever: such a line is continued on the next. */
const LONGEST_LINE = 4096;

type EscapeState = 'text' | 'escape' | 'csi' | 'string' | 'string-escape';

interface PartialLine {
  decoder: TextDecoder;
  escape: EscapeState;
  text: string;
  tNs: number;
  /** A carriage return came: the next text starts the line again, as a progress display does. */
  returned: boolean;
  /** Index of the line that is still being written, or undefined between lines. */
  index: number | undefined;
}

export class LogLines {
  readonly lines: LogLine[] = [];

  private readonly partial = new Map<string, PartialLine>();
  private taken = 0;

  /** Takes the chunks that came since the last call; returns true when any line is new or longer. */
  take(chunks: readonly ConsoleChunk[]): boolean {
    const before = this.taken;
    for (; this.taken < chunks.length; this.taken++) {
      const chunk = chunks[this.taken];
      if (chunk) this.append(chunk);
    }
    return this.taken !== before;
  }

  private append(chunk: ConsoleChunk): void {
    let partial = this.partial.get(chunk.uart);
    if (!partial) {
      partial = { decoder: new TextDecoder(), escape: 'text', text: '', tNs: 0, returned: false, index: undefined };
      this.partial.set(chunk.uart, partial);
    }
    for (const character of partial.decoder.decode(chunk.data, { stream: true })) {
      if (this.isEscape(partial, character)) continue;
      if (character === '\n') {
        this.show(partial, chunk);
        this.startLine(partial);
        continue;
      }
      if (character === '\r') partial.returned = true;
      else if (character === '\b') partial.text = partial.text.slice(0, -1);
      else if (character >= ' ' || character === '\t') {
        if (partial.returned) partial.text = '';
        partial.returned = false;
        if (partial.index === undefined && partial.text === '') partial.tNs = chunk.tNs;
        partial.text += character;
      }
      if (partial.text.length >= LONGEST_LINE) {
        this.show(partial, chunk);
        this.startLine(partial);
      }
    }
    if (partial.text !== '' || partial.index !== undefined) this.show(partial, chunk);
  }

  private startLine(partial: PartialLine): void {
    partial.index = undefined;
    partial.text = '';
    partial.returned = false;
  }

  private show(partial: PartialLine, chunk: ConsoleChunk): void {
    if (partial.index === undefined) {
      if (partial.text === '') partial.tNs = chunk.tNs;
      partial.index = this.lines.length;
      this.lines.push({ tNs: partial.tNs, uart: chunk.uart, text: partial.text });
      return;
    }
    this.lines[partial.index] = { tNs: partial.tNs, uart: chunk.uart, text: partial.text };
  }

  /** Steps the escape-sequence recogniser; true when the character belongs to a sequence and is no text. */
  private isEscape(partial: PartialLine, character: string): boolean {
    switch (partial.escape) {
      case 'text':
        if (character !== '\x1b') return false;
        partial.escape = 'escape';
        return true;
      case 'escape':
        if (character === '[') partial.escape = 'csi';
        else if (']PX^_'.includes(character)) partial.escape = 'string';
        else if (character < ' ' || character > '/') partial.escape = 'text';
        return true;
      case 'csi':
        if (character >= '@' && character <= '~') partial.escape = 'text';
        return true;
      case 'string':
        if (character === '\x1b') partial.escape = 'string-escape';
        // A string is ended by ST or BEL; a line end shows that its end was lost, and text must go on.
        else if (character === '\x07' || character === '\n') partial.escape = 'text';
        return character !== '\n';
      case 'string-escape':
        partial.escape = character === '\\' ? 'text' : 'string';
        return true;
    }
  }
}
