/** A run of bytes from one UART; `tNs` is the virtual time of the first byte. */
export interface ConsoleSpan {
  uart: string;
  tNs: number;
  data: Uint8Array;
}

const WINDOW_NS = 5_000_000;
const MAX_BYTES = 4096;

/**
 * Joins the bytes of a console into chunks of a useful size. Where a chunk ends depends on virtual time, UART and
 * size alone, never on the host, so the same run gives the same chunks.
 */
export class ConsoleCoalescer {
  private uart = '';
  private firstNs = 0;
  private length = 0;
  private readonly buffer = new Uint8Array(MAX_BYTES);

  constructor(private readonly emit: (span: ConsoleSpan) => void) {}

  push(uart: string, tNs: number, data: Uint8Array): void {
    if (this.length > 0 && (uart !== this.uart || tNs > this.firstNs + WINDOW_NS)) this.flush();
    let offset = 0;
    while (offset < data.length) {
      if (this.length === 0) {
        this.uart = uart;
        this.firstNs = tNs;
      }
      const taken = Math.min(MAX_BYTES - this.length, data.length - offset);
      this.buffer.set(data.subarray(offset, offset + taken), this.length);
      this.length += taken;
      offset += taken;
      if (this.length === MAX_BYTES) this.flush();
    }
  }

  /** Emits the open chunk when no later byte could join it any more. */
  advance(nowNs: number): void {
    if (this.length > 0 && nowNs > this.firstNs + WINDOW_NS) this.flush();
  }

  /** Emits the open chunk now: at the end of a run, or when the guest waits for input anyway. */
  flush(): void {
    if (this.length === 0) return;
    const span = { uart: this.uart, tNs: this.firstNs, data: this.buffer.slice(0, this.length) };
    this.length = 0;
    this.emit(span);
  }
}
