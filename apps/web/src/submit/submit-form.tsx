import { SquareTerminal, Stethoscope, TestTubeDiagonal } from 'lucide-react';
import { useState, type ReactNode } from 'react';
import { formatSize } from '@bootlab/lab';
import { errorsOfField } from '../api/problem.js';
import type { Board, FieldError } from '../api/types.js';
import { SelectField, TextField } from '../components/fields.js';
import { Panel } from '../components/panel.js';
import { selfTestImage } from '../components/self-test-button.js';
import { FormErrors, RunFields, SubmitSide } from './form-parts.js';
import { applyPreset, checkForm, specOfForm, type FormState, type Preset } from './form-state.js';
import { useSubmission } from './use-submission.js';
import { ImageField } from './image-field.js';
import { Rows } from './rows.js';
import { StepsField } from './steps-field.js';

const PRESETS: readonly { preset: Preset; icon: ReactNode; title: string; text: string }[] = [
  {
    preset: 'shell',
    icon: <SquareTerminal size={19} aria-hidden />,
    title: 'Interactive Linux shell',
    text: 'Boot and type into the console, in real time.',
  },
  {
    preset: 'boot-test',
    icon: <TestTubeDiagonal size={19} aria-hidden />,
    title: 'Boot test',
    text: 'Wait for text on the console; idle time is skipped.',
  },
  {
    preset: 'self-test',
    icon: <Stethoscope size={19} aria-hidden />,
    title: 'Self-test firmware',
    text: 'Comes with the board; needs no files.',
  },
];

const SHOWN_FIELDS = ['name', 'board', 'cpu', 'memory', 'images', 'cmdline', 'timeout', 'clock', 'steps'] as const;

