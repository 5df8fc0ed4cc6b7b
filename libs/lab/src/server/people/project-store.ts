import type { Member, NewProject, Project, ProjectChange, Quota, Role, Usage } from '../../index.js';
import type { Database } from '../database.js';
import type { Prisma, Project as ProjectRow } from '../generated/client.js';
import type { Quotas } from './quotas.js';
import { isUniqueViolation } from './user-store.js';

/** Another project has this name. */
export class ProjectNameTakenError extends Error {
  override readonly name = 'ProjectNameTakenError';
}

/** A project would be left without anybody who looks after it. */
export class LastAdminError extends Error {
  override readonly name = 'LastAdminError';
}

/** Projects and their members. */
export class ProjectStore {
  constructor(
    private readonly database: Database,
    private readonly quotas: Quotas,
  ) {}

  /** @throws ProjectNameTakenError */
  async create(project: NewProject): Promise<Project> {
    const row = await uniqueName(
      this.database.project.create({ data: { name: project.name, ...quotaColumns(project.quota) } }),
    );
    return toProject(row, await this.quotas.usage(row.id));
  }

  async get(projectId: string): Promise<Project | undefined> {
    const row = await this.database.project.findUnique({ where: { id: projectId } });
    return row ? toProject(row, await this.quotas.usage(row.id)) : undefined;
  }

  /** @throws ProjectNameTakenError */
  async change(projectId: string, { name, quota }: ProjectChange): Promise<Project> {
    const row = await uniqueName(
      this.database.project.update({
        where: { id: projectId },
        data: { ...(name !== undefined && { name }), ...quotaColumns(quota) },
      }),
    );
    return toProject(row, await this.quotas.usage(row.id));
  }

  /** Removes a project that holds neither jobs nor images; false when it does. */
  async removeEmpty(projectId: string): Promise<boolean> {
    const { count } = await this.database.project.deleteMany({
      where: { id: projectId, jobs: { none: {} }, images: { none: {} } },
    });
    return count > 0;
  }

  /** By login. */
  async members(projectId: string): Promise<Member[]> {
    const rows = await this.database.member.findMany({
      where: { projectId },
      include: { user: true },
      orderBy: { user: { login: 'asc' } },
    });
    return rows.map(toMember);
  }

  /**
   * Gives a member another role; undefined when there is no such member.
   * @throws LastAdminError unless `mayOrphan`
   */
  async changeRole(projectId: string, userId: string, role: Role, mayOrphan: boolean): Promise<Member | undefined> {
    return this.database.$transaction(async (tx) => {
      await lockProject(tx, projectId);
      const where = { projectId_userId: { projectId, userId } };
      const before = await tx.member.findUnique({ where });
      if (!before) return undefined;
      const row = await tx.member.update({ where, data: { role }, include: { user: true } });
      if (before.role === 'admin' && !mayOrphan) await needsAdmin(tx, projectId);
      return toMember(row);
    });
  }

  /**
   * Takes somebody out of a project; false when he is not in it. His tokens for the project end with that.
   * @throws LastAdminError unless `mayOrphan`
   */
  async removeMember(projectId: string, userId: string, mayOrphan: boolean): Promise<boolean> {
    return this.database.$transaction(async (tx) => {
      await lockProject(tx, projectId);
      const where = { projectId_userId: { projectId, userId } };
      const before = await tx.member.findUnique({ where });
      if (!before) return false;
      await tx.member.delete({ where });
      if (before.role === 'admin' && !mayOrphan) await needsAdmin(tx, projectId);
      await tx.token.updateMany({ where: { projectId, userId, revokedAt: null }, data: { revokedAt: new Date() } });
      return true;
    });
  }

  /** Makes somebody a member; who is one already keeps the higher role. */
  async join(projectId: string, userId: string, role: Role): Promise<void> {
    await this.database.$transaction((tx) => joinProject(tx, projectId, userId, role));
  }
}

const RANK: readonly Role[] = ['viewer', 'submitter', 'maintainer', 'admin'];

export async function joinProject(
  tx: Prisma.TransactionClient,
  projectId: string,
  userId: string,
  role: Role,
): Promise<void> {
  const key = { projectId_userId: { projectId, userId } };
  const known = await tx.member.findUnique({ where: key });
  const best = known && RANK.indexOf(known.role) > RANK.indexOf(role) ? known.role : role;
  await tx.member.upsert({ where: key, update: { role: best }, create: { projectId, userId, role } });
}

/** Changes of one project's members happen one after the other: two last admins must not remove each other. */
async function lockProject(tx: Prisma.TransactionClient, projectId: string): Promise<void> {
  await tx.$queryRaw`SELECT 1 FROM "Project" WHERE "id" = ${projectId}::uuid FOR UPDATE`;
}

async function needsAdmin(tx: Prisma.TransactionClient, projectId: string): Promise<void> {
  const admins = await tx.member.count({ where: { projectId, role: 'admin', user: { disabledAt: null } } });
  if (admins === 0) throw new LastAdminError('This project would be left without an admin');
}

async function uniqueName<T>(change: Promise<T>): Promise<T> {
  try {
    return await change;
  } catch (error) {
    if (isUniqueViolation(error)) throw new ProjectNameTakenError('There is another project of this name');
    throw error;
  }
}

function quotaColumns(quota: Partial<Quota> = {}): Partial<ProjectRow> {
  const { boards, cpuSeconds, periodHours, storageBytes } = quota;
  return {
    ...(boards !== undefined && { quotaBoards: boards }),
    ...(cpuSeconds !== undefined && { quotaCpuSeconds: cpuSeconds }),
    ...(periodHours !== undefined && { quotaPeriodHours: periodHours }),
    ...(storageBytes !== undefined && { quotaStorageBytes: storageBytes === null ? null : BigInt(storageBytes) }),
  };
}

export function quotaOf(row: ProjectRow): Quota {
  return {
    boards: row.quotaBoards,
    cpuSeconds: row.quotaCpuSeconds,
    periodHours: row.quotaPeriodHours,
    storageBytes: row.quotaStorageBytes === null ? null : Number(row.quotaStorageBytes),
  };
}

function toProject(row: ProjectRow, usage: Usage): Project {
  return { id: row.id, name: row.name, createdAt: row.createdAt.toISOString(), quota: quotaOf(row), usage };
}

function toMember(row: Prisma.MemberGetPayload<{ include: { user: true } }>): Member {
  return {
    userId: row.userId,
    login: row.user.login,
    name: row.user.name,
    role: row.role,
    disabled: row.user.disabledAt !== null,
    since: row.createdAt.toISOString(),
    lastSignInAt: row.user.lastSignInAt?.toISOString() ?? null,
  };
}
