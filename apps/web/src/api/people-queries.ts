// What the settings ask of the lab. Every change invalidates the lists that it is in.
import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { getJson, postForNothing, postJson, remove, sendJson } from './client.js';
import { accountRemoved, signedInAs } from './auth.js';
import type {
  AccountDeletion,
  AuditPage,
  Invitation,
  MadeLink,
  MadeToken,
  Me,
  Member,
  NewToken,
  Project,
  Quota,
  Role,
  Session,
  Token,
  User,
} from './types.js';

const list = <T>(key: string, path: string) => ({
  queryKey: [key],
  queryFn: ({ signal }: { signal: AbortSignal }) => getJson<{ items: T[] }>(path, signal),
  select: ({ items }: { items: T[] }) => items,
});

export const useMembers = () => useQuery(list<Member>('members', '/members'));
export const useInvitations = (enabled: boolean) =>
  useQuery({ ...list<Invitation>('invitations', '/invitations'), enabled });
export const useTokens = () => useQuery(list<Token>('tokens', '/tokens'));
export const useSessions = (enabled: boolean) => useQuery({ ...list<Session>('sessions', '/me/sessions'), enabled });
export const useProjects = () => useQuery(list<Project>('projects', '/projects'));
export const useUsers = (cursor: string | undefined) =>
  useQuery({
    queryKey: ['users', cursor],
    queryFn: ({ signal }) =>
      getJson<{ items: User[]; nextCursor: string | null }>(
        `/users?limit=50${cursor === undefined ? '' : `&cursor=${cursor}`}`,
        signal,
      ),
    placeholderData: keepPreviousData,
  });

export function useProject(name: string | undefined) {
  return useQuery({
    queryKey: ['projects', name],
    queryFn: ({ signal }) => getJson<Project>(`/projects/${encodeURIComponent(name ?? '')}`, signal),
    enabled: name !== undefined,
    refetchInterval: 5000,
  });
}

export interface AuditFilter {
  action: string | undefined;
  actor: string | undefined;
  cursor: string | undefined;
  lab: boolean;
}

export function useAudit({ action, actor, cursor, lab }: AuditFilter) {
  const search = new URLSearchParams({ limit: '50', lab: lab ? '1' : '0' });
  for (const [name, value] of Object.entries({ action, actor, cursor })) {
    if (value !== undefined && value !== '') search.set(name, value);
  }
  return useQuery({
    queryKey: ['audit', search.toString()],
    queryFn: ({ signal }) => getJson<AuditPage>(`/audit?${search}`, signal),
    placeholderData: keepPreviousData,
  });
}

/** A change, and which lists show it. */
export function useChange<Input, Output>(keys: readonly string[], change: (input: Input) => Promise<Output>) {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: change,
    onSuccess: () => Promise.all(keys.map((key) => queryClient.invalidateQueries({ queryKey: [key] }))),
  });
}

export const useChangeRole = () =>
  useChange(['members'], ({ userId, role }: { userId: string; role: Role }) =>
    sendJson<Member>('PUT', `/members/${userId}`, { role }),
  );
export const useRemoveMember = () => useChange(['members', 'tokens'], (userId: string) => remove(`/members/${userId}`));
export const useInvite = () =>
  useChange(['invitations'], (invitation: { role: Role; note: string }) =>
    postJson<MadeLink>('/invitations', invitation),
  );
export const useWithdraw = () => useChange(['invitations'], (id: string) => remove(`/invitations/${id}`));
export const useMakeToken = () => useChange(['tokens'], (token: NewToken) => postJson<MadeToken>('/tokens', token));
export const useRevokeToken = () => useChange(['tokens'], (id: string) => remove(`/tokens/${id}`));
export const useEndSession = () => useChange(['sessions'], (id: string) => remove(`/me/sessions/${id}`));
export const useChangePassword = () =>
  useChange(['sessions'], (change: { current: string; next: string }) => postForNothing('/me/password', change));
export const useMakeProject = () =>
  useChange(['projects'], async (name: string) => {
    await postJson<Project>('/projects', { name });
    signedInAs(await getJson<Me>('/me'));
  });
export const useSetQuota = () =>
  useChange(['projects'], ({ project, quota }: { project: string; quota: Partial<Quota> }) =>
    sendJson<Project>('PATCH', `/projects/${encodeURIComponent(project)}`, { quota }),
  );
export const useChangeUser = () =>
  useChange(['users'], ({ id, ...change }: { id: string; operator?: boolean; disabled?: boolean }) =>
    sendJson<User>('PATCH', `/users/${id}`, change),
  );
export const usePasswordLink = () =>
  useChange([], (id: string) => postJson<MadeLink>(`/users/${id}/password-link`, {}));
export const useRename = () =>
  useChange([], async (name: string) => {
    await sendJson<User>('PATCH', '/me', { name });
    signedInAs(await getJson<Me>('/me'));
  });
export const useRemoveUser = () => useChange(['users', 'members'], (id: string) => remove(`/users/${id}`));
export const useRemoveAccount = () =>
  useChange([], async (deletion: AccountDeletion) => {
    await postForNothing('/me/deletion', deletion);
    accountRemoved();
  });