export function SubmitForm({ boards, initial }: { boards: readonly Board[]; initial: FormState }) {
  const [form, setForm] = useState(initial);
  const board = boards.find(({ id }) => id === form.board);
  const selfTest = board?.selfTest ? selfTestImage(board.id, board.byteOrders[0] ?? 'little') : undefined;

  const submission = useSubmission({
    check: () => checkForm(form, board),
    build: () => specOfForm(form),
    fieldOfUpload: formFieldOf,
  });
  const { errors, setErrors } = submission;

  /** Changes the form; what was wrong with the changed field is no longer known to be. */
  const change = (field: string, part: Partial<FormState>): void => {
    setForm((known) => ({ ...known, ...part }));
    setErrors((known) => known.filter((error) => !errorsOfField([error], field).length));
  };
  const usePreset = (preset: Preset): void => {
    setForm((known) => applyPreset(known, preset, selfTest ?? ''));
    setErrors(() => []);
  };
  const of = (field: string): FieldError[] => errorsOfField(errors, field);

  return (
    <form ref={submission.element} className="submit-layout" noValidate onSubmit={submission.send}>
      <div className="submit-main">
        <div className="presets" role="group" aria-label="Presets">
          {PRESETS.filter(({ preset }) => preset !== 'self-test' || selfTest !== undefined).map((entry) => (
            <button key={entry.preset} type="button" className="preset" onClick={() => usePreset(entry.preset)}>
              <span className="preset-icon">{entry.icon}</span>
              <span>
                <span className="preset-title">{entry.title}</span>
                <span className="field-help">{entry.text}</span>
              </span>
            </button>
          ))}
        </div>

        <FormErrors submission={submission} shown={SHOWN_FIELDS} />

        <Panel title="Board">
          <div className="card-body form-grid">
            <SelectField
              label="Board"
              value={form.board}
              errors={of('board')}
              onChange={(id) => change('board', { board: id, cpu: '', memory: '' })}
            >
              {!board && <option value={form.board}>{form.board} (not in this lab)</option>}
              {boards.map(({ id, name }) => (
                <option key={id} value={id}>
                  {name}
                </option>
              ))}
            </SelectField>
            <SelectField label="CPU" value={form.cpu} errors={of('cpu')} onChange={(cpu) => change('cpu', { cpu })}>
              <option value="">{board ? `${board.defaultCpu} (default)` : 'default'}</option>
              {board?.cpus
                .filter(({ id }) => id !== board.defaultCpu || form.cpu === id)
                .map(({ id, description }) => (
                  <option key={id} value={id} title={description}>
                    {id}
                  </option>
                ))}
            </SelectField>
            <TextField
              label="Memory"
              mono
              placeholder={board ? formatSize(board.memory.defaultBytes) : ''}
              suggestions={board ? memorySizes(board) : []}
              value={form.memory}
              errors={of('memory')}
              onChange={(memory) => change('memory', { memory })}
            />
          </div>
        </Panel>

        <Panel title="What boots">
          <div className="card-body form-stack">
            <ImageField
              label="Kernel"
              help="ELF vmlinux or vmlinuz; byte order follows the file"
              role="kernel"
              choice={form.kernel}
              errors={of('images.kernel')}
              onChange={(kernel) => change('images.kernel', { kernel })}
            />
            <ImageField
              label="Initrd"
              help="Initial RAM disk, as the kernel expects it"
              role="initrd"
              choice={form.initrd}
              errors={of('images.initrd')}
              onChange={(initrd) => change('images.initrd', { initrd })}
            />
            <ImageField
              label="Firmware"
              help="Runs from the flash instead of a kernel, or before it"
              role="firmware"
              choice={form.firmware}
              {...(selfTest !== undefined && { builtin: selfTest })}
              errors={of('images.firmware')}
              onChange={(firmware) => change('images.firmware', { firmware })}
            />
            <Rows
              what="drive"
              rows={form.drives}
              keyOf={(_, index) => index}
              onRemove={(index) => change('images.drives', { drives: form.drives.filter((_, at) => at !== index) })}
              onAdd={
                board && form.drives.length < board.drives
                  ? () => change('images.drives', { drives: [...form.drives, { kind: 'upload', file: undefined }] })
                  : undefined
              }
            >
              {(drive, index) => (
                <ImageField
                  label={`Drive ${index + 1}`}
                  help="Raw disk image; the guest's writes stay in this job"
                  role="drive"
                  choice={drive}
                  errors={of(`images.drives[${index}]`)}
                  onChange={(choice) =>
                    change('images.drives', { drives: form.drives.map((known, at) => (at === index ? choice : known)) })
                  }
                />
              )}
            </Rows>
            <TextField
              label="Kernel command line"
              optional
              mono
              placeholder={board?.defaultCmdline}
              disabled={form.kernel.kind === 'none'}
              value={form.cmdline}
              errors={of('cmdline')}
              onChange={(cmdline) => change('cmdline', { cmdline })}
            />
          </div>
        </Panel>

        <Panel title="How it runs">
          <div className="card-body form-stack">
            <RunFields run={form} errors={errors} change={change} />
            <StepsField steps={form.steps} errors={errors} onChange={(steps) => change('steps', { steps })} />
          </div>
        </Panel>
      </div>

      <SubmitSide submission={submission} built={specOfForm(form)} />
    </form>
  );
}

/** Uploads are called by their multipart field (`kernel`, `drive0`); the form shows their errors at its image. */
function formFieldOf(upload: string): string {
  const drive = /^drive(\d)$/.exec(upload)?.[1];
  if (drive !== undefined) return `images.drives[${drive}]`;
  return ['kernel', 'initrd', 'firmware'].includes(upload) ? `images.${upload}` : upload;
}

/** Powers of two within the board's limits, for the field's suggestions. */
function memorySizes(board: Board): string[] {
  const sizes: string[] = [];
  for (let bytes = 2 ** 20; bytes <= board.memory.maxBytes; bytes *= 2) {
    if (bytes >= Math.max(board.memory.minBytes, 2 ** 24)) sizes.push(formatSize(bytes));
  }
  return sizes;
}
