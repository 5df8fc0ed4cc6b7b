import { createParamDecorator, SetMetadata, type ExecutionContext } from '@nestjs/common';
import type { Scope } from '@bootlab/lab';
import type { Identity, Principal } from '@bootlab/lab/server';
import type { FastifyRequest } from 'fastify';

/** What a route asks of whoever calls it; the guard enforces it. */
export const ACCESS = 'access';
export type Access = 'public' | 'identity' | Scope;

/** Lets in everybody. */
export const Public = () => SetMetadata(ACCESS, 'public' satisfies Access);

/** Lets in whoever says who he is; the route concerns no project. */
export const NeedsIdentity = () => SetMetadata(ACCESS, 'identity' satisfies Access);

/**
 * Lets in who has this scope in the project that the request is about: the one that the path has as `:project`, else the
 * one that the caller names or the only one he has. A route that says nothing needs `read` when it changes nothing (GET),
 * else `submit`.
 */
export const Needs = (scope: Scope) => SetMetadata(ACCESS, scope);

export type AuthenticatedRequest = FastifyRequest & { identity?: Identity; principal?: Principal };

/** Who calls. */
export const CurrentIdentity = createParamDecorator((_: unknown, context: ExecutionContext): Identity => {
  const { identity } = context.switchToHttp().getRequest<AuthenticatedRequest>();
  if (!identity) throw new Error('CurrentIdentity is used on a public route');
  return identity;
});

/** Who calls, in the project that the request is about. */
export const CurrentPrincipal = createParamDecorator((_: unknown, context: ExecutionContext): Principal => {
  const { principal } = context.switchToHttp().getRequest<AuthenticatedRequest>();
  if (!principal) throw new Error('CurrentPrincipal is used on a route without a project');
  return principal;
});
