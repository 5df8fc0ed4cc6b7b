import { HttpStatus, Injectable } from '@nestjs/common';
import type { MadeToken, NewToken, Token } from '@bootlab/lab';
import { isUuid, TokenStore, type Principal } from '@bootlab/lab/server';
import { requireScope } from '../auth/auth.guard.js';
import { invalidFields, notFound } from '../problem/problem.js';

/** Tokens of a project. */
@Injectable()
export class TokensService {
  constructor(private readonly tokens: TokenStore) {}

  list(principal: Principal): Promise<Token[]> {
    return this.tokens.list(principal.projectId, onlyOwn(principal));
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
    const revoked = isUuid(tokenId) && (await this.tokens.revoke(principal.projectId, tokenId, onlyOwn(principal)));
    if (!revoked) throw notFound(`token "${tokenId}"`);
  }
}

/** People look after their own tokens. Requests with a token need `admin` for that: a lost one must not breed. */
function requireSelf(principal: Principal): void {
  if (principal.tokenId !== undefined) requireScope(principal, 'admin');
}

/** Who is no admin sees and revokes nothing but his own tokens; a token of nobody has none. */
function onlyOwn(principal: Principal): string | undefined {
  if (principal.scopes.has('admin')) return undefined;
  if (principal.userId === undefined) requireScope(principal, 'admin');
  return principal.userId;
}
