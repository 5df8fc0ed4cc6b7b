import type { UseQueryResult } from '@tanstack/react-query';
import { useState, type ReactNode } from 'react';
import { errorsElsewhere, errorsIn } from '../api/problem.js';
import { ConfirmDialog } from '../components/confirm-dialog.js';
import { CopyButton } from '../components/copy-button.js';
import type { Column } from '../components/data-table.js';
import { Failure, Loading, Notice } from '../components/feedback.js';
import { TimeAgo } from '../components/time-ago.js';

/** What a question to the lab answers, or that it is not there yet, or why not. */
export function Answered<T>({
  query,
  what,
  children,
}: {
  query: UseQueryResult<T>;
  what: string;
  children(data: T): ReactNode;
}) {
  if (query.data !== undefined) return children(query.data);
  if (query.error) return <Failure error={query.error} what={what} retry={() => void query.refetch()} />;
  return <Loading what={what} />;
}

/** Why the last change was refused; nothing where fields of a form say all of it. */
export function ChangeError({ error, shownFields = [] }: { error: Error | null; shownFields?: readonly string[] }) {
  if (!error) return null;
  const errors = errorsIn(error);
  const elsewhere = errorsElsewhere(errors, shownFields);
  if (errors.length > 0 && elsewhere.length === 0) return null;
  return (
    <div className="card-body">
      <Notice tone="fail" title={error.message}>
        {elsewhere[0]?.mend}
      </Notice>
    </div>
  );
}

/** A button that asks before it does what cannot be undone. */
export function ConfirmButton({
  label,
  name,
  title,
  confirmLabel,
  children,
  onConfirm,
}: {
  label: string;
  /** What the button says to those who hear it alone: it stands in a table. */
  name: string;
  title: string;
  confirmLabel: string;
  children: ReactNode;
  onConfirm(): void;
}) {
  const [asking, setAsking] = useState(false);
  return (
    <>
      <button type="button" className="button small danger" aria-label={name} onClick={() => setAsking(true)}>
        {label}
      </button>
      <ConfirmDialog
        open={asking}
        title={title}
        confirmLabel={confirmLabel}
        dismissLabel="Keep it"
        onConfirm={onConfirm}
        onClose={() => setAsking(false)}
      >
        {children}
      </ConfirmDialog>
    </>
  );
}

/** Something that the lab shows this once. */
export function Secret({ title, secret, children }: { title: string; secret: string; children: ReactNode }) {
  return (
    <div className="card-body secret" role="status">
      <Notice title={title}>{children}</Notice>
      <div className="secret-line">
        <code data-testid="secret">{secret}</code>
        <CopyButton text={secret} />
      </div>
    </div>
  );
}

/** Short words beside each other: scopes, events. */
export function Tags({ items }: { items: readonly string[] }) {
  return (
    <span className="tags">
      {items.map((item) => (
        <span key={item} className="tag">
          {item}
        </span>
      ))}
    </span>
  );
}

export const lastSignInColumn = <T extends { lastSignInAt: string | null }>(): Column<T> => ({
  head: 'Last sign-in',
  className: 'nowrap muted',
  cell: ({ lastSignInAt }) => (lastSignInAt === null ? 'never' : <TimeAgo iso={lastSignInAt} />),
});
