import { Plus, Trash2 } from 'lucide-react';
import type { Key, ReactNode } from 'react';
import { useRefocus } from '../lib/use-refocus.js';

/** Any number of the same, such as drives: a button beside each removes it, one below adds another. */
export function Rows<T>({
  what,
  rows,
  keyOf,
  onRemove,
  onAdd,
  children,
}: {
  /** What one of them is, for the buttons. */
  what: string;
  rows: readonly T[];
  keyOf(row: T, index: number): Key;
  onRemove(index: number): void;
  /** Without it there is room for no more. */
  onAdd: (() => void) | undefined;
  children(row: T, index: number): ReactNode;
}) {
  const { element, refocus } = useRefocus<HTMLDivElement>();
  return (
    <div ref={element} className="form-stack">
      {rows.map((row, index) => (
        <div className="drive-row" key={keyOf(row, index)}>
          {children(row, index)}
          <button
            type="button"
            className="button quiet icon small"
            aria-label={`Remove ${what} ${index + 1}`}
            onClick={() => {
              refocus('.row-add');
              onRemove(index);
            }}
          >
            <Trash2 size={15} aria-hidden />
          </button>
        </div>
      ))}
      {onAdd && (
        <div>
          <button type="button" className="button small row-add" onClick={onAdd}>
            <Plus size={14} aria-hidden />
            Add a {what}
          </button>
        </div>
      )}
    </div>
  );
}
