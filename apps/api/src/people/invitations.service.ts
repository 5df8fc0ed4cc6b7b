import { HttpStatus, Injectable } from '@nestjs/common';
import type { InvitationAccept, InvitationView, MadeLink } from '@bootlab/lab';
import {
  InvitationStore,
  LoginTakenError,
  SessionStore,
  UserStore,
  type Identity,
  type MadeInvitation,
} from '@bootlab/lab/server';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { AuthenticatedRequest } from '../auth/access.js';
import { Authenticator } from '../auth/authenticator.js';
import { invalidField, ProblemError } from '../problem/problem.js';
import { SignInLimit } from './sign-in-limit.js';
import { SignInService } from './sign-in.service.js';

/** What people do with links that let them in. */
@Injectable()
export class InvitationsService {
  constructor(
    private readonly invitations: InvitationStore,
    private readonly users: UserStore,
    private readonly sessions: SessionStore,
    private readonly authenticator: Authenticator,
    private readonly signIns: SignInService,
    private readonly limit: SignInLimit,
  ) {}

  /** @throws ProblemError 404 when the link is no good any more */
  async view(request: FastifyRequest, secret: string): Promise<InvitationView> {
    await this.limit.check(request, undefined);
    const view = await this.invitations.view(secret);
    if (!view) throw noSuchLink();
    return view;
  }

  /** @throws ProblemError 404 as `view`, 409 when somebody has the login */
  async accept(request: AuthenticatedRequest, reply: FastifyReply, acceptance: InvitationAccept): Promise<Identity> {
    await this.limit.check(request, undefined);
    const { secret, account } = acceptance;
    const known = account ? undefined : await this.authenticator.ofCookie(request.headers);
    if (!account && known?.kind !== 'person') {
      throw invalidField('account', 'Nobody is signed in', 'Give login, name and password for a new account.');
    }
    const joined = await this.join(secret, async (tx) =>
      account ? (await this.users.create(account, tx)).id : (known?.userId ?? ''),
    );
    if (!joined) throw noSuchLink();
    const identity = await this.signIns.open(request, reply, { userId: joined.userId });
    request.principal = await this.authenticator.inNamedProject(identity, joined.projectId); // for its audit log
    return identity;
  }

  /** @throws ProblemError 404 as `view` */
  async setPassword(request: FastifyRequest, reply: FastifyReply, secret: string, password: string): Promise<Identity> {
    await this.limit.check(request, undefined);
    const userId = await this.invitations.takePasswordLink(secret);
    if (userId === undefined) throw noSuchLink();
    await this.users.setPassword(userId, password);
    await this.sessions.endOthers(userId, undefined);
    return this.signIns.open(request, reply, { userId });
  }

  private async join(secret: string, who: Parameters<InvitationStore['join']>[1]) {
    try {
      return await this.invitations.join(secret, who);
    } catch (error) {
      if (!(error instanceof LoginTakenError)) throw error;
      const mend = 'Choose another login; if it is yours, sign in first and open the link again.';
      throw invalidField('account.login', error.message, mend, HttpStatus.CONFLICT);
    }
  }
}

/** The page behind the fragment, which browsers send to nobody: the secret stays out of logs. */
export const linkOf = ({ id, secret, expiresAt }: MadeInvitation): MadeLink => ({
  id,
  path: `/invitation#${secret}`,
  expiresAt: expiresAt.toISOString(),
});

function noSuchLink(): ProblemError {
  const message = 'This link has been used, withdrawn or has expired';
  return new ProblemError(404, message, [{ field: 'secret', message, mend: 'Ask for a new one.' }]);
}
