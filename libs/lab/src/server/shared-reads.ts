/**
 * Lets callers that ask for the same at the same time share one answer. Hundreds of watchers of one console are woken
 * together and want the same chunks: they are read and decoded once.
 *
 * An answer is shared while it is on its way and while nothing new was announced: whoever asks after an announcement gets
 * an answer that was looked up after it.
 */
export class SharedReads<T> {
  private readonly onTheirWay = new Map<string, { version: number; answer: Promise<T> }>();

  /**
   * @param key what is asked for
   * @param version how often something new was announced for it
   */
  get(key: string, version: number, read: () => Promise<T>): Promise<T> {
    const known = this.onTheirWay.get(key);
    if (known?.version === version) return known.answer;
    const answer = read();
    const entry = { version, answer };
    this.onTheirWay.set(key, entry);
    const forget = (): void => {
      if (this.onTheirWay.get(key) === entry) this.onTheirWay.delete(key);
    };
    answer.then(forget, forget);
    return answer;
  }
}
