import { LogIn } from 'lucide-react';
import { useState, type FormEvent } from 'react';
import { signIn, wasRefused } from '../api/auth.js';
import { tokenWorks } from '../api/queries.js';
import { Notice } from '../components/feedback.js';
import { Logo } from '../components/logo.js';
import { useTitle } from '../lib/use-title.js';

export function SignInPage() {
  useTitle('Sign in');
  const [token, setToken] = useState('');
  const [checking, setChecking] = useState(false);
  const [error, setError] = useState<string>();

  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    const trimmed = token.trim();
    if (trimmed === '') {
      setError('Paste the token first.');
      return;
    }
    setChecking(true);
    setError(undefined);
    try {
      if (await tokenWorks(trimmed)) signIn(trimmed);
      else setError('The lab does not know this token. Copy the whole token, without spaces.');
    } catch (failure) {
      setError(failure instanceof TypeError ? 'The lab does not answer. Is it running?' : String(failure));
    } finally {
      setChecking(false);
    }
  };

  return (
    <main className="centre">
      <form className="card sign-in" onSubmit={(event) => void submit(event)}>
        <span className="brand">
          <Logo size={34} />
          Bootlab
        </span>
        <div>
          <h1>Sign in</h1>
          <p className="muted">Emulated boards, live in your browser.</p>
        </div>
        {wasRefused() && (
          <Notice tone="timeout" title="Your token is no longer valid">
            Sign in with a new one; nothing was lost.
          </Notice>
        )}
        <div className="field">
          <label htmlFor="token">Access token</label>
          <input
            id="token"
            className="input mono"
            type="password"
            autoComplete="current-password"
            autoFocus
            spellCheck={false}
            value={token}
            aria-invalid={error !== undefined}
            aria-describedby="token-message"
            onChange={(event) => setToken(event.target.value)}
          />
          <div id="token-message" role="status">
            {error !== undefined && <span className="field-error">{error}</span>}
          </div>
        </div>
        <button type="submit" className="button primary" disabled={checking}>
          {checking ? <span className="spinner" aria-hidden /> : <LogIn size={16} aria-hidden />}
          Sign in
        </button>
        <p className="sign-in-foot">
          The lab prints a token and a sign-in link when it starts. On a shared lab, ask its operator for one.
        </p>
      </form>
    </main>
  );
}
