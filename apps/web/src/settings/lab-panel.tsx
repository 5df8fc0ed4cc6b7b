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
import { TextField } from '../components/fields.js';
import { ACTIONS, DataTable } from '../components/data-table.js';
import { Panel } from '../components/panel.js';
import { formatBytes, formatDurationMs } from '../lib/format.js';
import { Answered, ChangeError, ConfirmButton, lastSignInColumn, Secret } from './panel-parts.js';

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
  const seconds = (value: number): string => formatDurationMs(value * 1000);
  return (
    <DataTable
      label="Projects"
      items={items}
      keyOf={({ id }) => id}
      columns={[
        {
          head: 'Project',
          phone: 'title',
          cell: ({ name }) => (
            <button type="button" className="link" onClick={() => chooseProject(name)}>
              {name}
            </button>
          ),
        },
        {
          head: 'Boards',
          className: 'number nowrap',
          cell: ({ usage, quota }) => `${usage.runningBoards}${limit(quota.boards, String)}`,
        },
        {
          head: 'Board time',
          className: 'number nowrap',
          cell: ({ usage, quota }) => seconds(usage.cpuSeconds) + limit(quota.cpuSeconds, seconds),
        },
        {
          head: 'Storage',
          className: 'number nowrap',
          cell: ({ usage, quota }) => formatBytes(usage.storageBytes) + limit(quota.storageBytes, formatBytes),
        },
      ]}
    />
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
      <DataTable
        label="People"
        items={items}
        keyOf={({ id }) => id}
        columns={[
          {
            head: 'Person',
            phone: 'title',
            className: 'wide-cell',
            cell: ({ name, login, operator, disabled }) => (
              <>
                <strong>{name}</strong> {operator && <span className="tag">operator</span>}{' '}
                {disabled && <span className="tag">disabled</span>}
                <div className="muted">{login}</div>
              </>
            ),
          },
          lastSignInColumn(),
          {
            ...ACTIONS,
            cell: ({ id, name, login, operator, disabled }) =>
              id !== me.user?.id && (
                <>
                  <button
                    type="button"
                    className="button small"
                    aria-label={`${operator ? 'Remove operator' : 'Make operator'}: ${login}`}
                    onClick={() => change.mutate({ id, operator: !operator })}
                  >
                    {operator ? 'Remove operator' : 'Make operator'}
                  </button>
                  <button
                    type="button"
                    className="button small"
                    aria-label={`${disabled ? 'Enable' : 'Disable'} ${login}`}
                    onClick={() => change.mutate({ id, disabled: !disabled })}
                  >
                    {disabled ? 'Enable' : 'Disable'}
                  </button>
                  <button
                    type="button"
                    className="button small"
                    aria-label={`Make a password link for ${login}`}
                    onClick={() => link.mutate(id)}
                  >
                    Password link
                  </button>
                  <ConfirmButton
                    label="Delete"
                    name={`Delete ${login}`}
                    title={`Delete the account of ${name}?`}
                    confirmLabel="Delete"
                    onConfirm={() => remove.mutate(id)}
                  >
                    Tokens and browsers end now. The audit log keeps what was done, without the name. This cannot be
                    undone.
                  </ConfirmButton>
                </>
              ),
          },
        ]}
      />
    </>
  );
}
