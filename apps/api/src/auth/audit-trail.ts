import { Injectable, Logger, SetMetadata, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { AuditLog, type Origin } from '@bootlab/lab/server';
import type { FastifyRequest } from 'fastify';
import type { AuthenticatedRequest } from './access.js';

const UNAUDITED = 'unaudited';
const SAFE_METHODS: readonly string[] = ['GET', 'HEAD', 'OPTIONS'];

/** For routes that change nothing although their method says so, or whose acts are written down elsewhere. */
export const Unaudited = (reason: string) => SetMetadata(UNAUDITED, reason);

export const isChange = ({ method }: { method: string }): boolean => !SAFE_METHODS.includes(method);

/** Where a request comes from: the client's address, as trusted proxies tell it, and what it says it is. */
export const originOf = (request: FastifyRequest): Origin => ({
  address: request.ip,
  userAgent: request.headers['user-agent'] ?? '',
});

/** Writes requests that change something into the audit log. */
@Injectable()
export class AuditTrail {
  private readonly logger = new Logger('Audit');

  constructor(
    private readonly reflector: Reflector,
    private readonly audit: AuditLog,
  ) {}

  /**
   * Writes what a request did, or that it was refused for want of rights (403). What failed otherwise is no act. An act
   * is named after its controller and method: JobsController.submit is jobs.submit.
   * @param body what the request is answered
   */
  async write(context: ExecutionContext, body: unknown, status: number): Promise<void> {
    const request = context.switchToHttp().getRequest<AuthenticatedRequest>();
    const places = [context.getHandler(), context.getClass()];
    const unaudited = this.reflector.getAllAndOverride<string | undefined>(UNAUDITED, places) !== undefined;
    if (!isChange(request) || unaudited || (status >= 400 && status !== 403)) return;
    const { identity, principal } = request;
    const act = {
      projectId: principal?.projectId,
      actor: identity?.label ?? 'nobody',
      userId: identity?.userId,
      tokenId: identity?.tokenId,
      action: actionOf(context),
      target: targetOf(request, body),
      status,
      origin: originOf(request),
    };
    try {
      await this.audit.write(act);
    } catch (error) {
      // The act is done, and its answer must say so; the process log then is the record.
      this.logger.error(`Not written: ${JSON.stringify(act)}`, error instanceof Error ? error.stack : error);
    }
  }
}

function actionOf(context: ExecutionContext): string {
  const name = context.getClass().name.replace(/Controller$/, '');
  return `${name.charAt(0).toLowerCase()}${name.slice(1)}.${context.getHandler().name}`;
}

/** What the path names, else the ids of what the answer says was made. */
function targetOf(request: AuthenticatedRequest, body: unknown): string | undefined {
  const [named] = Object.values((request.params ?? {}) as Record<string, string>);
  if (named !== undefined) return named;
  const made = memberOf(body, 'token') ?? body;
  const items: unknown = memberOf(made, 'items');
  const ids = (Array.isArray(items) ? items : [made]).map((item) => memberOf(item, 'id'));
  const known = ids.filter((id) => typeof id === 'string');
  return known.length > 0 ? known.join(' ') : undefined;
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}
