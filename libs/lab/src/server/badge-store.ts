import { randomBytes } from 'node:crypto';
import type { Badge, NewBadge, Outcome } from '../index.js';
import type { Database } from './database.js';
import type { Badge as BadgeRow } from './generated/client.js';

const MAX_BADGES = 200;

/** Badges, and what they show. */
export class BadgeStore {
  constructor(private readonly database: Database) {}

  async create(projectId: string, { label, jobName, board }: NewBadge): Promise<Badge> {
    const secret = randomBytes(24).toString('base64url');
    const data = { projectId, secret, label, jobName: jobName ?? null, board: board ?? null };
    return toBadge(await this.database.badge.create({ data }));
  }

  async list(projectId: string): Promise<Badge[]> {
    const rows = await this.database.badge.findMany({
      where: { projectId },
      orderBy: { createdAt: 'desc' },
      take: MAX_BADGES,
    });
    return rows.map(toBadge);
  }

  async delete(projectId: string, id: string): Promise<boolean> {
    return (await this.database.badge.deleteMany({ where: { id, projectId } })).count > 0;
  }

  /** How the newest job ended that the badge is about; undefined when there is no such badge. */
  async shown(secret: string): Promise<{ label: string; outcome: Outcome | null } | undefined> {
    const badge = await this.database.badge.findUnique({ where: { secret } });
    if (!badge) return undefined;
    const job = await this.database.job.findFirst({
      where: {
        projectId: badge.projectId,
        state: 'ended',
        ...(badge.jobName !== null && { name: badge.jobName }),
        ...(badge.board !== null && { board: badge.board }),
      },
      orderBy: { createdAt: 'desc' },
      select: { outcome: true },
    });
    return { label: badge.label, outcome: job?.outcome ?? null };
  }
}

const toBadge = ({ id, label, jobName, board, secret, createdAt }: BadgeRow): Badge => ({
  id,
  label,
  jobName,
  board,
  path: `/badges/${secret}.svg`,
  createdAt: createdAt.toISOString(),
});
