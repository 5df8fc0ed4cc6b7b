import type { User, UserChange } from '../../index.js';
import type { Database } from '../database.js';
import { Prisma, type User as UserRow } from '../generated/client.js';
import { hashPassword, passwordMatches } from './passwords.js';

/** Somebody else has this login. */
export class LoginTakenError extends Error {
  override readonly name = 'LoginTakenError';

  constructor(readonly login: string) {
    super(`There is somebody else with the login ${login}`);
  }
}

export interface NewUser {
  login: string;
  name: string;
  /** Undefined for people who sign in through OpenID Connect. */
  password?: string | undefined;
  oidc?: { issuer: string; subject: string } | undefined;
}

/** People and how they sign in. */
export class UserStore {
  constructor(private readonly database: Database) {}

  /**
   * @param tx the transaction that it is to be part of
   * @throws LoginTakenError
   */
  async create(user: NewUser, tx: Prisma.TransactionClient | Database = this.database): Promise<User> {
    try {
      return toUser(
        await tx.user.create({
          data: {
            login: user.login,
            name: user.name,
            passwordHash: user.password === undefined ? null : await hashPassword(user.password),
            oidcIssuer: user.oidc?.issuer ?? null,
            oidcSubject: user.oidc?.subject ?? null,
          },
        }),
      );
    } catch (error) {
      if (isUniqueViolation(error)) throw new LoginTakenError(user.login);
      throw error;
    }
  }

  async find(userId: string): Promise<User | undefined> {
    const row = await this.database.user.findUnique({ where: { id: userId } });
    return row ? toUser(row) : undefined;
  }

  /** By login. */
  async list(query: {
    cursor?: string | undefined;
    limit: number;
  }): Promise<{ items: User[]; nextCursor: string | null }> {
    const rows = await this.database.user.findMany({
      orderBy: { login: 'asc' },
      take: query.limit + 1,
      ...(query.cursor && { cursor: { id: query.cursor }, skip: 1 }),
    });
    const items = rows.slice(0, query.limit).map(toUser);
    return { items, nextCursor: rows.length > query.limit ? (items.at(-1)?.id ?? null) : null };
  }

  /** The person behind a login and a password. */
  async withPassword(login: string, password: string): Promise<User | undefined> {
    const row = await this.database.user.findUnique({ where: { login: login.toLowerCase() } });
    if (!(await passwordMatches(password, row?.passwordHash)) || !row || row.disabledAt) return undefined;
    return toUser(row);
  }

  /** The person behind a subject of an OpenID provider. */
  async withSubject(issuer: string, subject: string): Promise<User | undefined> {
    const row = await this.database.user.findFirst({ where: { oidcIssuer: issuer, oidcSubject: subject } });
    return row && !row.disabledAt ? toUser(row) : undefined;
  }

  async signedIn(userId: string): Promise<void> {
    await this.database.user.updateMany({ where: { id: userId }, data: { lastSignInAt: new Date() } });
  }

  async rename(userId: string, name: string): Promise<User> {
    return toUser(await this.database.user.update({ where: { id: userId }, data: { name } }));
  }

  async setPassword(userId: string, password: string): Promise<void> {
    await this.database.user.update({
      where: { id: userId },
      data: { passwordHash: await hashPassword(password) },
    });
  }

  async passwordIs(userId: string, password: string): Promise<boolean> {
    const row = await this.database.user.findUnique({ where: { id: userId } });
    return passwordMatches(password, row?.passwordHash);
  }

  /** Undefined when there is no such person. Whoever is disabled is signed out everywhere. */
  async change(userId: string, { operator, disabled }: UserChange): Promise<User | undefined> {
    return this.database.$transaction(async (tx) => {
      const known = await tx.user.findUnique({ where: { id: userId } });
      if (!known) return undefined;
      if (disabled) await tx.session.deleteMany({ where: { userId } });
      const disabledAt = disabled ? (known.disabledAt ?? new Date()) : null;
      return toUser(
        await tx.user.update({
          where: { id: userId },
          data: { ...(operator !== undefined && { operator }), ...(disabled !== undefined && { disabledAt }) },
        }),
      );
    });
  }
}

export const isUniqueViolation = (error: unknown): boolean =>
  error instanceof Prisma.PrismaClientKnownRequestError && error.code === 'P2002';

export function toUser(row: UserRow): User {
  return {
    id: row.id,
    login: row.login,
    name: row.name,
    operator: row.operator,
    disabled: row.disabledAt !== null,
    hasPassword: row.passwordHash !== null,
    createdAt: row.createdAt.toISOString(),
    lastSignInAt: row.lastSignInAt?.toISOString() ?? null,
  };
}
