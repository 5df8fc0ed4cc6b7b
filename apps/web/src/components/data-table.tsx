import { useEffect, useRef, useState, type ReactNode } from 'react';

export interface Column<T> {
  head: string;
  /** A phone shows each row as a card: a `title` stands in it without its heading, `wide` cells are not in it at all. */
  phone?: 'title' | 'wide';
  /** The heading is for those who hear it alone, as that of a column of buttons. */
  headHidden?: true;
  className?: string;
  cell(item: T): ReactNode;
}

/** Of buttons at the end of a row. */
export const ACTIONS = { head: 'Actions', headHidden: true, phone: 'title', className: 'actions' } as const;

/**
 * A table on a wide screen, a list of cards on a phone. The roles are said once more, since elements that are laid out as
 * cards lose them.
 */
export function DataTable<T>({
  label,
  columns,
  items,
  keyOf,
  className = '',
}: {
  label: string;
  columns: readonly Column<NoInfer<T>>[];
  items: readonly T[];
  keyOf(item: NoInfer<T>): string;
  className?: string;
}) {
  return (
    <TableScroll label={label}>
      <table className={`table cards-on-phone ${className}`} role="table">
        <thead role="rowgroup">
          <tr role="row">
            {columns.map(({ head, headHidden, className: of }) => (
              <th key={head} className={of} role="columnheader">
                {headHidden ? <span className="visually-hidden">{head}</span> : head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody role="rowgroup">
          {items.map((item) => (
            <tr key={keyOf(item)} role="row">
              {columns.map(({ head, phone, className: of, cell }) => (
                <td
                  key={head}
                  className={of}
                  role="cell"
                  data-phone={phone}
                  data-head={phone === undefined ? head : undefined}
                >
                  <div>{cell(item)}</div>
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </TableScroll>
  );
}

/** Scrolls sideways where there is no room; then the keyboard can do so as well. */
export function TableScroll({ label, children }: { label: string; children: ReactNode }) {
  const box = useRef<HTMLDivElement>(null);
  const [overflows, setOverflows] = useState(false);
  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const look = (): void => setOverflows(element.scrollWidth > element.clientWidth);
    const observer = new ResizeObserver(look);
    observer.observe(element);
    if (element.firstElementChild) observer.observe(element.firstElementChild);
    return () => observer.disconnect();
  }, []);
  return (
    <div ref={box} className="table-scroll" {...(overflows && { role: 'region', 'aria-label': label, tabIndex: 0 })}>
      {children}
    </div>
  );
}
