import { KeyRound } from 'lucide-react';
import { useEffect, useState } from 'react';
import { getJson, postJson } from '../api/client.js';
import type { SignInMethods } from '../api/types.js';

/** Leads to the sign-in service of the lab, where it has one. */
export function OidcButton({ invitation, onError }: { invitation?: string; onError(message: string): void }) {
  const [name, setName] = useState<string>();
  useEffect(() => {
    const abort = new AbortController();
    // Without an answer there is no button; the other ways say then that the lab does not answer.
    getJson<SignInMethods>('/session/methods', abort.signal).then(
      ({ oidc }) => setName(oidc?.name),
      () => undefined,
    );
    return () => abort.abort();
  }, []);
  if (name === undefined) return null;
  const go = async (): Promise<void> => {
    try {
      const { url } = await postJson<{ url: string }>('/session/oidc', { invitation });
      location.assign(url);
    } catch (error) {
      onError(error instanceof Error ? error.message : String(error));
    }
  };
  return (
    <button type="button" className="button" onClick={() => void go()}>
      <KeyRound size={16} aria-hidden />
      Continue with {name}
    </button>
  );
}
