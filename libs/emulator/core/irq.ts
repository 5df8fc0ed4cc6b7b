/** Receives level changes of an interrupt (or any other) line. */
export type LineSink = (level: boolean) => void;

/**
 * One wire from a device's output to whoever listens. Level-triggered; a sink hears only changes. The board connects
 * it once; an unconnected line keeps its level.
 */
export class Line {
  #level = false;
  #sink: LineSink | undefined;

  constructor(readonly name: string) {}

  get level(): boolean {
    return this.#level;
  }

  connect(sink: LineSink): void {
    this.#sink = sink;
    if (this.#level) sink(true);
  }

  set(level: boolean): void {
    if (level === this.#level) return;
    this.#level = level;
    this.#sink?.(level);
  }
}
