import { Inject, Injectable } from '@nestjs/common';
import type { SignIn } from '@bootlab/lab';
import { AuditLog, Identities, SessionStore, UserStore, type Identity, type Origin } from '@bootlab/lab/server';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { SessionCookie } from '../auth/session-cookie.js';
import { CONFIG, type ApiConfig } from '../config.token.js';
import { ProblemError } from '../problem/problem.js';
import type { AuthenticatedRequest } from '../auth/access.js';
import { originOf } from '../auth/audit-trail.js';
import { SignInLimit } from './sign-in-limit.js';

/** Signs browsers in and out. */
@Injectable()
export class SignInService {
  constructor(
    private readonly users: UserStore,
    private readonly identities: Identities,
    private readonly sessions: SessionStore,
    private readonly cookie: SessionCookie,
    private readonly limit: SignInLimit,
    private readonly audit: AuditLog,
    @Inject(CONFIG) private readonly config: ApiConfig,
  ) {}

  /** With login and password, or with a token. @throws ProblemError 401, or 429 after too many attempts */
  async signIn(request: FastifyRequest, reply: FastifyReply, credentials: SignIn): Promise<Identity> {
    const claimed = 'login' in credentials ? credentials.login.toLowerCase() : undefined;
    await this.limit.check(request, claimed);
    const who = await this.check(credentials);
    if (!who) {
      const actor = claimed ?? 'a token';
      await this.record('session.refused', { actor, userId: undefined, tokenId: undefined }, 401, originOf(request));
      throw refused(claimed !== undefined);
    }
    return this.open(request, reply, who);
  }

  /** Opens a session for somebody who has shown who he is; a session that the browser had before ends. */
  async open(
    request: FastifyRequest,
    reply: FastifyReply,
    who: { userId: string } | { tokenId: string },
  ): Promise<Identity> {
    const before = this.cookie.read(request.headers);
    const earlier = before === undefined ? undefined : await this.identities.ofSession(before);
    if (earlier?.sessionId !== undefined) await this.sessions.end(earlier.sessionId);
    const origin = originOf(request);
    const { secret, expiresAt } = await this.sessions.create(who, origin, this.config.sessionLifetimeMs);
    this.cookie.set(request, reply, secret, expiresAt);
    if ('userId' in who) await this.users.signedIn(who.userId);
    const identity = await this.identities.ofSession(secret);
    if (!identity) throw refused('userId' in who);
    await this.record('session.open', { ...identity, actor: identity.label }, 201, origin);
    Object.assign(request, { identity } satisfies Partial<AuthenticatedRequest>);
    return identity;
  }

  async signOut(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const secret = this.cookie.read(request.headers);
    const identity = secret === undefined ? undefined : await this.identities.ofSession(secret);
    if (identity?.sessionId !== undefined) {
      await this.sessions.end(identity.sessionId);
      await this.record('session.end', { ...identity, actor: identity.label }, 204, originOf(request));
    }
    this.cookie.clear(request, reply);
  }

  private async check(credentials: SignIn): Promise<{ userId: string } | { tokenId: string } | undefined> {
    if ('token' in credentials) {
      const identity = await this.identities.ofToken(credentials.token);
      return identity?.tokenId === undefined ? undefined : { tokenId: identity.tokenId };
    }
    const user = await this.users.withPassword(credentials.login, credentials.password);
    return user && { userId: user.id };
  }

  private async record(
    action: string,
    who: { actor: string; userId: string | undefined; tokenId: string | undefined },
    status: number,
    origin: Origin,
  ): Promise<void> {
    const { actor, userId, tokenId } = who;
    await this.audit.write({ projectId: undefined, actor, userId, tokenId, action, target: undefined, status, origin });
  }
}

function refused(withPassword: boolean): ProblemError {
  const [field, message] = withPassword
    ? ['password', 'There is nobody with this login and password']
    : ['token', 'The lab does not know this token'];
  const mend = withPassword
    ? 'Check both; an operator of the lab can give you a link that sets a new password.'
    : 'Copy the whole token, without spaces; it may have expired or been revoked.';
  return new ProblemError(401, message, [{ field, message, mend }]);
}
