import { UserPlus } from 'lucide-react';
import { useState, type FormEvent } from 'react';
import { useScopes } from '../api/auth.js';
import {
  useChangeRole,
  useInvitations,
  useInvite,
  useMembers,
  useRemoveMember,
  useWithdraw,
} from '../api/people-queries.js';
import type { Invitation, Member, Role } from '../api/types.js';
import { TextField } from '../components/fields.js';
import { ACTIONS, DataTable } from '../components/data-table.js';
import { Empty } from '../components/feedback.js';
import { Panel } from '../components/panel.js';
import { formatDateTime } from '../lib/format.js';
import { Answered, ChangeError, ConfirmButton, lastSignInColumn, Secret } from './panel-parts.js';
import { ROLE_HELP, ROLE_NAMES, ROLES } from './roles.js';

/** Who is in the project, and for admins who is to come. */
export function MembersPanel() {
  const admin = useScopes().has('admin');
  const members = useMembers();
  const invitations = useInvitations(admin);
  return (
    <>
      {admin && <Invite />}
      <Panel title="Members" help={`${ROLES.map(helpOf).join('; ')}.`}>
        <Answered query={members} what="members">
          {(items) => <MemberTable items={items} admin={admin} />}
        </Answered>
      </Panel>
      {admin && invitations.data && invitations.data.length > 0 && (
        <Panel title="Open invitations">
          <InvitationTable items={invitations.data} />
        </Panel>
      )}
    </>
  );
}

const helpOf = (role: Role): string => `${ROLE_NAMES[role]}: ${ROLE_HELP[role]}`;

function RoleSelect({ label, value, onChange }: { label: string; value: Role; onChange(role: Role): void }) {
  return (
    <select
      className="input small"
      aria-label={label}
      value={value}
      onChange={(event) => onChange(ROLES.find((role) => role === event.target.value) ?? value)}
    >
      {ROLES.map((role) => (
        <option key={role} value={role}>
          {ROLE_NAMES[role]}
        </option>
      ))}
    </select>
  );
}

function Invite() {
  const [note, setNote] = useState('');
  const [role, setRole] = useState<Role>('submitter');
  const invite = useInvite();
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    invite.mutate({ note, role }, { onSuccess: () => setNote('') });
  };
  return (
    <Panel title="Invite somebody" help="Makes a link that lets one person in, within a week.">
      <form className="card-body form-row" onSubmit={submit}>
        <TextField label="For whom" value={note} onChange={setNote} placeholder="Ada, kernel team" />
        <label className="field">
          <span className="label">Role</span>
          <RoleSelect label="Role" value={role} onChange={setRole} />
        </label>
        <button type="submit" className="button primary" disabled={invite.isPending || note.trim() === ''}>
          <UserPlus size={16} aria-hidden />
          Make link
        </button>
      </form>
      <ChangeError error={invite.error} />
      {invite.data && (
        <Secret title="The invitation is made" secret={location.origin + invite.data.path}>
          Send this link to the person it is for: it is shown this once, and works once.
        </Secret>
      )}
    </Panel>
  );
}

function MemberTable({ items, admin }: { items: readonly Member[]; admin: boolean }) {
  const changeRole = useChangeRole();
  const remove = useRemoveMember();
  if (items.length === 0) {
    return (
      <Empty icon={<UserPlus size={40} strokeWidth={1.4} />} title="No members yet">
        <p>Whoever works here does so with a token. Invite people to give them accounts of their own.</p>
      </Empty>
    );
  }
  return (
    <>
      <ChangeError error={changeRole.error ?? remove.error} />
      <DataTable
        label="Members"
        items={items}
        keyOf={({ userId }) => userId}
        columns={[
          {
            head: 'Person',
            phone: 'title',
            className: 'wide-cell',
            cell: ({ name, login, disabled }) => (
              <>
                <strong>{name}</strong> {disabled && <span className="tag">disabled</span>}
                <div className="muted">{login}</div>
              </>
            ),
          },
          {
            head: 'Role',
            cell: ({ userId, login, role }) =>
              admin ? (
                <RoleSelect
                  label={`Role of ${login}`}
                  value={role}
                  onChange={(chosen) => changeRole.mutate({ userId, role: chosen })}
                />
              ) : (
                ROLE_NAMES[role]
              ),
          },
          lastSignInColumn(),
          {
            ...ACTIONS,
            cell: ({ userId, name, login }) =>
              admin && (
                <ConfirmButton
                  label="Remove"
                  name={`Remove ${login}`}
                  title={`Remove ${name}?`}
                  confirmLabel="Remove"
                  onConfirm={() => remove.mutate(userId)}
                >
                  {name} no longer sees this project, and tokens that {login} made for it stop working.
                </ConfirmButton>
              ),
          },
        ]}
      />
    </>
  );
}

function InvitationTable({ items }: { items: readonly Invitation[] }) {
  const withdraw = useWithdraw();
  return (
    <>
      <ChangeError error={withdraw.error} />
      <DataTable
        label="Open invitations"
        items={items}
        keyOf={({ id }) => id}
        columns={[
          { head: 'For', phone: 'title', className: 'wide-cell', cell: ({ note }) => <strong>{note}</strong> },
          { head: 'Role', cell: ({ role }) => ROLE_NAMES[role] },
          { head: 'Made by', cell: ({ createdBy }) => createdBy },
          {
            head: 'Good until',
            className: 'nowrap muted',
            cell: ({ expiresAt }) => formatDateTime(new Date(expiresAt)),
          },
          {
            ...ACTIONS,
            cell: ({ id, note }) => (
              <button
                type="button"
                className="button small"
                aria-label={`Withdraw the invitation for ${note}`}
                onClick={() => withdraw.mutate(id)}
              >
                Withdraw
              </button>
            ),
          },
        ]}
      />
    </>
  );
}
