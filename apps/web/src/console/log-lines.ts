// Console chunks as lines of text with the virtual time each line began: what the log page lists and searches.
// Escape sequences are left out (ECMA-48 5th ed., 5.4 control sequences, 5.6 control strings); what remains is plain text.
import type { ConsoleChunk } from './console-stream.js';

export interface LogLine {
  tNs: number;
  uart: string;
  text: string;
  /** Number of the line in its console's log, from 1, as results and reasons name it. A line that is cut keeps its own. */
  number: number;
}

/** A guest that never ends its line must not grow one string for ever: such a line is continued on the next. */
const LONGEST_LINE = 4096;

/* eslint-disable no-control-regex -- control characters are what these are about */
/** A character that a backspace takes back. */
const ERASED = /[^\x08]\x08/gu;
/** What is left of the control characters, tab excepted: nothing a line of text can show. */
const CONTROLS = /[\x00-\x08\x0a-\x1f\x7f]/g;
/* eslint-enable no-control-regex */

type EscapeState = 'text' | 'escape' | 'csi' | 'string' | 'string-escape';

interface PartialLine {
  decoder: TextDecoder;
  escape: EscapeState;
  text: string;
  tNs: number;
  /** A carriage return came: the next text starts the line again, as a progress display does. */
  returned: boolean;
  /** The line that is still being written, or undefined between lines. */
  open: LogLine | undefined;
  number: number;
  lines: LogLine[];
}

export class LogLines {
  /** Of all consoles, in the order in which they began. */
  readonly lines: LogLine[] = [];

  private readonly partial = new Map<string, PartialLine>();
  private taken = 0;

  /**
   * Takes chunks that came since the last call, at most about `budgetBytes` of them, so that a large log can be taken in
   * turns. Returns whether any line is new or longer, and whether chunks are left.
   */
  take(chunks: readonly ConsoleChunk[], budgetBytes = Infinity): { changed: boolean; more: boolean } {
    const before = this.taken;
    let bytes = 0;
    for (; this.taken < chunks.length && bytes < budgetBytes; this.taken++) {
      const chunk = chunks[this.taken];
      if (!chunk) continue;
      bytes += chunk.data.length;
      this.append(chunk);
    }
    return { changed: this.taken !== before, more: this.taken < chunks.length };
  }

  /** Lines of one console. */
  of(uart: string): readonly LogLine[] {
    return this.partial.get(uart)?.lines ?? [];
  }

  private append(chunk: ConsoleChunk): void {
    let partial = this.partial.get(chunk.uart);
    if (!partial) {
      const decoder = new TextDecoder();
      partial = { decoder, escape: 'text', text: '', tNs: 0, returned: false, open: undefined, number: 1, lines: [] };
      this.partial.set(chunk.uart, partial);
    }
    const text = this.withoutEscapes(partial, partial.decoder.decode(chunk.data, { stream: true }));
    for (let start = 0; ;) {
      const end = text.indexOf('\n', start);
      this.addToLine(partial, chunk, text.slice(start, end < 0 ? undefined : end));
      if (end < 0) break;
      this.show(partial, chunk);
      this.startLine(partial);
      partial.number += 1;
      start = end + 1;
    }
    if (partial.text !== '' || partial.open !== undefined) this.show(partial, chunk);
  }

  /** Adds text without line feeds; a carriage return before more text starts the line again. */
  private addToLine(partial: PartialLine, chunk: ConsoleChunk, text: string): void {
    for (const [at, part] of text.split('\r').entries()) {
      if (at > 0) partial.returned = true;
      if (part === '') continue;
      if (partial.returned) partial.text = '';
      partial.returned = false;
      if (partial.open === undefined && partial.text === '') partial.tNs = chunk.tNs;
      partial.text = withoutErased(partial.text + part).replace(CONTROLS, '');
      while (partial.text.length > LONGEST_LINE) {
        const rest = partial.text.slice(LONGEST_LINE);
        partial.text = partial.text.slice(0, LONGEST_LINE);
        this.show(partial, chunk);
        this.startLine(partial);
        partial.text = rest;
        partial.tNs = chunk.tNs;
      }
    }
  }

  private startLine(partial: PartialLine): void {
    partial.open = undefined;
    partial.text = '';
    partial.returned = false;
  }

  private show(partial: PartialLine, chunk: ConsoleChunk): void {
    if (partial.open === undefined) {
      if (partial.text === '') partial.tNs = chunk.tNs;
      partial.open = { tNs: partial.tNs, uart: chunk.uart, text: partial.text, number: partial.number };
      this.lines.push(partial.open);
      partial.lines.push(partial.open);
    } else partial.open.text = partial.text;
  }

  private withoutEscapes(partial: PartialLine, text: string): string {
    if (partial.escape === 'text' && !text.includes('\x1b')) return text;
    let kept = '';
    for (const character of text) if (!this.isEscape(partial, character)) kept += character;
    return kept;
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

function withoutErased(text: string): string {
  let left = text;
  for (let before = ''; left !== before;) {
    before = left;
    left = before.includes('\b') ? before.replace(ERASED, '') : before;
  }
  return left;
}
