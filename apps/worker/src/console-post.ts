import { ConsoleCoalescer, type ConsoleSpan } from '@bootlab/lab';
import type { ConsoleCredit, FromBoard } from './protocol.js';

const POST_BYTES = 64 * 1024;

/**
 * What a run prints on its way to the host: collected into messages of a good size, and held back while the host owes the
 * store too much.
 */
export class ConsolePost {
  private spans: ConsoleSpan[] = [];
  private pendingBytes = 0;
  private readonly coalescer = new ConsoleCoalescer((span) => {
    this.spans.push(span);
    this.pendingBytes += span.data.length;
    if (this.pendingBytes >= POST_BYTES) this.post();
  });

  /** @param send hands a message to the host */
  constructor(
    private readonly credit: ConsoleCredit,
    private readonly send: (message: FromBoard) => void,
  ) {}

  push(uart: string, tNs: number, data: Uint8Array): void {
    this.coalescer.push(uart, tNs, data);
  }

  /** Posts what is older than the coalescer waits for more. @param nowNs virtual time */
  advance(nowNs: number): void {
    this.coalescer.advance(nowNs);
    this.post();
  }

  /** Posts everything: the run is over. */
  flush(): void {
    this.coalescer.flush();
    this.post();
  }

  private post(): void {
    if (this.spans.length === 0) return;
    const sizeBytes = this.pendingBytes;
    this.send({ type: 'console', spans: this.spans, sizeBytes });
    this.spans = [];
    this.pendingBytes = 0;
    this.credit.spend(sizeBytes);
  }
}
