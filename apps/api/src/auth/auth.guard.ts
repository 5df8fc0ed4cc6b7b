import { createParamDecorator, Injectable, SetMetadata, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { TokenStore, type Principal } from '@bootlab/lab/server';
import type { FastifyRequest } from 'fastify';
import { ProblemError } from '../problem/problem.js';

const PUBLIC = 'public';

/** Marks a route that needs no token. */
export const Public = () => SetMetadata(PUBLIC, true);

type AuthenticatedRequest = FastifyRequest & { principal?: Principal };

/** The holder of the request's token. */
export const CurrentPrincipal = createParamDecorator((_: unknown, context: ExecutionContext): Principal => {
  const { principal } = context.switchToHttp().getRequest<AuthenticatedRequest>();
  if (!principal) throw new Error('CurrentPrincipal is used on a public route');
  return principal;
});

/** Lets in who brings a valid bearer token (RFC 6750). */
@Injectable()
export class AuthGuard implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
    private readonly tokens: TokenStore,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    if (this.reflector.getAllAndOverride<boolean>(PUBLIC, [context.getHandler(), context.getClass()])) return true;
    const request = context.switchToHttp().getRequest<AuthenticatedRequest>();
    const token = /^Bearer (\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
    if (!token) {
      throw new ProblemError(401, 'This needs a token', [
        {
          field: 'authorization',
          message: 'The header is missing or not a bearer token',
          mend: 'Send "Authorization: Bearer <token>"; the lab prints its token when it starts.',
        },
      ]);
    }
    const principal = await this.tokens.authenticate(token);
    if (!principal) throw wrongToken();
    request.principal = principal;
    return true;
  }
}

export function wrongToken(): ProblemError {
  return new ProblemError(401, 'This token is not valid', [
    {
      field: 'authorization',
      message: 'Unknown or revoked token',
      mend: 'Use the token that the lab prints at start.',
    },
  ]);
}
