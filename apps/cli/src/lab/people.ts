// Who may do what: members, invitations and tokens of a project; for operators the people and projects of the lab.
import type {
  AuditPage,
  Invitation,
  MadeLink,
  MadeToken,
  Me,
  Member,
  NewInvitation,
  NewToken,
  Project,
  Quota,
  Role,
  Token,
  User,
  UserChange,
} from '@bootlab/lab';
import { ExitCode } from '../exit-codes.js';
import { chosen } from './choose.js';
import type { LabClient } from './client.js';
import { columns, printable, printJson, sizeText, timeText, type Output } from './output.js';

interface Page<T> {
  items: T[];
}

const whenOrNever = (iso: string | null): string => (iso === null ? 'never' : timeText(iso));

/** Prints who the token is, and what it may do where. @returns the exit status */
export async function whoAmI(client: LabClient, json: boolean, output: Output): Promise<number> {
  const me = await client.json<Me>('/me');
  if (json) return printJson(me, output);
  output.out.write(`${printable(me.label)} at ${client.connection.url}${me.operator ? ', operator of the lab' : ''}\n`);
  const rows = me.projects.map(({ name, role, scopes }) => [name, role ?? '-', scopes.join(' ')]);
  output.out.write(columns([['PROJECT', 'ROLE', 'MAY'], ...rows]));
  return ExitCode.pass;
}

/** Prints the members of the project. @returns the exit status */
export async function listMembers(client: LabClient, json: boolean, output: Output): Promise<number> {
  const { items } = await client.json<Page<Member>>('/members');
  if (json) return printJson(items, output);
  const rows = items.map(({ login, role, lastSignInAt, disabled, name }) => [
    login,
    role,
    whenOrNever(lastSignInAt),
    printable(name) + (disabled ? ' (disabled)' : ''),
  ]);
  output.out.write(columns([['LOGIN', 'ROLE', 'LAST SIGN-IN', 'NAME'], ...rows]));
  return ExitCode.pass;
}

/** @returns the exit status */
export async function changeRole(client: LabClient, login: string, role: Role, { out }: Output): Promise<number> {
  const { userId } = await memberOf(client, login);
  await client.send<Member>('PUT', `/members/${userId}`, { role });
  out.write(`${login}: ${role}\n`);
  return ExitCode.pass;
}

/** @returns the exit status */
export async function removeMembers(client: LabClient, logins: readonly string[], { out }: Output): Promise<number> {
  for (const login of logins) {
    const { userId } = await memberOf(client, login);
    await client.delete(`/members/${userId}`);
    out.write(`${login}: no member any more\n`);
  }
  return ExitCode.pass;
}

async function memberOf(client: LabClient, login: string): Promise<Member> {
  const { items } = await client.json<Page<Member>>('/members');
  return chosen(items, login, 'member', { id: ({ userId }) => userId, names: (member) => [member.login] });
}

/** Makes a link that lets one person into the project, and prints it. @returns the exit status */
export async function invite(client: LabClient, invitation: NewInvitation, { out }: Output): Promise<number> {
  const { path, expiresAt } = await client.post<MadeLink>('/invitations', invitation);
  out.write(`${client.page(path)}\nIt lets one person in, until ${timeText(expiresAt)}, and is shown this once.\n`);
  return ExitCode.pass;
}

/** Prints the invitations that nobody has used. @returns the exit status */
export async function listInvitations(client: LabClient, json: boolean, output: Output): Promise<number> {
  const { items } = await client.json<Page<Invitation>>('/invitations');
  if (json) return printJson(items, output);
  const rows = items.map(({ id, role, expiresAt, createdBy, note }) => [
    id,
    role,
    timeText(expiresAt),
    printable(createdBy),
    printable(note),
  ]);
  output.out.write(columns([['INVITATION', 'ROLE', 'GOOD UNTIL', 'MADE BY', 'FOR'], ...rows]));
  return ExitCode.pass;
}

/** @returns the exit status */
export async function withdrawInvitations(
  client: LabClient,
  references: readonly string[],
  { out }: Output,
): Promise<number> {
  const { items } = await client.json<Page<Invitation>>('/invitations');
  for (const reference of references) {
    const { id, note } = chosen(items, reference, 'open invitation', {
      id: (invitation) => invitation.id,
      names: (invitation) => [invitation.note],
    });
    await client.delete(`/invitations/${id}`);
    out.write(`${printable(note)}: withdrawn\n`);
  }
  return ExitCode.pass;
}

/** Prints one's tokens for the project; for admins all of them. @returns the exit status */
export async function listTokens(client: LabClient, json: boolean, output: Output): Promise<number> {
  const { items } = await client.json<Page<Token>>('/tokens');
  if (json) return printJson(items, output);
  const rows = items.map(({ id, prefix, scopes, owner, lastUsedAt, expiresAt, name }) => [
    id,
    `${prefix}…`,
    scopes.join(','),
    owner ?? '-',
    whenOrNever(lastUsedAt),
    whenOrNever(expiresAt),
    printable(name),
  ]);
  output.out.write(columns([['TOKEN', 'BEGINS', 'MAY', 'OWNER', 'LAST USED', 'EXPIRES', 'NAME'], ...rows]));
  return ExitCode.pass;
}

/** Makes a token, and prints it, this once: alone on its line, for scripts. @returns the exit status */
export async function addToken(client: LabClient, token: NewToken, { out }: Output): Promise<number> {
  const { secret } = await client.post<MadeToken>('/tokens', token);
  out.write(`${secret}\n`);
  return ExitCode.pass;
}

