import type { ConsolePort, InputQueue } from '../core/index.js';

/** A serial port's outside: output goes to the host, input comes from the machine's queue and waits here. */
export class InputConsole implements ConsolePort {
  readonly #waiting: Uint8Array[] = [];
  /** Bytes of the first chunk that were taken already. */
  #taken = 0;
  #listener: (() => void) | undefined;

  constructor(
    name: string,
    input: InputQueue,
    readonly transmit: (byte: number) => void,
  ) {
    input.attach(name, (data) => {
      if (data.length === 0) return;
      this.#waiting.push(data);
      this.#listener?.();
    });
  }

  get hasInput(): boolean {
    return this.#waiting.length > 0;
  }

  receive(): number {
    const chunk = this.#waiting[0];
    if (!chunk) return -1;
    const byte = chunk[this.#taken++] ?? -1;
    if (this.#taken >= chunk.length) {
      this.#waiting.shift();
      this.#taken = 0;
    }
    return byte;
  }

  onInput(listener: () => void): void {
    this.#listener = listener;
  }
}
