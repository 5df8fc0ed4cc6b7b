import { closeSync, writeSync } from 'node:fs';
import { TextDecoder } from 'node:util';
import { ConsoleCoalescer } from '@bootlab/lab';

/** One line of a `--log` file. */
export interface LogLine {
  /** Virtual time of the first byte, nanoseconds. */
  t: number;
  uart: string;
  data: string;
}

/**
 * Turns console bytes into log lines. Where a line ends depends on the guest alone, so the same run gives the same
 * lines; a character is never cut in two, and what is no UTF-8 becomes U+FFFD.
 */
export class ConsoleLines {
  private readonly decoders = new Map<string, { decoder: TextDecoder; lastNs: number }>();
  private readonly coalescer = new ConsoleCoalescer(({ uart, tNs, data }) => {
    const state = this.decoders.get(uart) ?? { decoder: new TextDecoder('utf-8', { ignoreBOM: true }), lastNs: tNs };
    state.lastNs = tNs;
    this.decoders.set(uart, state);
    this.line(uart, tNs, state.decoder.decode(data, { stream: true }));
  });

  constructor(private readonly emit: (line: LogLine) => void) {}

  push(uart: string, tNs: number, data: Uint8Array): void {
    this.coalescer.push(uart, tNs, data);
  }

  /** Ends the log: half a character that is still waiting for its rest becomes U+FFFD. */
  end(): void {
    this.coalescer.flush();
    for (const [uart, { decoder, lastNs }] of this.decoders) this.line(uart, lastNs, decoder.decode());
    this.decoders.clear();
  }

  private line(uart: string, t: number, data: string): void {
    if (data !== '') this.emit({ t, uart, data });
  }
}

/** Writes log lines into a file, each as soon as it is complete, so that a killed run leaves what it printed. */
export class ConsoleLogFile {
  private readonly lines = new ConsoleLines((line) => writeSync(this.fd, `${JSON.stringify(line)}\n`));

  /** @param fd open for writing; {@link close} closes it */
  constructor(private readonly fd: number) {}

  push(uart: string, tNs: number, data: Uint8Array): void {
    this.lines.push(uart, tNs, data);
  }

  close(): void {
    this.lines.end();
    closeSync(this.fd);
  }
}
