import type { Readable, Writable } from 'node:stream';
import { KeyFilter, KEYS_HELP } from './keys.js';

export interface TerminalStreams {
  stdin: Readable & { isTTY?: boolean; setRawMode?(raw: boolean): unknown };
  stdout: Writable & { isTTY?: boolean; columns?: number };
  stderr: Writable;
}

export interface TerminalEvents {
  /** Bytes typed for the guest. */
  typed(bytes: Uint8Array): void;
  /** The user asked to leave. */
  quit(): void;
  /** Nobody reads the output any more. */
  outputClosed(): void;
}

const NEWLINE = 0x0a;
const BUFFER_BYTES = 4096;

/**
 * The person's (or pipe's) end of the console. A real terminal is put into raw mode and has Bootlab's own keys; a pipe
 * is passed on as it is, and its end means nothing but that no more input comes.
 */
export class Terminal {
  private readonly raw: boolean;
  private atLineStart = true;
  private readonly buffer = new Uint8Array(BUFFER_BYTES);
  private buffered = 0;
  private readonly onData: (data: Uint8Array) => void;
  private readonly onOutputError: () => void;
  private readonly restore = (): void => void this.streams.stdin.setRawMode?.(false);

  constructor(
    private readonly streams: TerminalStreams,
    events: TerminalEvents,
  ) {
    const { stdin, stdout } = streams;
    this.raw = stdin.isTTY === true;
    const keys = new KeyFilter({ send: events.typed, quit: events.quit, help: () => this.note(KEYS_HELP.join('\n')) });
    this.onData = (data) => (this.raw ? keys.feed(data) : events.typed(data));
    this.onOutputError = events.outputClosed;

    if (this.raw) {
      stdin.setRawMode?.(true);
      process.once('exit', this.restore); // also when Bootlab itself breaks: a shell must not inherit raw mode
    }
    stdin.on('data', this.onData);
    stdin.on('error', ignore); // input that cannot be read is input that ended
    stdout.on('error', this.onOutputError);
  }

  /** Console output of the guest, byte for byte. Shown at the next {@link flush} or when much of it has gathered. */
  print(data: Uint8Array): void {
    for (const byte of data) {
      if (this.buffered === BUFFER_BYTES) this.flush();
      this.buffer[this.buffered++] = byte;
    }
  }

  /** Shows what was printed: boards print byte by byte, and a system call for each would slow them down. */
  flush(): void {
    if (this.buffered === 0) return;
    const data = this.buffer.slice(0, this.buffered); // a copy: the stream may keep it until the terminal takes it
    this.buffered = 0;
    this.atLineStart = data.at(-1) === NEWLINE;
    this.streams.stdout.write(data);
  }

  /** A message of Bootlab's own, on lines of its own, apart from the guest's output. */
  note(text: string): void {
    this.flush();
    const newline = this.raw ? '\r\n' : '\n';
    const lead = this.atLineStart ? '' : newline;
    this.streams.stderr.write(lead + text.replaceAll('\n', newline) + newline);
    this.atLineStart = true;
  }

  /** Gives the terminal back as it was and stops reading, so that the process can end. */
  close(): void {
    this.flush();
    const { stdin } = this.streams;
    stdin.off('data', this.onData);
    if (this.raw) {
      this.restore();
      process.off('exit', this.restore);
    }
    stdin.destroy(); // a paused pipe would keep the process alive until its other end closes
  }
}

const ignore = (): void => undefined;
