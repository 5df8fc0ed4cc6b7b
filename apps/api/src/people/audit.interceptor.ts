import {
  HttpException,
  Injectable,
  type CallHandler,
  type ExecutionContext,
  type NestInterceptor,
} from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { catchError, concatMap, type Observable } from 'rxjs';
import { AuditTrail } from '../auth/audit-trail.js';
import { ProblemError } from '../problem/problem.js';

/** Writes every changing act into the audit log before it is answered. */
@Injectable()
export class AuditInterceptor implements NestInterceptor {
  constructor(private readonly trail: AuditTrail) {}

  intercept(context: ExecutionContext, next: CallHandler<unknown>): Observable<unknown> {
    const reply = context.switchToHttp().getResponse<FastifyReply>();
    return next.handle().pipe(
      concatMap(async (body) => {
        await this.trail.write(context, body, reply.statusCode);
        return body;
      }),
      catchError(async (error: unknown) => {
        await this.trail.write(context, undefined, statusOf(error));
        throw error;
      }),
    );
  }
}

function statusOf(error: unknown): number {
  if (error instanceof ProblemError) return error.status;
  return error instanceof HttpException ? error.getStatus() : 500;
}
