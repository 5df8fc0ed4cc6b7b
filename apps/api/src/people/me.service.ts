import { Injectable } from '@nestjs/common';
import type { Me, PasswordChange, User } from '@bootlab/lab';
import { Identities, SessionStore, UserStore, type Identity } from '@bootlab/lab/server';
import { invalidField, ProblemError } from '../problem/problem.js';

/** What people see and change of themselves. */
@Injectable()
export class MeService {
  constructor(
    private readonly identities: Identities,
    private readonly users: UserStore,
    private readonly sessions: SessionStore,
  ) {}

  async show(identity: Identity): Promise<Me> {
    return {
      kind: identity.kind,
      label: identity.label,
      user: (identity.userId === undefined ? undefined : await this.users.find(identity.userId)) ?? null,
      operator: identity.operator,
      projects: (await this.identities.projectsOf(identity)).map(({ id, name, role, scopes }) => ({
        id,
        name,
        role,
        scopes: [...scopes],
      })),
      authentication: identity.sessionId === undefined ? 'bearer' : 'session',
    };
  }

  rename(identity: Identity, name: string): Promise<User> {
    return this.users.rename(personOf(identity), name);
  }

  /** Sets another password and signs all other browsers out: whoever knew the old one is out, too. */
  async changePassword(identity: Identity, { current, next }: PasswordChange): Promise<void> {
    const userId = personOf(identity);
    if (!(await this.users.passwordIs(userId, current))) {
      throw invalidField('current', 'This is not your password', 'Type the password that you sign in with now.');
    }
    await this.users.setPassword(userId, next);
    await this.sessions.endOthers(userId, identity.sessionId);
  }
}

/**
 * The person who is signed in. A token does not suffice, not even his: who finds one must not take over the account.
 * @throws ProblemError 403
 */
export function personOf(identity: Identity): string {
  if (identity.kind === 'person' && identity.userId !== undefined) return identity.userId;
  throw new ProblemError(403, 'This needs a person who is signed in', [
    { field: 'authorization', message: 'A token is no person', mend: 'Sign in with login and password.' },
  ]);
}
