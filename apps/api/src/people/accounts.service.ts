import { Inject, Injectable } from '@nestjs/common';
import type { AccountDeletion } from '@bootlab/lab';
import {
  AuditLog,
  isUuid,
  removeAccount,
  StillNeededError,
  tombstoneOf,
  UserStore,
  type Database,
  type Identity,
} from '@bootlab/lab/server';
import { DATABASE } from '../lab.module.js';
import { invalidField, notFound } from '../problem/problem.js';
import { personOf } from './me.service.js';

/** Ends accounts for good. */
@Injectable()
export class AccountsService {
  constructor(
    @Inject(DATABASE) private readonly database: Database,
    private readonly users: UserStore,
    private readonly audit: AuditLog,
  ) {}

  /** On behalf of the person himself, who says so once more. @throws ProblemError */
  async removeOwn(identity: Identity, { login, password }: AccountDeletion): Promise<void> {
    const userId = personOf(identity);
    const user = await this.users.find(userId);
    if (!user) throw notFound('account');
    if (login.toLowerCase() !== user.login) {
      throw invalidField('login', 'This is not your login', `Type ${user.login} to delete this account.`);
    }
    if (user.hasPassword && !(password !== undefined && (await this.users.passwordIs(userId, password)))) {
      throw invalidField('password', 'This is not your password', 'Type the password that you sign in with now.');
    }
    await this.remove(userId);
    await this.audit.write({
      projectId: undefined,
      actor: tombstoneOf(userId),
      userId,
      tokenId: undefined,
      action: 'me.remove',
      target: userId,
      status: 204,
      origin: { address: '', userAgent: '' },
    });
  }

  /** On behalf of an operator. @throws ProblemError */
  async removeOther(identity: Identity, userId: string): Promise<void> {
    if (userId === identity.userId) {
      throw invalidField('id', 'This is yourself', 'Delete your account under Settings, Account.', 409);
    }
    if (!isUuid(userId) || !(await this.remove(userId))) throw notFound(`person "${userId}"`);
  }

  private async remove(userId: string): Promise<boolean> {
    try {
      return await removeAccount(this.database, userId);
    } catch (error) {
      if (!(error instanceof StillNeededError)) throw error;
      const mend =
        error.projects.length > 0
          ? 'Make another member an admin there first.'
          : 'Make somebody else an operator first.';
      throw invalidField('id', error.message, mend, 409);
    }
  }
}
