import { SCOPES, type NewToken, type Scope, type Token } from '../../index.js';
import type { Database } from '../database.js';
import type { Prisma } from '../generated/client.js';
import { hashOf, newToken } from './secrets.js';

const DEFAULT_PROJECT = 'default';
const PREFIX_LENGTH = 8;
const DAY_MS = 86_400_000;

const include = { user: { select: { login: true } } } satisfies Prisma.TokenInclude;
type TokenRow = Prisma.TokenGetPayload<{ include: typeof include }>;

/** Which tokens of a project somebody looks after. */
export interface WhichTokens {
  /** Only those of this person. */
  readonly userId?: string | undefined;
  /** Those that reach beyond the project, too. */
  readonly operators: boolean;
}

const conditionsOf = ({ userId, operators }: WhichTokens): Prisma.TokenWhereInput => ({
  ...(userId !== undefined && { userId }),
  ...(!operators && { NOT: { scopes: { has: 'operator' } } }),
});

/** Bearer tokens. */
export class TokenStore {
  constructor(private readonly database: Database) {}

  /** Makes the default project, and in it this token with all rights over the lab, unless they are there. */
  async ensure(secret: string, name: string): Promise<void> {
    const project = await this.database.project.upsert({
      where: { name: DEFAULT_PROJECT },
      update: {},
      create: { name: DEFAULT_PROJECT },
    });
    const hash = hashOf(secret);
    const rights = { scopes: [...SCOPES], prefix: secret.slice(0, PREFIX_LENGTH) };
    await this.database.token.upsert({
      where: { hash },
      update: rights,
      create: { projectId: project.id, name, hash, ...rights },
    });
  }

  /** @param userId its owner; undefined for a token that belongs to nobody */
  async create(
    projectId: string,
    userId: string | undefined,
    token: NewToken,
  ): Promise<{ token: Token; secret: string }> {
    const secret = newToken();
    const row = await this.database.token.create({
      data: {
        projectId,
        userId: userId ?? null,
        name: token.name,
        hash: hashOf(secret),
        prefix: secret.slice(0, PREFIX_LENGTH),
        scopes: [...new Set(token.scopes)],
        expiresAt: token.expiresInDays === null ? null : new Date(Date.now() + token.expiresInDays * DAY_MS),
      },
      include,
    });
    return { token: toToken(row), secret };
  }

  /** Those that are not revoked, newest first. */
  async list(projectId: string, which: WhichTokens): Promise<Token[]> {
    const rows = await this.database.token.findMany({
      where: { projectId, revokedAt: null, ...conditionsOf(which) },
      orderBy: [{ createdAt: 'desc' }, { id: 'asc' }],
      include,
    });
    return rows.map(toToken);
  }

  /** False when there is no such token, or it is revoked already. */
  async revoke(projectId: string, tokenId: string, which: WhichTokens): Promise<boolean> {
    const { count } = await this.database.token.updateMany({
      where: { id: tokenId, projectId, revokedAt: null, ...conditionsOf(which) },
      data: { revokedAt: new Date() },
    });
    return count > 0;
  }
}

function toToken(row: TokenRow): Token {
  return {
    id: row.id,
    name: row.name,
    prefix: row.prefix,
    scopes: SCOPES.filter((scope: Scope) => row.scopes.includes(scope)),
    owner: row.user?.login ?? null,
    createdAt: row.createdAt.toISOString(),
    lastUsedAt: row.lastUsedAt?.toISOString() ?? null,
    expiresAt: row.expiresAt?.toISOString() ?? null,
  };
}
