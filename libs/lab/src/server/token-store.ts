import { createHash, randomBytes } from 'node:crypto';
import type { Database } from './database.js';

const DEFAULT_PROJECT = 'default';
const PREFIX = 'blt_';
// A token's last use is kept to the minute, not to the request.
const USE_RESOLUTION_MS = 60_000;

export const newToken = (): string => PREFIX + randomBytes(32).toString('base64url');
const hashOf = (token: string): string => createHash('sha256').update(token).digest('hex');

/** Who holds a valid token. */
export interface Principal {
  readonly tokenId: string;
  readonly projectId: string;
}

export class TokenStore {
  constructor(private readonly database: Database) {}

  /** Makes the default project, and this token in it, unless they are there. */
  async ensure(token: string, name: string): Promise<void> {
    const project = await this.database.project.upsert({
      where: { name: DEFAULT_PROJECT },
      update: {},
      create: { name: DEFAULT_PROJECT },
    });
    const hash = hashOf(token);
    await this.database.token.upsert({
      where: { hash },
      update: {},
      create: { projectId: project.id, name, hash },
    });
  }

  async authenticate(token: string): Promise<Principal | undefined> {
    const row = await this.database.token.findUnique({ where: { hash: hashOf(token) } });
    if (!row || row.revokedAt) return undefined;
    const now = Date.now();
    if (now - (row.lastUsedAt?.getTime() ?? 0) > USE_RESOLUTION_MS) {
      await this.database.token.update({ where: { id: row.id }, data: { lastUsedAt: new Date(now) } });
    }
    return { tokenId: row.id, projectId: row.projectId };
  }
}
