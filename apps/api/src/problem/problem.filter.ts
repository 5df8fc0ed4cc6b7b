import { Catch, HttpException, Logger, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { isDatabaseAway, QuotaExceededError } from '@bootlab/lab/server';
import { problemOf, problemOfQuota, ProblemError } from './problem.js';

/** Clients that retry do so after this time. */
const RETRY_AFTER_SECONDS = 2;

/** Sends every error as application/problem+json; what is not the client's doing is logged and not shown. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  private readonly logger = new Logger('Api');

  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const reply = http.getResponse<FastifyReply>();
    const { method, url } = http.getRequest<FastifyRequest>();
    const problem = this.problem(error);
    if (problem.status >= 500 && !isHangUp(error))
      this.logger.error(`${method} ${url}`, error instanceof Error ? error.stack : error);
    if (reply.sent || reply.raw.headersSent) {
      reply.raw.destroy(); // the answer had begun: breaking it off is the only sign left
      return;
    }
    if (error instanceof ProblemError) void reply.headers(error.headers);
    if (problem.status === 503) void reply.header('retry-after', String(RETRY_AFTER_SECONDS));
    if (problem.status === 401) void reply.header('www-authenticate', 'Bearer');
    void reply.status(problem.status).header('content-type', 'application/problem+json').send(problem);
  }

  private problem(error: unknown) {
    if (error instanceof ProblemError) return error.toProblem();
    if (error instanceof QuotaExceededError) return problemOfQuota(error).toProblem();
    if (error instanceof HttpException) return problemOf(error.getStatus(), error.message);
    // Errors of Fastify itself (malformed JSON, body too large) carry a status and a message meant for clients.
    const status = statusOf(error);
    if (status !== undefined && status < 500) return problemOf(status, (error as Error).message);
    if (isDatabaseAway(error)) return problemOf(503, 'The lab cannot reach its database; try again in a moment');
    return problemOf(500, 'The lab failed to handle this request; its log says why');
  }
}

/** The client went away, or was sent away: nothing failed here, and nobody is left to be told. */
function isHangUp(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === 'ECONNRESET';
}

function statusOf(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('statusCode' in error)) return undefined;
  return typeof error.statusCode === 'number' ? error.statusCode : undefined;
}
