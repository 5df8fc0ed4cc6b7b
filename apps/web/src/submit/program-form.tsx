import { useState } from 'react';
import { ARCHITECTURES, RESULT_FORMATS } from '@bootlab/lab';
import { errorsOfField } from '../api/problem.js';
import type { FieldError } from '../api/types.js';
import { FieldErrors } from '../components/field-errors.js';
import { ChoiceField, SelectField, TextField } from '../components/fields.js';
import { Panel } from '../components/panel.js';
import { FormErrors, RunFields, SubmitSide } from './form-parts.js';
import { ImageField } from './image-field.js';
import { checkProgram, newFile, specOfProgram, type FileRow, type ProgramState } from './program-state.js';
import { Rows } from './rows.js';
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

        <Panel title="Program">
          <div className="card-body form-stack">
            <ChoiceField
              label="Architecture"
              value={form.arch}
              options={ARCHITECTURES.map((value) => ({ value, label: ARCHITECTURE_NAMES[value] }))}
              errors={of('arch')}
              onChange={(arch) => change('arch', { arch })}
            />
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
                mono
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
        </Panel>

        <Panel title="How it is called">
          <div className="card-body form-stack">
            <TextField
              mono
              label="Arguments"
              help={'One a line; \\n stands for a line break, "" for an empty one.'}
              rows={2}
              value={form.arguments}
              errors={of('arguments')}
              onChange={(text) => change('arguments', { arguments: text })}
            />
            <TextField
              mono
              label="Environment"
              help="NAME=value, one a line. PATH and HOME are set."
              rows={2}
              value={form.environment}
              errors={of('environment')}
              onChange={(environment) => change('environment', { environment })}
            />
            <ChoiceField
              label="Standard input"
              value={form.stdinKind}
              options={[
                { value: 'empty', label: 'Empty' },
                { value: 'text', label: 'Text' },
                { value: 'file', label: 'File' },
              ]}
              onChange={(stdinKind) => change('stdin', { stdinKind })}
            />
            {form.stdinKind === 'text' && (
              <TextField
                mono
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
        </Panel>

        <Panel title="How it runs">
          <div className="card-body form-stack">
            <RunFields run={form} errors={errors} change={change} />
            <div className="form-grid">
              <SelectField
                label="Test results"
                help="What is read out of standard output."
                value={form.format}
                errors={of('results')}
                onChange={(value) => change('results', { format: FORMATS.find((format) => format === value) ?? '' })}
              >
                <option value="">Only the exit status</option>
                {FORMATS.map((format) => (
                  <option key={format} value={format}>
                    {format}
                  </option>
                ))}
              </SelectField>
              <TextField
                mono
                label="Memory"
                placeholder="1G"
                value={form.memory}
                errors={of('memory')}
                onChange={(memory) => change('memory', { memory })}
              />
            </div>
          </div>
        </Panel>
      </div>
      <SubmitSide submission={submission} built={specOfProgram(form)} />
    </form>
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
    <div className="field">
      <Rows
        what="file"
        rows={files}
        keyOf={({ key }) => key}
        onRemove={(index) => onChange(files.filter((_, at) => at !== index))}
        onAdd={() => onChange([...files, newFile()])}
      >
        {({ key, path, choice }, index) => (
          <div className="form-stack">
            <TextField
              mono
              label={`Path of file ${index + 1}`}
              placeholder="/etc/config"
              value={path}
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
        )}
      </Rows>
      <FieldErrors id="files-errors" errors={errors} />
    </div>
  );
}
