// Carries one console's bytes from the stream into a terminal at the terminal's own pace: one write at a time, the next
// when the last is drawn. A guest that fills its console at full speed makes the feed fall behind, never drop a byte.
import type { ConsoleStream } from './console-stream.js';

const WRITE_BYTES = 64 * 1024;

export interface ByteSink {
  write(data: Uint8Array, done: () => void): void;
}

export class TerminalFeed {
  private readonly stream: ConsoleStream;
  private readonly uart: string;
  private readonly sink: ByteSink;
  private readonly unsubscribe: () => void;
  private nextChunk = 0;
  private writing = false;
  private closed = false;

  constructor(stream: ConsoleStream, uart: string, sink: ByteSink) {
    this.stream = stream;
    this.uart = uart;
    this.sink = sink;
    this.unsubscribe = stream.subscribe(() => this.pump());
    this.pump();
  }

  close(): void {
    this.closed = true;
    this.unsubscribe();
  }

  private pump(): void {
    if (this.writing || this.closed) return;
    const data = this.take();
    if (data === undefined) return;
    this.writing = true;
    this.sink.write(data, () => {
      this.writing = false;
      this.pump();
    });
  }

  /** The next bytes of this console, several chunks together up to the write size; undefined when all are written. */
  private take(): Uint8Array | undefined {
    const parts: Uint8Array[] = [];
    let length = 0;
    for (; this.nextChunk < this.stream.chunks.length && length < WRITE_BYTES; this.nextChunk++) {
      const chunk = this.stream.chunks[this.nextChunk];
      if (chunk?.uart !== this.uart) continue;
      parts.push(chunk.data);
      length += chunk.data.length;
    }
    if (parts.length <= 1) return parts[0];
    const joined = new Uint8Array(length);
    let at = 0;
    for (const part of parts) {
      joined.set(part, at);
      at += part.length;
    }
    return joined;
  }
}
