import type { Socket } from 'node:net';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { problemOf } from '../problem/problem.js';

const PROBLEMS: Readonly<Record<string, [status: number, reason: string, detail: string]>> = {
  HPE_HEADER_OVERFLOW: [431, 'Request Header Fields Too Large', 'The headers are larger than 16K together'],
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'Request Timeout', 'The headers did not come in time'],
};
const MALFORMED: [number, string, string] = [400, 'Bad Request', 'This is no HTTP request'];

/** Answers what the router refuses before there is a route: addresses that cannot be decoded. */
export function answerBadAddress(error: FastifyError, _request: FastifyRequest, reply: FastifyReply): void {
  const status = error.statusCode ?? 400;
  void reply.status(status).header('content-type', 'application/problem+json').send(problemOf(status, error.message));
}

/** Answers what Node's HTTP parser refuses: it never becomes a request that a route or a filter sees. */
export function answerClientError(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return;
  const [status, reason, detail] = PROBLEMS[error.code ?? ''] ?? MALFORMED;
  const body = JSON.stringify(problemOf(status, detail));
  if (socket.writable) {
    socket.write(
      `HTTP/1.1 ${status} ${reason}\r\nContent-Type: application/problem+json\r\n` +
        `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
    );
  }
  socket.destroySoon();
}
