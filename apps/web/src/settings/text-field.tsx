import { useId, type HTMLInputTypeAttribute, type ReactNode } from 'react';
import type { FieldError } from '../api/types.js';
import { FieldErrors } from '../submit/field-errors.js';

/** One line of text with its label, its help and what is wrong with it. */
export function TextField({
  label,
  value,
  onChange,
  errors = [],
  help,
  type = 'text',
  autoComplete = 'off',
  inputMode,
  placeholder,
}: {
  label: ReactNode;
  value: string;
  onChange(value: string): void;
  errors?: readonly FieldError[];
  help?: string;
  type?: HTMLInputTypeAttribute;
  autoComplete?: string;
  inputMode?: 'numeric';
  placeholder?: string;
}) {
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <input
        id={id}
        className="input"
        type={type}
        autoComplete={autoComplete}
        autoCapitalize="none"
        spellCheck={false}
        inputMode={inputMode}
        placeholder={placeholder}
        value={value}
        aria-invalid={errors.length > 0}
        aria-describedby={`${id}-help ${id}-errors`}
        onChange={(event) => onChange(event.target.value)}
      />
      <div id={`${id}-help`} className="field-help">
        {help}
      </div>
      <FieldErrors id={`${id}-errors`} errors={errors} />
    </div>
  );
}