/** @returns the exit status */
export async function revokeTokens(client: LabClient, references: readonly string[], { out }: Output): Promise<number> {
  const { items } = await client.json<Page<Token>>('/tokens');
  for (const reference of references) {
    const token = chosen(items, reference, 'token', { id: ({ id }) => id, names: ({ name }) => [name] });
    await client.delete(`/tokens/${token.id}`);
    out.write(`${printable(token.name)}: revoked\n`);
  }
  return ExitCode.pass;
}

/** Prints everybody who has an account. @returns the exit status */
export async function listUsers(client: LabClient, json: boolean, output: Output): Promise<number> {
  const items = await allUsers(client);
  if (json) return printJson(items, output);
  const rows = items.map(({ login, operator, disabled, lastSignInAt, name }) => [
    login,
    [operator && 'operator', disabled && 'disabled'].filter(Boolean).join(',') || '-',
    whenOrNever(lastSignInAt),
    printable(name),
  ]);
  output.out.write(columns([['LOGIN', 'IS', 'LAST SIGN-IN', 'NAME'], ...rows]));
  return ExitCode.pass;
}

/** @param word what the person is then, for the line that is printed. @returns the exit status */
export async function changeUser(
  client: LabClient,
  login: string,
  change: UserChange,
  word: string,
  { out }: Output,
): Promise<number> {
  const { id } = await userOf(client, login);
  await client.send<User>('PATCH', `/users/${id}`, change);
  out.write(`${login}: ${word}\n`);
  return ExitCode.pass;
}

/** @returns the exit status */
export async function removeUser(client: LabClient, login: string, { out }: Output): Promise<number> {
  const { id } = await userOf(client, login);
  await client.delete(`/users/${id}`);
  out.write(`${login}: deleted for good\n`);
  return ExitCode.pass;
}

/** Makes a link with which somebody sets a new password, and prints it. @returns the exit status */
export async function passwordLink(client: LabClient, login: string, { out }: Output): Promise<number> {
  const { id } = await userOf(client, login);
  const { path, expiresAt } = await client.post<MadeLink>(`/users/${id}/password-link`, {});
  out.write(`${client.page(path)}\nIt sets a new password once, until ${timeText(expiresAt)}.\n`);
  return ExitCode.pass;
}

async function userOf(client: LabClient, login: string): Promise<User> {
  return chosen(await allUsers(client), login, 'person', { id: ({ id }) => id, names: (user) => [user.login] });
}

async function allUsers(client: LabClient): Promise<User[]> {
  const users: User[] = [];
  for (let cursor: string | null = ''; cursor !== null;) {
    const search: string = cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`;
    const page: Page<User> & { nextCursor: string | null } = await client.json(`/users?limit=200${search}`);
    users.push(...page.items);
    cursor = page.nextCursor;
  }
  return users;
}

/** Prints the projects that one sees, with what is used of their quotas. @returns the exit status */
export async function listProjects(client: LabClient, json: boolean, output: Output): Promise<number> {
  const { items } = await client.json<Page<Project>>('/projects');
  if (json) return printJson(items, output);
  const rows = items.map(({ name, usage, quota }) => [
    name,
    used(usage.runningBoards, quota.boards, String),
    used(usage.cpuSeconds, quota.cpuSeconds, hoursText),
    `${quota.periodHours / 24} d`,
    used(usage.storageBytes, quota.storageBytes, sizeText),
  ]);
  output.out.write(columns([['PROJECT', 'BOARDS', 'BOARD TIME', 'PERIOD', 'STORAGE'], ...rows]));
  return ExitCode.pass;
}

const hoursText = (seconds: number): string => `${(seconds / 3600).toFixed(1)} h`;
const used = (value: number, limit: number | null, text: (value: number) => string): string =>
  limit === null ? text(value) : `${text(value)} of ${text(limit)}`;

/** @returns the exit status */
export async function addProject(client: LabClient, name: string, { out }: Output): Promise<number> {
  await client.post<Project>('/projects', { name });
  out.write(`${name}: made\n`);
  return ExitCode.pass;
}

/** @returns the exit status */
export async function removeProject(client: LabClient, name: string, { out }: Output): Promise<number> {
  await client.delete(`/projects/${encodeURIComponent(name)}`);
  out.write(`${name}: removed\n`);
  return ExitCode.pass;
}

/** Changes those limits that are named; null is none. @returns the exit status */
export async function setQuota(
  client: LabClient,
  name: string,
  quota: Partial<Quota>,
  { out }: Output,
): Promise<number> {
  await client.send<Project>('PATCH', `/projects/${encodeURIComponent(name)}`, { quota });
  out.write(`${name}: quota set\n`);
  return ExitCode.pass;
}

export interface AuditOptions {
  action?: string;
  actor?: string;
  /** Of all projects, and what belongs to none. */
  lab: boolean;
  limit: number;
  json: boolean;
}

/** Prints who changed what, newest first. @returns the exit status */
export async function printAudit(
  client: LabClient,
  { json, lab, limit, ...filter }: AuditOptions,
  output: Output,
): Promise<number> {
  const search = new URLSearchParams({ limit: String(limit), lab: lab ? '1' : '0', ...filter });
  const { items } = await client.json<AuditPage>(`/audit?${search}`);
  if (json) return printJson(items, output);
  const rows = items.map(({ at, actor, action, status, address, target }) => [
    timeText(at),
    printable(actor),
    action,
    status >= 400 ? `refused ${status}` : 'done',
    address || '-',
    printable(target ?? '-'),
  ]);
  output.out.write(columns([['WHEN', 'WHO', 'WHAT', 'RESULT', 'FROM', 'TARGET'], ...rows]));
  return ExitCode.pass;
}
