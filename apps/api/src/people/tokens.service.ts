import { HttpStatus, Injectable } from '@nestjs/common';
import type { MadeToken, NewToken, Token } from '@bootlab/lab';
import { isUuid, TokenStore, type Principal, type WhichTokens } from '@bootlab/lab/server';
import { requireScope } from '../auth/auth.guard.js';
import { invalidFields, notFound } from '../problem/problem.js';

/** Tokens of a project. */
@Injectable()
export class TokensService {
  constructor(private readonly tokens: TokenStore) {}

  list(principal: Principal): Promise<Token[]> {
    return this.tokens.list(principal.projectId, mineToManage(principal));
  }

  /** A token may at most what its maker may. @throws ProblemError 403 */
  async create(principal: Principal, token: NewToken): Promise<MadeToken> {
    requireSelf(principal);
    const beyond = token.scopes.flatMap((scope, index) =>
      principal.scopes.has(scope)
        ? []
        : [
            {
              field: `scopes[${index}]`,
              message: `You do not have the scope "${scope}" yourself`,
              mend: `Use scopes out of: ${[...principal.scopes].join(', ')}.`,
            },
          ],
    );
    if (beyond.length > 0) throw invalidFields(beyond, HttpStatus.FORBIDDEN);
    return this.tokens.create(principal.projectId, principal.userId, token);
  }

  async revoke(principal: Principal, tokenId: string): Promise<void> {
    requireSelf(principal);
    const revoked =
      isUuid(tokenId) && (await this.tokens.revoke(principal.projectId, tokenId, mineToManage(principal)));
    if (!revoked) throw notFound(`token "${tokenId}"`);
  }
}

/** People look after their own tokens. Requests with a token need `admin` for that: a lost one must not breed. */
function requireSelf(principal: Principal): void {
  if (principal.tokenId !== undefined) requireScope(principal, 'admin');
}

/**
 * Who is no admin sees and revokes nothing but his own tokens, and a token of nobody has none. The operators' tokens lie in
 * some project, too, and are none of its admins' business.
 */
function mineToManage(principal: Principal): WhichTokens {
  const { scopes, userId, operator: operators } = principal;
  if (scopes.has('admin')) return { operators };
  if (userId === undefined) requireScope(principal, 'admin');
  return { userId, operators };
}
