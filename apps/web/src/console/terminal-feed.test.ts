import { describe, expect, it } from '@jest/globals';
import { ConsoleStream } from './console-stream.js';
import { TerminalFeed } from './terminal-feed.js';

/** A terminal that draws only when told to. */
class SlowSink {
  readonly written: string[] = [];
  private done: (() => void) | undefined;

  write(data: Uint8Array, done: () => void): void {
    expect(this.done).toBeUndefined();
    this.written.push(new TextDecoder().decode(data));
    this.done = done;
  }

  draw(): void {
    const done = this.done;
    this.done = undefined;
    done?.();
  }
}

function streamOf(...parts: [uart: string, text: string][]): ConsoleStream {
  const stream = new ConsoleStream({ jobId: 'j', project: undefined, onJob: () => undefined });
  for (const [uart, text] of parts) {
    stream.chunks.push({ seq: stream.chunks.length, uart, tNs: 0, data: new TextEncoder().encode(text) });
  }
  return stream;
}

describe('TerminalFeed', () => {
  it('writes one console only, at the pace of the terminal, and drops nothing', () => {
    const stream = streamOf(['uart0', 'a'], ['uart1', 'x'], ['uart0', 'b'.repeat(70_000)], ['uart0', 'c']);
    const sink = new SlowSink();
    const feed = new TerminalFeed(stream, 'uart0', sink);
    expect(sink.written).toHaveLength(1);
    sink.draw();
    sink.draw();
    expect(sink.written.join('')).toBe(`a${'b'.repeat(70_000)}c`);
    feed.close();
  });
});
