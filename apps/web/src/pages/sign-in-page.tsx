import { LogIn } from 'lucide-react';
import { useEffect, useState, type FormEvent } from 'react';
import { openSession, signedInAs } from '../api/auth.js';
import { parseProblem } from '../api/problem.js';
import type { Me } from '../api/types.js';
import { Notice } from '../components/feedback.js';
import { Logo } from '../components/logo.js';
import { OidcButton } from '../components/oidc-button.js';
import { Segmented } from '../components/segmented.js';
import { useTitle } from '../lib/use-title.js';

type Way = 'password' | 'token';

const WAY_KEY = 'bootlab.sign-in';
const WAYS: readonly { value: Way; label: string }[] = [
  { value: 'password', label: 'Password' },
  { value: 'token', label: 'Token' },
];

/** Why the OpenID provider's answer signed nobody in. */
const REFUSALS: Readonly<Record<string, string>> = {
  cancelled: 'You ended the sign-in before it was complete.',
  failed: 'The answer of the sign-in service was not valid. Try again.',
  unknown: 'There is no account for you in this lab. Ask an admin of a project for an invitation.',
  invitation: 'The invitation has been used, withdrawn or has expired. Ask for a new one.',
};

export function SignInPage({ ended }: { ended: boolean }) {
  useTitle('Sign in');
  const [way, setWay] = useState<Way>(() => (localStorage.getItem(WAY_KEY) === 'token' ? 'token' : 'password'));
  const [values, setValues] = useState({ login: '', password: '', token: '' });
  const [checking, setChecking] = useState(false);
  const [error, setError] = useState<string>();
  const refusal = useRefusal();

  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    const login = values.login.trim();
    const token = values.token.trim();
    if (way === 'token' ? token === '' : login === '' || values.password === '') {
      setError(way === 'token' ? 'Paste the token first.' : 'Type your login and password first.');
      return;
    }
    setChecking(true);
    setError(undefined);
    try {
      const response = await openSession(way === 'token' ? { token } : { login, password: values.password });
      if (response.ok) {
        localStorage.setItem(WAY_KEY, way);
        signedInAs((await response.json()) as Me);
        return;
      }
      const problem = parseProblem(response.status, response.statusText, await response.text());
      setError([problem.detail.replace(/\.?$/, '.'), problem.errors[0]?.mend].join(' '));
    } catch {
      setError('The lab does not answer. Is it running?');
    }
    setChecking(false);
  };

  const field = (name: 'login' | 'password' | 'token', label: string, type: string, autoComplete: string) => (
    <div className="field">
      <label htmlFor={name}>{label}</label>
      <input
        id={name}
        className={name === 'token' ? 'input mono' : 'input'}
        type={type}
        autoComplete={autoComplete}
        autoCapitalize="none"
        spellCheck={false}
        value={values[name]}
        aria-invalid={error !== undefined}
        aria-describedby="sign-in-message"
        onChange={(event) => setValues({ ...values, [name]: event.target.value })}
      />
    </div>
  );

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
        {ended && (
          <Notice tone="timeout" title="You are no longer signed in">
            Sign in again; nothing was lost.
          </Notice>
        )}
        {refusal !== undefined && (
          <Notice tone="fail" title="Nobody was signed in">
            {refusal}
          </Notice>
        )}
        <Segmented legend="How to sign in" value={way} options={WAYS} onChange={setWay} />
        {way === 'password' ? (
          <>
            {field('login', 'Login', 'text', 'username')}
            {field('password', 'Password', 'password', 'current-password')}
          </>
        ) : (
          field('token', 'Access token', 'password', 'off')
        )}
        <div id="sign-in-message" role="status">
          {error !== undefined && <span className="field-error">{error}</span>}
        </div>
        <button type="submit" className="button primary" disabled={checking}>
          {checking ? <span className="spinner" aria-hidden /> : <LogIn size={16} aria-hidden />}
          Sign in
        </button>
        <OidcButton onError={setError} />
        <p className="sign-in-foot">
          The lab prints a token and a sign-in link when it starts. On a shared lab, ask an admin of your project for an
          invitation.
        </p>
      </form>
    </main>
  );
}

/** What `?sign-in=` says; taken out of the address, so that a reload does not say it again. */
function useRefusal(): string | undefined {
  const [refusal] = useState(() => REFUSALS[new URLSearchParams(location.search).get('sign-in') ?? '']);
  useEffect(() => {
    if (refusal !== undefined) history.replaceState(history.state, '', location.pathname);
  }, [refusal]);
  return refusal;
}
