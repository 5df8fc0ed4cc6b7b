import type { IncomingMessage } from 'node:http';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';

/** How fast a client must send the body of a request: so many bytes in every window. */
export interface BodyPace {
  windowMs: number;
  minBytes: number;
}

/** Slower than the slowest mobile network. */
export const BODY_PACE: BodyPace = { windowMs: 30_000, minBytes: 16 * 1024 };

const CHECKS_PER_WINDOW = 6;
const ANSWER = 'HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n';

/**
 * Hangs up on clients that trickle the body of a request to hold a connection and what it occupies. Node itself bounds
 * the time for headers only; a bound on the whole request would forbid large uploads over slow lines.
 */
export function refuseSlowBodies(app: NestFastifyApplication, pace: BodyPace = BODY_PACE): void {
  const sending = new Map<IncomingMessage, { sinceMs: number; bytes: number }>();
  const server = app.getHttpAdapter().getInstance();
  server.addHook('onRequest', (request, _reply, done) => {
    const { raw } = request;
    if (hasBody(raw)) {
      sending.set(raw, { sinceMs: performance.now(), bytes: raw.socket.bytesRead });
      raw.once('close', () => sending.delete(raw));
    }
    done();
  });
  const timer = setInterval(() => {
    for (const [raw, seen] of sending) {
      if (raw.complete || performance.now() - seen.sinceMs < pace.windowMs) continue;
      const { socket } = raw;
      if (socket.bytesRead - seen.bytes < pace.minBytes) {
        sending.delete(raw);
        socket.write(ANSWER);
        socket.destroySoon();
      } else {
        sending.set(raw, { sinceMs: performance.now(), bytes: socket.bytesRead });
      }
    }
  }, pace.windowMs / CHECKS_PER_WINDOW);
  server.addHook('onClose', (_instance, done) => {
    clearInterval(timer);
    done();
  });
}

const hasBody = ({ headers }: IncomingMessage): boolean =>
  headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
