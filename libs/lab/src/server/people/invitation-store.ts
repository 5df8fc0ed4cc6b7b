import type { Invitation, InvitationView, NewInvitation } from '../../index.js';
import type { Database } from '../database.js';
import type { Prisma } from '../generated/client.js';
import { joinProject } from './project-store.js';
import { hashOf, newSecret } from './secrets.js';

const HOUR_MS = 3_600_000;
const PASSWORD_LINK_HOURS = 24;

const include = { project: true, user: true } satisfies Prisma.InvitationInclude;
type InvitationRow = Prisma.InvitationGetPayload<{ include: typeof include }>;

export interface MadeInvitation {
  readonly id: string;
  readonly secret: string;
  readonly expiresAt: Date;
}

/** Links that let somebody in once. */
export class InvitationStore {
  constructor(private readonly database: Database) {}

  /** Into a project. */
  invite(projectId: string, invitation: NewInvitation, createdBy: string): Promise<MadeInvitation> {
    const { role, note, expiresInHours } = invitation;
    return this.make({ projectId, role, note, createdBy }, expiresInHours);
  }

  /** Back into an account whose password is lost; links for it that were made before no longer work. */
  async passwordLink(userId: string, createdBy: string): Promise<MadeInvitation> {
    await this.database.invitation.deleteMany({ where: { userId } });
    return this.make({ userId, note: 'a new password', createdBy }, PASSWORD_LINK_HOURS);
  }

  /** Those of a project that are still good, newest first. */
  async list(projectId: string): Promise<Invitation[]> {
    const rows = await this.database.invitation.findMany({
      where: { projectId, expiresAt: { gt: new Date() } },
      orderBy: [{ createdAt: 'desc' }, { id: 'asc' }],
    });
    return rows.flatMap(({ id, role, note, createdBy, createdAt, expiresAt }) =>
      role === null
        ? []
        : [{ id, role, note, createdBy, createdAt: createdAt.toISOString(), expiresAt: expiresAt.toISOString() }],
    );
  }

  async withdraw(projectId: string, invitationId: string): Promise<boolean> {
    return (await this.database.invitation.deleteMany({ where: { id: invitationId, projectId } })).count > 0;
  }

  /** What a link is worth; undefined when it is unknown, used or expired. */
  async view(secret: string): Promise<InvitationView | undefined> {
    const row = await this.find(this.database, secret);
    if (!row) return undefined;
    return {
      kind: row.userId === null ? 'join' : 'password',
      project: row.project?.name ?? null,
      role: row.role,
      login: row.user?.login ?? null,
    };
  }

  /**
   * Uses a link into a project: `who` makes or finds the person within the same transaction, so that neither a used link
   * without a member nor a member without a used link is left behind. Undefined when the link is not good.
   */
  async join(
    secret: string,
    who: (tx: Prisma.TransactionClient) => Promise<string>,
  ): Promise<{ userId: string; projectId: string } | undefined> {
    return this.database.$transaction(async (tx) => {
      const row = await this.take(tx, secret);
      if (!row?.projectId || !row.role) return undefined;
      const userId = await who(tx);
      await joinProject(tx, row.projectId, userId, row.role);
      return { userId, projectId: row.projectId };
    });
  }

  /** Uses a password link; whose it was, or undefined when it is not good. */
  async takePasswordLink(secret: string): Promise<string | undefined> {
    return this.database.$transaction(async (tx) => {
      const row = await this.find(tx, secret);
      if (!row?.userId || !(await this.take(tx, secret))) return undefined;
      return row.userId;
    });
  }

  private async make(
    data: Omit<Prisma.InvitationUncheckedCreateInput, 'hash' | 'expiresAt'>,
    hours: number,
  ): Promise<MadeInvitation> {
    const secret = newSecret('bli_');
    const expiresAt = new Date(Date.now() + hours * HOUR_MS);
    const { id } = await this.database.invitation.create({ data: { ...data, hash: hashOf(secret), expiresAt } });
    return { id, secret, expiresAt };
  }

  private async find(tx: Prisma.TransactionClient | Database, secret: string): Promise<InvitationRow | undefined> {
    const where = { hash: hashOf(secret), expiresAt: { gt: new Date() } };
    return (await tx.invitation.findFirst({ where, include })) ?? undefined;
  }

  /** Deletes the row: of two who use a link at the same time, one gets it. */
  private async take(tx: Prisma.TransactionClient, secret: string): Promise<InvitationRow | undefined> {
    const row = await this.find(tx, secret);
    if (!row) return undefined;
    return (await tx.invitation.deleteMany({ where: { id: row.id } })).count > 0 ? row : undefined;
  }
}
