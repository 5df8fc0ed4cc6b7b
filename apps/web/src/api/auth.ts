// Who is signed in. The lab keeps that in a cookie that scripts cannot read; these pages only know what it answers to
// "who am I", and which of a person's projects they show.
import { useSyncExternalStore } from 'react';
import type { Me } from './types.js';

export type AuthState =
  | { kind: 'unknown' }
  /** `ended`: it was somebody, until the lab said otherwise. */
  | { kind: 'signed-out'; ended: boolean }
  | { kind: 'signed-in'; me: Me; project: string | undefined }
  | { kind: 'unreachable' };

const PROJECT_KEY = 'bootlab.project';
export const PROJECT_HEADER = 'bootlab-project';
const API = '/api/v1';

let state: AuthState = { kind: 'unknown' };
const listeners = new Set<() => void>();

function become(next: AuthState): void {
  state = next;
  for (const listener of listeners) listener();
}

export function useAuth(): AuthState {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => state,
  );
}

/** The person or token that is signed in; for pages that are shown to nobody else. */
export function useMe(): Me {
  const auth = useAuth();
  if (auth.kind !== 'signed-in') throw new Error('useMe is used where nobody is signed in');
  return auth.me;
}

/** What the signed-in may do in the project that is shown. */
export function useScopes(): ReadonlySet<string> {
  const auth = useAuth();
  if (auth.kind !== 'signed-in') return new Set();
  return new Set(auth.me.projects.find(({ name }) => name === auth.project)?.scopes);
}

/** Name of the project that the pages show. */
export function currentProject(): string | undefined {
  return state.kind === 'signed-in' ? state.project : undefined;
}

/** Headers that every request carries. */
export function projectHeaders(): Record<string, string> {
  const project = currentProject();
  return project === undefined ? {} : { [PROJECT_HEADER]: project };
}

export function chooseProject(name: string): void {
  if (state.kind !== 'signed-in') return;
  localStorage.setItem(PROJECT_KEY, name);
  become({ ...state, project: name });
}

/** Somebody is signed in; also after a change of what he may do. */
export function signedInAs(me: Me): void {
  const names = me.projects.map(({ name }) => name);
  const kept = [currentProject(), localStorage.getItem(PROJECT_KEY)].find((name) => name && names.includes(name));
  become({ kind: 'signed-in', me, project: kept ?? names[0] });
}

/** The lab answered 401: the session is over. */
export function sessionRefused(): void {
  if (state.kind === 'signed-in') become({ kind: 'signed-out', ended: true });
}

/** Asks the lab who is signed in here. With a token in the address (`#token=…`) that one is, from now on. */
export async function start(): Promise<void> {
  const token = takeTokenFromAddress();
  try {
    const response = await (token ? openSession({ token }) : fetch(`${API}/me`));
    if (response.ok) signedInAs((await response.json()) as Me);
    else become({ kind: 'signed-out', ended: token !== undefined });
  } catch {
    become({ kind: 'unreachable' });
  }
}

export function openSession(credentials: { login: string; password: string } | { token: string }): Promise<Response> {
  return fetch(`${API}/session`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(credentials),
  });
}

export async function signOut(): Promise<void> {
  await fetch(`${API}/session`, { method: 'DELETE' });
  become({ kind: 'signed-out', ended: false });
}

/** The account is gone, and its sessions with it. */
export function accountRemoved(): void {
  become({ kind: 'signed-out', ended: false });
}

/** Takes the token out of the address, so that neither history nor a shared link carries it. */
function takeTokenFromAddress(): string | undefined {
  const token = new URLSearchParams(location.hash.slice(1)).get('token');
  if (token === null) return undefined;
  history.replaceState(history.state, '', location.pathname + location.search);
  return token === '' ? undefined : token;
}
