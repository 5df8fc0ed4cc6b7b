import type { Database } from '../database.js';
import type { Prisma } from '../generated/client.js';

/** Nobody would be left to look after something. */
export class StillNeededError extends Error {
  override readonly name = 'StillNeededError';

  /** @param projects that would be without an admin; none: the lab would be without an operator */
  constructor(readonly projects: readonly string[]) {
    super(
      projects.length > 0
        ? `Nobody else is an admin of ${projects.join(', ')}`
        : 'Nobody else is an operator of this lab',
    );
  }
}

/** What stands in the audit log in place of whom an account belonged to. */
export const tombstoneOf = (userId: string): string => `deleted person ${userId.slice(0, 8)}`;

/**
 * Deletes an account for good: the person's name, login, password, memberships, tokens, browsers and links. What was done stays
 * in the audit log, without a name, an address or a browser; jobs and images are their projects'.
 * @returns false when there is no such person
 * @throws StillNeededError
 */
export async function removeAccount(database: Database, userId: string): Promise<boolean> {
  return database.$transaction(async (tx) => {
    // One after the other, and in one order: two last admins must not both leave.
    const projects = await tx.$queryRaw<{ id: string; name: string }[]>`
      SELECT p."id"::text, p."name" FROM "Project" p JOIN "Member" m ON m."projectId" = p."id"
      WHERE m."userId" = ${userId}::uuid AND m."role" = 'admin' ORDER BY p."id" FOR UPDATE OF p`;
    const [user] = await tx.$queryRaw<{ login: string; operator: boolean }[]>`
      SELECT "login", "operator" FROM "User" WHERE "id" = ${userId}::uuid FOR UPDATE`;
    if (!user) return false;
    await refuseOrphans(tx, userId, projects);
    if (user.operator) await refuseLastOperator(tx, userId);
    await tx.user.delete({ where: { id: userId } });
    const actor = tombstoneOf(userId);
    // Also what was written down before it was known who he is.
    const his = { OR: [{ userId }, { actor: user.login }, { actor: { startsWith: `${user.login} (token ` } }] };
    await tx.auditEntry.updateMany({ where: his, data: { actor, address: '', userAgent: '' } });
    await tx.invitation.updateMany({ where: { createdBy: user.login }, data: { createdBy: actor } });
    return true;
  });
}

async function refuseOrphans(
  tx: Prisma.TransactionClient,
  userId: string,
  projects: readonly { id: string; name: string }[],
): Promise<void> {
  const orphans: string[] = [];
  for (const { id: projectId, name } of projects) {
    const others = { projectId, role: 'admin', userId: { not: userId }, user: { disabledAt: null } } as const;
    if ((await tx.member.count({ where: others })) === 0) orphans.push(name);
  }
  if (orphans.length > 0) throw new StillNeededError(orphans.sort());
}

async function refuseLastOperator(tx: Prisma.TransactionClient, userId: string): Promise<void> {
  // Two operators who leave at once take turns.
  const others = await tx.$queryRaw<unknown[]>`
    SELECT 1 FROM "User" WHERE "operator" AND "disabledAt" IS NULL AND "id" <> ${userId}::uuid FOR UPDATE`;
  if (others.length === 0) throw new StillNeededError([]);
}
