import { Plus, Trash2 } from 'lucide-react';
import { useState } from 'react';
import { ARCHITECTURES, RESULT_FORMATS } from '@bootlab/lab';
import { errorsOfField } from '../api/problem.js';
import type { FieldError } from '../api/types.js';
import { Segmented } from '../components/segmented.js';
import { FieldErrors } from './field-errors.js';
import { FormErrors, RunFields, SubmitSide } from './form-parts.js';
import { ImageField } from './image-field.js';
import { checkProgram, newFile, specOfProgram, type FileRow, type ProgramState } from './program-state.js';
import { useSubmission } from './use-submission.js';

const SHOWN_FIELDS = [
  ...['name', 'arch', 'memory', 'program', 'arguments', 'environment', 'root', 'files', 'stdin', 'stdin_text'],
  ...['results', 'timeout', 'clock'],
];
/** Formats of a program's output as a whole. */
const FORMATS = RESULT_FORMATS.filter((format) => format !== 'exit-code' && format !== 'regex');
const ARCHITECTURE_NAMES = { mipsel: 'MIPS, little-endian', mips: 'MIPS, big-endian' } as const;

/** Uploads are called by their multipart field; files beside the program are `file0`, `file1`, … */
const formFieldOf = (upload: string): string => (/^file\d+$/.test(upload) ? 'files' : upload);

/** A job that runs a Linux program of another architecture, without a board. */
export function ProgramForm({ initial }: { initial: ProgramState }) {
  const [form, setForm] = useState(initial);
  const submission = useSubmission({
    check: () => checkProgram(form),
    build: () => specOfProgram(form),
    fieldOfUpload: formFieldOf,
  });
  const { errors, setErrors } = submission;
  /** Changes the form; what was wrong with the changed field is no longer known to be. */
  const change = (field: string, part: Partial<ProgramState>): void => {
    setForm((known) => ({ ...known, ...part }));
    setErrors((known) => known.filter((error) => !errorsOfField([error], field).length));
  };
  const of = (field: string): FieldError[] => errorsOfField(errors, field);

  return (
    <form ref={submission.element} className="submit-layout" noValidate onSubmit={submission.send}>
      <div className="submit-main">
        <FormErrors submission={submission} shown={SHOWN_FIELDS} />

        <section className="card" aria-labelledby="section-program">
          <div className="card-head">
            <h2 id="section-program">Program</h2>
          </div>
          <div className="card-body form-stack">
            <div className="field">
              <span className="label">Architecture</span>
              <Segmented
                legend="Architecture"
                value={form.arch}
                options={ARCHITECTURES.map((value) => ({ value, label: ARCHITECTURE_NAMES[value] }))}
                onChange={(arch) => change('arch', { arch })}
              />
              <FieldErrors id="arch-errors" errors={of('arch')} />
            </div>
            <ImageField
              label="Program"
              help="A Linux program, or a script that starts with #!"
              none="In the root"
              role="upload"
              choice={form.program}
              errors={form.program.kind === 'none' ? [] : of('program')}
              onChange={(program) => change('program', { program })}
            />
            {form.program.kind === 'none' && (
              <TextField
                id="path"
                label="Path in the root"
                placeholder="/usr/bin/env"
                value={form.path}
                errors={of('program')}
                onChange={(path) => change('program', { path })}
              />
            )}
            <ImageField
              label="Root"
              help="A tar archive, plain or gzip, that the program sees as /"
              role="upload"
              choice={form.root}
              errors={of('root')}
              onChange={(root) => change('root', { root })}
            />
            <FilesField files={form.files} errors={of('files')} onChange={(files) => change('files', { files })} />
          </div>
        </section>

        <section className="card" aria-labelledby="section-call">
          <div className="card-head">
            <h2 id="section-call">How it is called</h2>
          </div>
          <div className="card-body form-stack">
            <TextField
              id="arguments"
              label="Arguments"
              help={'One a line; \\n stands for a line break, "" for an empty one.'}
              rows={2}
              value={form.arguments}
              errors={of('arguments')}
              onChange={(text) => change('arguments', { arguments: text })}
            />
            <TextField
              id="environment"
              label="Environment"
              help="NAME=value, one a line. PATH and HOME are set."
              rows={2}
              value={form.environment}
              errors={of('environment')}
              onChange={(environment) => change('environment', { environment })}
            />
            <div className="field">
              <span className="label">Standard input</span>
              <Segmented
                legend="Standard input"
                value={form.stdinKind}
                options={[
                  { value: 'empty', label: 'Empty' },
                  { value: 'text', label: 'Text' },
                  { value: 'file', label: 'File' },
                ]}
                onChange={(stdinKind) => change('stdin', { stdinKind })}
              />
            </div>
            {form.stdinKind === 'text' && (
              <TextField
                id="stdin-text"
                label="Text of standard input"
                rows={4}
                value={form.stdinText}
                errors={of('stdin_text')}
                onChange={(stdinText) => change('stdin_text', { stdinText })}
              />
            )}
            {form.stdinKind === 'file' && (
              <ImageField
                label="Input file"
                help="What the program reads from descriptor 0"
                role="upload"
                choice={form.stdin}
                errors={of('stdin')}
                onChange={(stdin) => change('stdin', { stdin })}
              />
            )}
          </div>
        </section>

        <section className="card" aria-labelledby="section-run">
          <div className="card-head">
            <h2 id="section-run">How it runs</h2>
          </div>
          <div className="card-body form-stack">
            <RunFields run={form} errors={errors} change={change} />
            <div className="form-grid">
              <div className="field">
                <label htmlFor="format">Test results</label>
                <select
                  id="format"
                  className="input"
                  value={form.format}
                  aria-describedby="format-help format-errors"
                  onChange={(event) =>
                    change('results', { format: FORMATS.find((format) => format === event.target.value) ?? '' })
                  }
                >
                  <option value="">Only the exit status</option>
                  {FORMATS.map((format) => (
                    <option key={format} value={format}>
                      {format}
                    </option>
                  ))}
                </select>
                <span className="field-help" id="format-help">
                  What is read out of standard output.
                </span>
                <FieldErrors id="format-errors" errors={of('results')} />
              </div>
              <TextField
                id="memory"
                label="Memory"
                placeholder="1G"
                value={form.memory}
                errors={of('memory')}
                onChange={(memory) => change('memory', { memory })}
              />
            </div>
          </div>
        </section>
      </div>
      <SubmitSide submission={submission} built={specOfProgram(form)} />
    </form>
  );
}

