import { UserPlus } from 'lucide-react';
import { useEffect, useState, type FormEvent } from 'react';
import { useAuth } from '../api/auth.js';
import { postJson } from '../api/client.js';
import { ApiError, errorsIn } from '../api/problem.js';
import type { FieldError, InvitationView, Me } from '../api/types.js';
import { Empty, Loading } from '../components/feedback.js';
import { Logo } from '../components/logo.js';
import { OidcButton } from '../components/oidc-button.js';
import { ROLE_NAMES } from '../settings/roles.js';
import { FieldErrors } from '../components/field-errors.js';
import { TextField } from '../components/fields.js';
import { useTitle } from '../lib/use-title.js';

const secret = (): string => location.hash.slice(1);

/** What somebody sees who opens a link that lets him in: a new account, a further project, or a new password. */
export function InvitationPage() {
  useTitle('Invitation');
  const [view, setView] = useState<InvitationView>();
  const [error, setError] = useState<Error>();
  const ask = (): void => {
    setError(undefined);
    postJson<InvitationView>('/invitations/view', { secret: secret() }).then(setView, setError);
  };
  useEffect(ask, []);
  return (
    <main className="centre">
      {view ? (
        <Invitation view={view} />
      ) : error ? (
        <Refused error={error} retry={ask} />
      ) : (
        <Loading what="invitation" />
      )}
    </main>
  );
}

/** A link that is no good any more is another thing than a lab that does not say so, being asked too often or not reached. */
function Refused({ error, retry }: { error: Error; retry(): void }) {
  const status = error instanceof ApiError ? error.status : undefined;
  const isNoLink = status === 404 || status === 422;
  const mend = errorsIn(error)[0]?.mend;
  return (
    <Empty
      wholePage
      icon={<UserPlus size={40} strokeWidth={1.4} />}
      title={isNoLink ? 'This link lets nobody in' : 'The lab does not say what this link is worth'}
      actions={
        isNoLink ? (
          <a className="button" href="/">
            Go to the lab
          </a>
        ) : (
          <button type="button" className="button" onClick={retry}>
            Try again
          </button>
        )
      }
    >
      <p>
        {error.message.replace(/\.?$/, '.')} {isNoLink ? 'Ask whoever sent it for a new one.' : mend}
      </p>
    </Empty>
  );
}

function Invitation({ view }: { view: InvitationView }) {
  const auth = useAuth();
  const person = auth.kind === 'signed-in' && auth.me.kind === 'person' ? auth.me.user : null;
  const [values, setValues] = useState({ login: '', name: '', password: '' });
  const [errors, setErrors] = useState<readonly FieldError[]>([]);
  const [busy, setBusy] = useState(false);
  const setsPassword = view.kind === 'password';
  const joinsAsNew = !setsPassword && person === null;

  const accept = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    try {
      await (setsPassword
        ? postJson<Me>('/invitations/password', { secret: secret(), password: values.password })
        : postJson<Me>('/invitations/accept', {
            secret: secret(),
            ...(joinsAsNew && { account: { ...values, login: values.login.toLowerCase() } }),
          }));
      location.replace('/'); // signed in by the cookie that came with the answer
    } catch (error) {
      const detail = error instanceof Error ? error.message : String(error);
      const fields = errorsIn(error);
      setErrors(fields.length > 0 ? fields : [{ field: '', message: detail, mend: 'Try again.' }]);
      setBusy(false);
    }
  };
  const of = (name: string): FieldError[] => errors.filter(({ field }) => field.split('.').at(-1) === name);
  const field = (name: keyof typeof values) => ({
    value: values[name],
    errors: of(name),
    onChange: (value: string) => setValues({ ...values, [name]: value }),
  });

  return (
    <form className="card sign-in" onSubmit={(event) => void accept(event)}>
      <span className="brand">
        <Logo size={34} />
        Bootlab
      </span>
      <div>
        <h1>{setsPassword ? 'Set a new password' : `Join ${view.project}`}</h1>
        <p className="muted">
          {setsPassword
            ? `For ${view.login}.`
            : `You are invited as ${ROLE_NAMES[view.role ?? 'viewer'].toLowerCase()}.`}
          {person && !setsPassword && ` You join as ${person.login}.`}
        </p>
      </div>
      {joinsAsNew && (
        <>
          <TextField label="Login" autoComplete="username" help="Lower-case letters and digits" {...field('login')} />
          <TextField label="Name" autoComplete="name" {...field('name')} />
        </>
      )}
      {(joinsAsNew || setsPassword) && (
        <TextField
          label="Password"
          type="password"
          autoComplete="new-password"
          help="At least 12 characters"
          {...field('password')}
        />
      )}
      <FieldErrors
        id="invitation-errors"
        errors={errors.filter(
          ({ field: path }) => !['login', 'name', 'password'].includes(path.split('.').at(-1) ?? ''),
        )}
      />
      <button type="submit" className="button primary" disabled={busy}>
        {setsPassword ? 'Set password' : 'Join'}
      </button>
      {joinsAsNew && (
        <OidcButton
          invitation={secret()}
          onError={(message) => setErrors([{ field: '', message, mend: 'Try again.' }])}
        />
      )}
      {joinsAsNew && (
        <p className="sign-in-foot">
          You have an account already? <a href="/">Sign in</a> first and open the link again.
        </p>
      )}
    </form>
  );
}
