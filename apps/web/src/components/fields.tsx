// Fields of forms: each has its label, its help, and what is wrong with it right below.
import { useId, type InputHTMLAttributes, type ReactNode } from 'react';
import type { FieldError } from '../api/types.js';
import { FieldErrors } from './field-errors.js';
import { Segmented } from './segmented.js';

interface FieldProps {
  label: ReactNode;
  optional?: boolean;
  help?: ReactNode;
  errors?: readonly FieldError[];
}

interface Control {
  id: string;
  'aria-invalid': boolean;
  'aria-describedby': string;
}

function Field({
  label,
  optional = false,
  help,
  errors = [],
  children,
}: FieldProps & { children(control: Control): ReactNode }) {
  const id = useId();
  const described = help === undefined ? `${id}-errors` : `${id}-help ${id}-errors`;
  return (
    <div className="field">
      <label htmlFor={id}>
        {label} {optional && <span className="optional">optional</span>}
      </label>
      {children({ id, 'aria-invalid': errors.length > 0, 'aria-describedby': described })}
      {help !== undefined && (
        <span className="field-help" id={`${id}-help`}>
          {help}
        </span>
      )}
      <FieldErrors id={`${id}-errors`} errors={errors} />
    </div>
  );
}

type TextProps = FieldProps & {
  value: string;
  onChange(value: string): void;
  /** Code, a path, a size: in a font in which every character counts. */
  mono?: boolean;
  /** Several lines instead of one. */
  rows?: number;
  /** What may be picked instead of being typed. */
  suggestions?: readonly string[];
} & Pick<
    InputHTMLAttributes<HTMLInputElement>,
    'type' | 'autoComplete' | 'inputMode' | 'placeholder' | 'maxLength' | 'disabled'
  >;

/** Text that is taken as it is typed. */
export function TextField({
  value,
  onChange,
  mono = false,
  rows,
  suggestions,
  type = 'text',
  autoComplete = 'off',
  inputMode,
  placeholder,
  maxLength,
  disabled,
  ...field
}: TextProps) {
  const list = useId();
  const text = {
    className: mono ? 'input mono' : 'input',
    value,
    autoComplete,
    autoCapitalize: 'none',
    spellCheck: false,
    placeholder,
    maxLength,
    disabled,
  };
  return (
    <Field {...field}>
      {(control) =>
        rows === undefined ? (
          <>
            <input
              {...control}
              {...text}
              type={type}
              inputMode={inputMode}
              list={suggestions && list}
              onChange={(event) => onChange(event.target.value)}
            />
            {suggestions && (
              <datalist id={list}>
                {suggestions.map((suggestion) => (
                  <option key={suggestion} value={suggestion} />
                ))}
              </datalist>
            )}
          </>
        ) : (
          <textarea {...control} {...text} rows={rows} onChange={(event) => onChange(event.target.value)} />
        )
      }
    </Field>
  );
}

/** One of several, in a list that opens. */
export function SelectField({
  value,
  onChange,
  children,
  ...field
}: FieldProps & { value: string; onChange(value: string): void; children: ReactNode }) {
  return (
    <Field {...field}>
      {(control) => (
        <select {...control} className="input" value={value} onChange={(event) => onChange(event.target.value)}>
          {children}
        </select>
      )}
    </Field>
  );
}

/** Any of a few. */
export function ChecksField<T extends string>({
  label,
  values,
  options,
  onChange,
}: {
  label: string;
  values: readonly T[];
  options: readonly { value: T; label: ReactNode }[];
  onChange(values: T[]): void;
}) {
  return (
    <fieldset className="checks">
      <legend className="field-legend">{label}</legend>
      {options.map(({ value, label: name }) => (
        <label key={value} className="check">
          <input
            type="checkbox"
            checked={values.includes(value)}
            onChange={({ target }) =>
              onChange(target.checked ? [...values, value] : values.filter((other) => other !== value))
            }
          />
          <span>{name}</span>
        </label>
      ))}
    </fieldset>
  );
}

/** One of a few, all of them in sight. */
export function ChoiceField<T extends string>({
  label,
  help,
  errors = [],
  ...choice
}: {
  label: string;
  help?: string;
  errors?: readonly FieldError[];
  value: T;
  options: readonly { value: T; label: string }[];
  onChange(value: NoInfer<T>): void;
}) {
  const id = useId();
  return (
    <div className="field">
      <span className="label">{label}</span>
      <Segmented legend={label} {...choice} />
      {help !== undefined && <span className="field-help">{help}</span>}
      <FieldErrors id={`${id}-errors`} errors={errors} />
    </div>
  );
}
