// The access token: kept in localStorage, taken from the printed `#token=…` link, dropped when the lab refuses it.
import { useSyncExternalStore } from 'react';

const KEY = 'bootlab.token';
const listeners = new Set<() => void>();
let refused = false;

function changed(): void {
  for (const listener of listeners) listener();
}

export function currentToken(): string | null {
  return localStorage.getItem(KEY);
}

export function signIn(token: string): void {
  refused = false;
  localStorage.setItem(KEY, token);
  changed();
}

export function signOut(): void {
  refused = false;
  localStorage.removeItem(KEY);
  changed();
}

/** The lab answered 401: the token is of no more use. */
export function tokenRefused(token: string | null): void {
  if (token === null || token !== currentToken()) return;
  refused = true;
  localStorage.removeItem(KEY);
  changed();
}

/** True after the lab refused the token this page was using, until the next sign-in. */
export function wasRefused(): boolean {
  return refused;
}

/** Takes the token out of the address (`#token=…`), so that neither history nor a shared link carries it. */
export function takeTokenFromAddress(): void {
  const token = new URLSearchParams(location.hash.slice(1)).get('token');
  if (token === null) return;
  history.replaceState(history.state, '', location.pathname + location.search);
  if (token !== '') signIn(token);
}

export function useToken(): string | null {
  return useSyncExternalStore((listener) => {
    listeners.add(listener);
    // Another tab signing in or out.
    window.addEventListener('storage', listener);
    return () => {
      listeners.delete(listener);
      window.removeEventListener('storage', listener);
    };
  }, currentToken);
}
