import { useState, type FormEvent } from 'react';
import { useMe } from '../api/auth.js';
import { useChangePassword, useEndSession, useRemoveAccount, useRename, useSessions } from '../api/people-queries.js';
import { errorsIn, errorsOfField } from '../api/problem.js';
import type { Session, User } from '../api/types.js';
import { TextField } from '../components/fields.js';
import { ACTIONS, DataTable } from '../components/data-table.js';
import { Notice } from '../components/feedback.js';
import { TimeAgo } from '../components/time-ago.js';
import { Panel } from '../components/panel.js';
import { Answered, ChangeError } from './panel-parts.js';
import { ROLE_NAMES } from './roles.js';

/** The person who is signed in: who he is, his password, his browsers. */
export function AccountPanel() {
  const me = useMe();
  return (
    <>
      <Panel title="You">
        <div className="card-body">
          <dl className="facts">
            <dt>Signed in as</dt>
            <dd>{me.label}</dd>
            {me.operator && (
              <>
                <dt>Lab</dt>
                <dd>Operator</dd>
              </>
            )}
            <dt>Projects</dt>
            <dd>
              {me.projects
                .slice(0, 20)
                .map(({ name, role }) => (role === null ? name : `${name} (${ROLE_NAMES[role].toLowerCase()})`))
                .join(', ') || 'none'}
            </dd>
          </dl>
        </div>
      </Panel>
      {me.kind === 'person' && me.user ? (
        <Person user={me.user} />
      ) : (
        <Notice title="You are signed in with a token">
          Invite yourself under Members to have an account of your own, with a password and a name in the audit log.
        </Notice>
      )}
    </>
  );
}

function Person({ user }: { user: User }) {
  const sessions = useSessions(true);
  return (
    <>
      <Name user={user} />
      {user.hasPassword && <Password />}
      <Panel title="Browsers" help="Where you are signed in.">
        <Answered query={sessions} what="sessions">
          {(items) => <Sessions items={items} />}
        </Answered>
      </Panel>
      <DeleteAccount user={user} />
    </>
  );
}

function Name({ user }: { user: User }) {
  const [name, setName] = useState(user.name);
  const rename = useRename();
  return (
    <Panel title="Name">
      <form
        className="card-body form-row"
        onSubmit={(event) => {
          event.preventDefault();
          rename.mutate(name);
        }}
      >
        <TextField label="Shown name" value={name} onChange={setName} autoComplete="name" />
        <button type="submit" className="button" disabled={name === user.name || rename.isPending}>
          Save
        </button>
      </form>
      <ChangeError error={rename.error} />
    </Panel>
  );
}

function Password() {
  const [values, setValues] = useState({ current: '', next: '' });
  const change = useChangePassword();
  const errors = errorsIn(change.error);
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    change.mutate(values, { onSuccess: () => setValues({ current: '', next: '' }) });
  };
  const field = (name: 'current' | 'next') => ({
    type: 'password',
    value: values[name],
    errors: errorsOfField(errors, name),
    onChange: (value: string) => setValues({ ...values, [name]: value }),
  });
  return (
    <Panel title="Password" help="Changing it signs your other browsers out.">
      <form className="card-body form-row" onSubmit={submit}>
        <TextField label="Current password" autoComplete="current-password" {...field('current')} />
        <TextField label="New password" autoComplete="new-password" help="At least 12 characters" {...field('next')} />
        <button type="submit" className="button" disabled={change.isPending || values.next === ''}>
          Change
        </button>
      </form>
      {change.isSuccess && (
        <div className="card-body">
          <Notice title="Your password is changed" />
        </div>
      )}
      <ChangeError error={change.error} shownFields={['current', 'next']} />
    </Panel>
  );
}

function DeleteAccount({ user }: { user: User }) {
  const [login, setLogin] = useState('');
  const [password, setPassword] = useState('');
  const remove = useRemoveAccount();
  const errors = errorsIn(remove.error);
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    remove.mutate({ login, ...(user.hasPassword && { password }) });
  };
  return (
    <Panel
      title="Delete account"
      help="Your name, tokens and browsers are forgotten, for good. Jobs and images stay with their projects, and the audit log keeps what was done, without your name."
    >
      <form className="card-body form-row" onSubmit={submit}>
        <TextField
          label={`Type “${user.login}”`}
          value={login}
          onChange={setLogin}
          errors={errorsOfField(errors, 'login')}
        />
        {user.hasPassword && (
          <TextField
            label="Your password"
            type="password"
            autoComplete="current-password"
            value={password}
            onChange={setPassword}
            errors={errorsOfField(errors, 'password')}
          />
        )}
        <button type="submit" className="button danger" disabled={remove.isPending || login !== user.login}>
          Delete my account
        </button>
      </form>
      <ChangeError error={remove.error} shownFields={['login', 'password']} />
    </Panel>
  );
}

function Sessions({ items }: { items: readonly Session[] }) {
  const end = useEndSession();
  return (
    <>
      <ChangeError error={end.error} />
      <DataTable
        label="Browsers"
        items={items}
        keyOf={({ id }) => id}
        columns={[
          {
            head: 'Browser',
            phone: 'title',
            className: 'wide-cell',
            cell: ({ userAgent, current }) => (
              <>
                {browserName(userAgent)} {current && <span className="tag">this one</span>}
              </>
            ),
          },
          { head: 'Address', className: 'nowrap', cell: ({ address }) => address },
          { head: 'Last used', className: 'nowrap muted', cell: ({ lastUsedAt }) => <TimeAgo iso={lastUsedAt} /> },
          {
            ...ACTIONS,
            cell: ({ id, userAgent, current }) =>
              !current && (
                <button
                  type="button"
                  className="button small"
                  aria-label={`Sign out ${browserName(userAgent)}`}
                  onClick={() => end.mutate(id)}
                >
                  Sign out
                </button>
              ),
          },
        ]}
      />
    </>
  );
}

/** "Mozilla/5.0 (X11; Linux x86_64) … Chrome/140.0 Safari/537.36" → "Chrome on Linux"; else what it says of itself. */
function browserName(userAgent: string): string {
  const browser = /(Firefox|Edg|OPR|Chrome|Safari)\/[\d.]+/.exec(userAgent)?.[1];
  const system = /(Windows|Mac OS|Android|iPhone|iPad|Linux)/.exec(userAgent)?.[1];
  if (browser === undefined) return userAgent || 'unknown';
  const names: Readonly<Record<string, string>> = { Edg: 'Edge', OPR: 'Opera' };
  return `${names[browser] ?? browser}${system === undefined ? '' : ` on ${system}`}`;
}
