import { Inject, Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { Scope } from '@bootlab/lab';
import type { Principal } from '@bootlab/lab/server';
import type { FastifyReply } from 'fastify';
import { CONFIG, type ApiConfig } from '../config.token.js';
import { ProblemError } from '../problem/problem.js';
import { ACCESS, type Access, type AuthenticatedRequest } from './access.js';
import { AuditTrail, isChange } from './audit-trail.js';
import { Authenticator } from './authenticator.js';
import { RightsWatch } from './rights-watch.js';
import { isSameOrigin } from './same-origin.js';

export { CurrentPrincipal, Public } from './access.js';

/** Lets in who may do what he asks for: who he is, in which project, and whether his rights there suffice. */
@Injectable()
export class AuthGuard implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
    private readonly authenticator: Authenticator,
    private readonly trail: AuditTrail,
    private readonly rights: RightsWatch,
    @Inject(CONFIG) private readonly config: ApiConfig,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<AuthenticatedRequest>();
    try {
      await this.authorize(context, request);
      if (request.identity && !isChange(request)) this.watch(context, request);
      return true;
    } catch (error) {
      if (error instanceof ProblemError && error.status === 403) await this.trail.write(context, undefined, 403);
      throw error;
    }
  }

  private watch(context: ExecutionContext, request: AuthenticatedRequest): void {
    const { raw } = context.switchToHttp().getResponse<FastifyReply>();
    const complete = this.rights.watch({
      stillAllowed: () =>
        this.authorize(context, request).then(
          () => true,
          (error: unknown) => !(error instanceof ProblemError),
        ),
      end: () => raw.destroy(),
    });
    raw.once('close', complete);
  }

  private async authorize(context: ExecutionContext, request: AuthenticatedRequest): Promise<void> {
    const changes = isChange(request);
    const access =
      this.reflector.getAllAndOverride<Access | undefined>(ACCESS, [context.getHandler(), context.getClass()]) ??
      (changes ? 'submit' : 'read');
    // A cookie goes with every request of a browser, whoever made the page it comes from. A token does not.
    if (
      changes &&
      request.headers.authorization === undefined &&
      !isSameOrigin(request.headers, this.config.publicUrl)
    ) {
      throw foreignPage();
    }
    if (access === 'public') return;
    const identity = await this.authenticator.identify(request);
    request.identity = identity;
    if (access === 'identity') return;
    if (access === 'operator' && !identity.operator) throw lacksScope('operator', 'this lab');
    const inProject = access !== 'operator' || Object.hasOwn(request.params as object, 'project');
    if (!inProject) return;
    request.principal = await this.authenticator.inProject(identity, request);
    requireScope(request.principal, access);
  }
}

/** @throws ProblemError unless the caller has the scope in his project */
export function requireScope(principal: Principal, scope: Scope): void {
  if (!principal.scopes.has(scope)) throw lacksScope(scope, `the project "${principal.projectName}"`);
}

function lacksScope(scope: Scope, where: string): ProblemError {
  return new ProblemError(403, `This needs the scope "${scope}" in ${where}`, [
    {
      field: 'scope',
      message: `You do not have the scope "${scope}" in ${where}`,
      mend:
        scope === 'operator'
          ? 'Ask an operator of the lab.'
          : 'Use a token with this scope, or ask an admin of the project for a role that has it.',
    },
  ]);
}

function foreignPage(): ProblemError {
  return new ProblemError(403, 'This request comes from a page of another site', [
    {
      field: 'origin',
      message: 'Only pages of the lab itself may use its cookie',
      mend: 'Send a bearer token; the lab must know the origin of the page (BOOTLAB_CORS_ORIGINS).',
    },
  ]);
}
