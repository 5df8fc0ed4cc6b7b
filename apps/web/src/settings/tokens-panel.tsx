import { KeyRound, Plus } from 'lucide-react';
import { useState, type FormEvent } from 'react';
import { useMe, useScopes } from '../api/auth.js';
import { useMakeToken, useRevokeToken, useTokens } from '../api/people-queries.js';
import type { MadeToken, Scope, Token } from '../api/types.js';
import { ChecksField, SelectField, TextField } from '../components/fields.js';
import { ACTIONS, DataTable } from '../components/data-table.js';
import { Empty } from '../components/feedback.js';
import { TimeAgo } from '../components/time-ago.js';
import { Panel } from '../components/panel.js';
import { formatDateTime } from '../lib/format.js';
import { Answered, ChangeError, ConfirmButton, Secret, Tags } from './panel-parts.js';
import { SCOPE_HELP } from './roles.js';

const LIFETIMES = [
  { days: 7, label: '7 days' },
  { days: 30, label: '30 days' },
  { days: 90, label: '90 days' },
  { days: 365, label: 'a year' },
  { days: null, label: 'never' },
] as const;

/** Tokens for CI and scripts: one's own, for admins all of the project. */
export function TokensPanel() {
  const tokens = useTokens();
  const scopes = useScopes();
  const me = useMe();
  // As the lab has it: a token makes tokens only with the scope "admin".
  const mayMake = me.kind === 'person' || scopes.has('admin');
  return (
    <>
      {mayMake && <NewToken />}
      <Panel
        title="Tokens"
        help={scopes.has('admin') ? 'All tokens of this project.' : 'Your tokens for this project.'}
      >
        <Answered query={tokens} what="tokens">
          {(items) => <TokenTable items={items} mayRevoke={mayMake} />}
        </Answered>
      </Panel>
    </>
  );
}

function NewToken() {
  const available = [...useScopes()] as Scope[];
  const [name, setName] = useState('');
  const [scopes, setScopes] = useState<readonly Scope[]>(['read', 'submit']);
  const [days, setDays] = useState<number | null>(90);
  const [made, setMade] = useState<MadeToken>();
  const make = useMakeToken();
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    setMade(undefined);
    make.mutate(
      { name, scopes: scopes.filter((scope) => available.includes(scope)), expiresInDays: days },
      {
        onSuccess: (token) => {
          setMade(token);
          setName('');
        },
      },
    );
  };
  return (
    <Panel title="New token" help="For CI and scripts: they send it as “Authorization: Bearer <token>”.">
      <form className="card-body form-stack" onSubmit={submit}>
        <div className="form-row">
          <TextField label="Name" value={name} onChange={setName} placeholder="kernel CI" />
          <SelectField
            label="Expires after"
            value={String(days)}
            onChange={(value) => setDays(value === 'null' ? null : Number(value))}
          >
            {LIFETIMES.map(({ days: value, label }) => (
              <option key={label} value={String(value)}>
                {label}
              </option>
            ))}
          </SelectField>
        </div>
        <ChecksField
          label="May"
          values={scopes}
          options={available.map((scope) => ({
            value: scope,
            label: (
              <>
                <code>{scope}</code> <span className="muted">{SCOPE_HELP[scope]}</span>
              </>
            ),
          }))}
          onChange={setScopes}
        />
        <div>
          <button
            type="submit"
            className="button primary"
            disabled={make.isPending || name.trim() === '' || scopes.length === 0}
          >
            <Plus size={16} aria-hidden />
            Make token
          </button>
        </div>
      </form>
      <ChangeError error={make.error} />
      {made && (
        <Secret title={`The token “${made.token.name}” is made`} secret={made.secret}>
          Copy it now: it is shown this once, and the lab keeps only its hash.
        </Secret>
      )}
    </Panel>
  );
}

function TokenTable({ items, mayRevoke }: { items: readonly Token[]; mayRevoke: boolean }) {
  const revoke = useRevokeToken();
  if (items.length === 0) {
    return (
      <Empty icon={<KeyRound size={40} strokeWidth={1.4} />} title="No tokens yet">
        <p>A token lets CI submit jobs and read results without a person.</p>
      </Empty>
    );
  }
  return (
    <>
      <ChangeError error={revoke.error} />
      <DataTable
        label="Tokens"
        items={items}
        keyOf={({ id }) => id}
        columns={[
          {
            head: 'Token',
            phone: 'title',
            className: 'wide-cell',
            cell: (token) => (
              <>
                <strong>{token.name}</strong>
                <div className="muted mono">{token.prefix}…</div>
              </>
            ),
          },
          { head: 'May', cell: ({ scopes }) => <Tags items={scopes} /> },
          { head: 'Owner', cell: ({ owner }) => owner ?? <span className="muted">nobody</span> },
          {
            head: 'Last used',
            className: 'nowrap muted',
            cell: ({ lastUsedAt }) => (lastUsedAt === null ? 'never' : <TimeAgo iso={lastUsedAt} />),
          },
          {
            head: 'Expires',
            className: 'nowrap muted',
            cell: ({ expiresAt }) => (expiresAt === null ? 'never' : formatDateTime(new Date(expiresAt))),
          },
          {
            ...ACTIONS,
            cell: (token) =>
              mayRevoke && (
                <ConfirmButton
                  label="Revoke"
                  name={`Revoke ${token.name}`}
                  title={`Revoke “${token.name}”?`}
                  confirmLabel="Revoke"
                  onConfirm={() => revoke.mutate(token.id)}
                >
                  Whatever uses it is refused from now on. This cannot be undone.
                </ConfirmButton>
              ),
          },
        ]}
      />
    </>
  );
}