/** Text that is shown as it is: one line, or several where `rows` says so. */
function TextField({
  id,
  label,
  help,
  rows,
  value,
  placeholder,
  errors,
  onChange,
}: {
  id: string;
  label: string;
  help?: string;
  rows?: number;
  value: string;
  placeholder?: string;
  errors: readonly FieldError[];
  onChange(value: string): void;
}) {
  const common = {
    id,
    className: 'input mono',
    value,
    placeholder,
    spellCheck: false,
    autoComplete: 'off',
    'aria-invalid': errors.length > 0,
    'aria-describedby': `${id}-help ${id}-errors`,
  };
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      {rows === undefined ? (
        <input {...common} onChange={(event) => onChange(event.target.value)} />
      ) : (
        <textarea {...common} rows={rows} onChange={(event) => onChange(event.target.value)} />
      )}
      {help !== undefined && (
        <span className="field-help" id={`${id}-help`}>
          {help}
        </span>
      )}
      <FieldErrors id={`${id}-errors`} errors={errors} />
    </div>
  );
}

/** Files beside the root, each with the path at which the program finds it. */
function FilesField({
  files,
  errors,
  onChange,
}: {
  files: readonly FileRow[];
  errors: readonly FieldError[];
  onChange(files: FileRow[]): void;
}) {
  const set = (key: number, part: Partial<FileRow>): void =>
    onChange(files.map((row) => (row.key === key ? { ...row, ...part } : row)));
  return (
    <div className="field form-stack">
      {files.map(({ key, path, choice }, index) => (
        <div className="drive-row" key={key}>
          <div className="form-stack">
            <TextField
              id={`file-path-${key}`}
              label={`Path of file ${index + 1}`}
              placeholder="/etc/config"
              value={path}
              errors={[]}
              onChange={(changed) => set(key, { path: changed })}
            />
            <ImageField
              label={`File ${index + 1}`}
              help="May be executed"
              role="upload"
              choice={choice}
              errors={[]}
              onChange={(changed) => set(key, { choice: changed })}
            />
          </div>
          <button
            type="button"
            className="button quiet icon small"
            aria-label={`Remove file ${index + 1}`}
            onClick={() => onChange(files.filter((row) => row.key !== key))}
          >
            <Trash2 size={15} aria-hidden />
          </button>
        </div>
      ))}
      <div>
        <button type="button" className="button small" onClick={() => onChange([...files, newFile()])}>
          <Plus size={14} aria-hidden />
          Add a file
        </button>
      </div>
      <FieldErrors id="files-errors" errors={errors} />
    </div>
  );
}
