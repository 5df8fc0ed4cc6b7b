import { Plus } from 'lucide-react';
import { useState, type FormEvent } from 'react';
import { chooseProject, useMe } from '../api/auth.js';
import {
  useChangeUser,
  useMakeProject,
  usePasswordLink,
  useProjects,
  useRemoveUser,
  useUsers,
} from '../api/people-queries.js';
import type { Project, User } from '../api/types.js';
import { TimeAgo } from '../components/time-ago.js';
import { formatBytes, formatDurationMs } from '../lib/format.js';
import { Answered, ChangeError, ConfirmButton, Panel, Secret } from './panel.js';
import { TextField } from './text-field.js';

/** Projects and people of the whole lab, for its operators. */
export function LabPanel() {
  const projects = useProjects();
  const [cursor, setCursor] = useState<string>();
  const users = useUsers(cursor);
  return (
    <>
      <NewProject />
      <Panel title="Projects">
        <Answered query={projects} what="projects">
          {(items) => <ProjectTable items={items} />}
        </Answered>
      </Panel>
      <Panel title="People">
        <Answered query={users} what="people">
          {({ items, nextCursor }) => (
            <>
              <UserTable items={items} />
              {(cursor !== undefined || nextCursor !== null) && (
                <nav className="card-body pager" aria-label="Pages">
                  <button type="button" className="button small" onClick={() => setCursor(undefined)}>
                    First
                  </button>
                  {nextCursor !== null && (
                    <button type="button" className="button small" onClick={() => setCursor(nextCursor)}>
                      Next
                    </button>
                  )}
                </nav>
              )}
            </>
          )}
        </Answered>
      </Panel>
    </>
  );
}

function NewProject() {
  const [name, setName] = useState('');
  const make = useMakeProject();
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    make.mutate(name, { onSuccess: () => setName('') });
  };
  return (
    <Panel title="New project">
      <form className="card-body form-row" onSubmit={submit}>
        <TextField label="Name" value={name} onChange={setName} help="Lower-case letters, digits, dots and dashes" />
        <button type="submit" className="button primary" disabled={make.isPending || name === ''}>
          <Plus size={16} aria-hidden />
          Make project
        </button>
      </form>
      <ChangeError error={make.error} />
    </Panel>
  );
}

function ProjectTable({ items }: { items: readonly Project[] }) {
  const limit = (value: number | null, format: (value: number) => string): string =>
    value === null ? '' : ` / ${format(value)}`;
  return (
    <div className="table-scroll">
      <table className="table">
        <thead>
          <tr>
            <th>Project</th>
            <th className="number">Boards</th>
            <th className="number">Board time</th>
            <th className="number">Storage</th>
          </tr>
        </thead>
        <tbody>
          {items.map(({ id, name, usage, quota }) => (
            <tr key={id}>
              <td>
                <button type="button" className="link" onClick={() => chooseProject(name)}>
                  {name}
                </button>
              </td>
              <td className="number nowrap">
                {usage.runningBoards}
                {limit(quota.boards, String)}
              </td>
              <td className="number nowrap">
                {formatDurationMs(usage.cpuSeconds * 1000)}
                {limit(quota.cpuSeconds, (seconds) => formatDurationMs(seconds * 1000))}
              </td>
              <td className="number nowrap">
                {formatBytes(usage.storageBytes)}
                {limit(quota.storageBytes, formatBytes)}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function UserTable({ items }: { items: readonly User[] }) {
  const me = useMe();
  const change = useChangeUser();
  const link = usePasswordLink();
  const remove = useRemoveUser();
  if (items.length === 0) return <p className="card-body muted">Nobody yet: people come by invitation to a project.</p>;
  return (
    <>
      <ChangeError error={change.error ?? link.error ?? remove.error} />
      {link.data && (
        <Secret title="The link is made" secret={location.origin + link.data.path}>
          With it a new password can be set, once, within a day. It is shown this once.
        </Secret>
      )}
      <div className="table-scroll">
        <table className="table">
          <thead>
            <tr>
              <th>Person</th>
              <th>Last sign-in</th>
              <th>
                <span className="visually-hidden">Actions</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {items.map((user) => (
              <tr key={user.id}>
                <td className="wide-cell">
                  <strong>{user.name}</strong> {user.operator && <span className="tag">operator</span>}{' '}
                  {user.disabled && <span className="tag">disabled</span>}
                  <div className="muted">{user.login}</div>
                </td>
                <td className="nowrap muted">
                  {user.lastSignInAt === null ? 'never' : <TimeAgo iso={user.lastSignInAt} />}
                </td>
                <td className="actions">
                  {user.id !== me.user?.id && (
                    <>
                      <button
                        type="button"
                        className="button small"
                        aria-label={`${user.operator ? 'Remove operator' : 'Make operator'}: ${user.login}`}
                        onClick={() => change.mutate({ id: user.id, operator: !user.operator })}
                      >
                        {user.operator ? 'Remove operator' : 'Make operator'}
                      </button>
                      <button
                        type="button"
                        className="button small"
                        aria-label={`${user.disabled ? 'Enable' : 'Disable'} ${user.login}`}
                        onClick={() => change.mutate({ id: user.id, disabled: !user.disabled })}
                      >
                        {user.disabled ? 'Enable' : 'Disable'}
                      </button>
                      <button
                        type="button"
                        className="button small"
                        aria-label={`Make a password link for ${user.login}`}
                        onClick={() => link.mutate(user.id)}
                      >
                        Password link
                      </button>
                      <ConfirmButton
                        label="Delete"
                        name={`Delete ${user.login}`}
                        title={`Delete the account of ${user.name}?`}
                        confirmLabel="Delete"
                        onConfirm={() => remove.mutate(user.id)}
                      >
                        Tokens and browsers end now. The audit log keeps what was done, without the name. This cannot be
                        undone.
                      </ConfirmButton>
                    </>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}
