import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';

const CHECK_MS = 20_000;

/** An answer that may stay open for hours: a log that is followed, events, a console. */
export interface OpenAnswer {
  /** Asked again now: whether who gets it still may. */
  stillAllowed(): Promise<boolean>;
  end(): void;
}

/**
 * Ends open answers when the rights are gone that opened them: a token that was revoked or has expired, a session that
 * was ended, a member who was removed. Within `CHECK_MS` nobody sees more than a new request would show him.
 */
@Injectable()
export class RightsWatch implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly open = new Set<OpenAnswer>();
  private timer: NodeJS.Timeout | undefined;

  onApplicationBootstrap(): void {
    this.timer = setInterval(() => void this.check(), CHECK_MS);
  }

  onApplicationShutdown(): void {
    clearInterval(this.timer);
  }

  /** @returns to be called when the answer is complete */
  watch(answer: OpenAnswer): () => void {
    this.open.add(answer);
    return () => this.open.delete(answer);
  }

  async check(): Promise<void> {
    for (const answer of [...this.open]) {
      // Without an answer of the database nobody's rights are known to be gone; the next check asks again.
      const allowed = await answer.stillAllowed().catch(() => true);
      if (allowed || !this.open.delete(answer)) continue;
      answer.end();
    }
  }
}
