import { ROLE_SCOPES, SCOPES, scopeSchema, type Role, type Scope } from '../../index.js';
import type { Database } from '../database.js';
import type { Prisma } from '../generated/client.js';
import { hashOf } from './secrets.js';

// When something was used last is kept to the minute, not to the request.
const USE_RESOLUTION_MS = 60_000;

/** What somebody may do in one project. */
export interface Grant {
  readonly id: string;
  readonly name: string;
  readonly role: Role | null;
  readonly scopes: readonly Scope[];
}

/** Who makes a request. */
export interface Identity {
  readonly kind: 'person' | 'token';
  /** How the audit log names him. */
  readonly label: string;
  readonly userId: string | undefined;
  readonly tokenId: string | undefined;
  /** Set when a browser's cookie, not a bearer token, says who it is. */
  readonly sessionId: string | undefined;
  /** May do everything in every project. */
  readonly operator: boolean;
  readonly grants: readonly Grant[];
}

/** Who makes a request, in the project it is about. */
export interface Principal extends Pick<Identity, 'label' | 'userId' | 'tokenId' | 'sessionId' | 'operator'> {
  readonly projectId: string;
  readonly projectName: string;
  readonly scopes: ReadonlySet<Scope>;
}

const members = { members: { include: { project: true }, orderBy: { createdAt: 'asc' } } } satisfies Prisma.UserInclude;
const ofToken = { project: true, user: { include: members } } satisfies Prisma.TokenInclude;
const ofSession = { user: { include: members }, token: { include: ofToken } } satisfies Prisma.SessionInclude;

type UserRow = Prisma.UserGetPayload<{ include: typeof members }>;
type TokenRow = Prisma.TokenGetPayload<{ include: typeof ofToken }>;

/** Finds out who somebody is, by what he shows. */
export class Identities {
  constructor(private readonly database: Database) {}

  /** By a bearer token; undefined when it is unknown, revoked or expired, or its owner may do nothing any more. */
  async ofToken(secret: string): Promise<Identity | undefined> {
    const row = await this.database.token.findUnique({ where: { hash: hashOf(secret) }, include: ofToken });
    const identity = row ? identityOfToken(row) : undefined;
    if (row && identity && isOld(row.lastUsedAt)) {
      await this.database.token.updateMany({ where: { id: row.id }, data: { lastUsedAt: new Date() } });
    }
    return identity;
  }

  /** By a session's cookie. */
  async ofSession(secret: string): Promise<Identity | undefined> {
    const row = await this.database.session.findUnique({ where: { hash: hashOf(secret) }, include: ofSession });
    if (!row || row.expiresAt <= new Date()) return undefined;
    const identity = row.token ? identityOfToken(row.token) : row.user ? identityOfUser(row.user) : undefined;
    if (!identity) return undefined;
    if (isOld(row.lastUsedAt)) {
      await this.database.session.updateMany({ where: { id: row.id }, data: { lastUsedAt: new Date() } });
    }
    return { ...identity, sessionId: row.id };
  }

  /**
   * Somebody in a project: the one named `wanted` (by name or id), or the only one there is for him. Undefined when he
   * has no business there, `'several'` when he must choose.
   */
  async inProject(identity: Identity, wanted: string | undefined): Promise<Principal | undefined | 'several'> {
    const { grants, operator } = identity;
    if (wanted === undefined) {
      const [only, ...others] = grants;
      if (only && others.length === 0) return principalOf(identity, only);
      if (only) return 'several';
      if (!operator) return undefined;
      const projects = await this.database.project.findMany({ orderBy: { createdAt: 'asc' }, take: 2 });
      if (projects.length > 1) return 'several';
      return projects[0] && principalOf(identity, { ...projects[0], scopes: SCOPES });
    }
    const granted = grants.find(({ id, name }) => id === wanted || name === wanted);
    if (granted) return principalOf(identity, granted);
    if (!operator) return undefined;
    const where = isUuid(wanted) ? { OR: [{ id: wanted }, { name: wanted }] } : { name: wanted };
    const project = await this.database.project.findFirst({ where });
    return project ? principalOf(identity, { ...project, scopes: SCOPES }) : undefined;
  }

  async projectNamed(name: string): Promise<{ id: string } | undefined> {
    return (await this.database.project.findUnique({ where: { name }, select: { id: true } })) ?? undefined;
  }

  /** Every project that somebody sees, by name. */
  async projectsOf(identity: Identity): Promise<Grant[]> {
    if (!identity.operator) return [...identity.grants].sort((a, b) => a.name.localeCompare(b.name));
    const projects = await this.database.project.findMany({ orderBy: { name: 'asc' } });
    return projects.map(({ id, name }) => {
      const grant = identity.grants.find((candidate) => candidate.id === id);
      return { id, name, role: grant?.role ?? null, scopes: SCOPES };
    });
  }
}

export const isUuid = (text: string): boolean => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text);

const isOld = (lastUsedAt: Date | null): boolean => Date.now() - (lastUsedAt?.getTime() ?? 0) > USE_RESOLUTION_MS;

function principalOf(identity: Identity, project: Pick<Grant, 'id' | 'name' | 'scopes'>): Principal {
  const { label, userId, tokenId, sessionId, operator } = identity;
  const scopes = new Set(operator ? SCOPES : project.scopes);
  return { label, userId, tokenId, sessionId, operator, projectId: project.id, projectName: project.name, scopes };
}

function identityOfUser(user: UserRow): Identity | undefined {
  if (user.disabledAt) return undefined;
  return {
    kind: 'person',
    label: user.login,
    userId: user.id,
    tokenId: undefined,
    sessionId: undefined,
    operator: user.operator,
    grants: user.members.map(({ role, project }) => ({
      id: project.id,
      name: project.name,
      role,
      scopes: ROLE_SCOPES[role],
    })),
  };
}

/** A token never may more than its owner may now. */
function identityOfToken(row: TokenRow): Identity | undefined {
  if (row.revokedAt || (row.expiresAt && row.expiresAt <= new Date())) return undefined;
  let scopes = row.scopes.filter((scope): scope is Scope => scopeSchema.safeParse(scope).success);
  let role: Role | null = null;
  if (row.user) {
    const owner = identityOfUser(row.user);
    if (!owner) return undefined;
    const grant = owner.grants.find(({ id }) => id === row.projectId);
    role = grant?.role ?? null;
    const allowed: readonly Scope[] = owner.operator ? SCOPES : (grant?.scopes ?? []);
    scopes = scopes.filter((scope) => allowed.includes(scope));
  }
  if (scopes.length === 0) return undefined;
  return {
    kind: 'token',
    label: row.user ? `${row.user.login} (token ${row.name})` : `token ${row.name}`,
    userId: row.user?.id,
    tokenId: row.id,
    sessionId: undefined,
    operator: scopes.includes('operator'),
    grants: [{ id: row.projectId, name: row.project.name, role, scopes }],
  };
}
