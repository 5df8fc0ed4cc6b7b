import type { Session } from '../../index.js';
import type { Database } from '../database.js';
import type { Session as SessionRow } from '../generated/client.js';
import { hashOf, newSecret } from './secrets.js';

/** Where a request comes from. */
export interface Origin {
  readonly address: string;
  readonly userAgent: string;
}

const USER_AGENT_LENGTH = 300;

/** Browsers that are signed in. */
export class SessionStore {
  constructor(private readonly database: Database) {}

  /** Signs a browser in, as a person or with a token; the secret is for its cookie. */
  async create(
    who: { userId: string } | { tokenId: string },
    origin: Origin,
    lifetimeMs: number,
  ): Promise<{ id: string; secret: string; expiresAt: Date }> {
    await this.database.session.deleteMany({ where: { expiresAt: { lt: new Date() } } });
    const secret = newSecret('bls_');
    const expiresAt = new Date(Date.now() + lifetimeMs);
    const { id } = await this.database.session.create({
      data: {
        ...who,
        hash: hashOf(secret),
        address: origin.address,
        userAgent: origin.userAgent.slice(0, USER_AGENT_LENGTH),
        expiresAt,
      },
    });
    return { id, secret, expiresAt };
  }

  /** Newest first. */
  async list(userId: string, currentId: string | undefined): Promise<Session[]> {
    const rows = await this.database.session.findMany({
      where: { userId, expiresAt: { gt: new Date() } },
      orderBy: [{ createdAt: 'desc' }, { id: 'asc' }],
    });
    return rows.map((row) => toSession(row, currentId));
  }

  /** Ends a session; with `userId` only when it is this person's. */
  async end(sessionId: string, userId?: string): Promise<boolean> {
    const where = { id: sessionId, ...(userId !== undefined && { userId }) };
    return (await this.database.session.deleteMany({ where })).count > 0;
  }

  /** Ends all sessions of a person but this one. */
  async endOthers(userId: string, keepId: string | undefined): Promise<void> {
    await this.database.session.deleteMany({
      where: { userId, ...(keepId !== undefined && { id: { not: keepId } }) },
    });
  }
}

function toSession(row: SessionRow, currentId: string | undefined): Session {
  return {
    id: row.id,
    current: row.id === currentId,
    address: row.address,
    userAgent: row.userAgent,
    createdAt: row.createdAt.toISOString(),
    lastUsedAt: row.lastUsedAt.toISOString(),
    expiresAt: row.expiresAt.toISOString(),
  };
}
