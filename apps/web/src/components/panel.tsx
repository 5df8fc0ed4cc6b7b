import type { ReactNode } from 'react';

/** A part of a page: a card with a heading. */
export function Panel({
  title,
  help,
  action,
  children,
}: {
  title: string;
  help?: string;
  /** At the end of the heading. */
  action?: ReactNode;
  children: ReactNode;
}) {
  return (
    <section className="card" aria-label={title}>
      <div className="card-head">
        <div>
          <h2>{title}</h2>
          {help !== undefined && <p className="muted">{help}</p>}
        </div>
        {action}
      </div>
      {children}
    </section>
  );
}
