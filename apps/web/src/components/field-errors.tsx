import { CircleAlert } from 'lucide-react';
import type { FieldError } from '../api/types.js';

/** What is wrong with a field and how to mend it, right below the field that names this element in aria-describedby. */
export function FieldErrors({ id, errors }: { id: string; errors: readonly FieldError[] }) {
  return (
    <div id={id}>
      {errors.map((error) => (
        <div key={`${error.field} ${error.message}`} className="field-error">
          <CircleAlert size={15} aria-hidden />
          <span>
            {sentence(error.message)} <span className="mend">{sentence(error.mend)}</span>
          </span>
        </div>
      ))}
    </div>
  );
}

/** Messages come with and without their full stop. */
export function sentence(text: string): string {
  return /[.!?…]$/.test(text) ? text : `${text}.`;
}
