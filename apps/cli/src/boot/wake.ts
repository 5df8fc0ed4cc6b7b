/** An alarm clock that input can ring early: how an idle board in wall-clock mode still answers a key at once. */
export class Wake {
  private ring: (() => void) | undefined;
  private rung = false;

  /** Resolves after `ms` host milliseconds, or as soon as {@link now} was called since the last wait. */
  async wait(ms: number): Promise<void> {
    if (!this.rung) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, ms);
        this.ring = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    this.rung = false;
    this.ring = undefined;
  }

  now(): void {
    this.rung = true;
    this.ring?.();
  }
}
