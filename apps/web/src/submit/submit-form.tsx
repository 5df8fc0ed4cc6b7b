import { Play, SquareTerminal, Stethoscope, TestTubeDiagonal, Plus, Trash2 } from 'lucide-react';
import { useRef, useState, type FormEvent, type ReactNode } from 'react';
import { formatSize } from '@bootlab/lab';
import { useNavigate } from 'react-router';
import type { UploadProgress } from '../api/client.js';
import { ApiError, errorsElsewhere, errorsOfField } from '../api/problem.js';
import { useSubmitJob } from '../api/queries.js';
import type { Board, FieldError } from '../api/types.js';
import { CopyButton } from '../components/copy-button.js';
import { Notice } from '../components/feedback.js';
import { Segmented } from '../components/segmented.js';
import { selfTestImage } from '../components/self-test-button.js';
import { UploadBar } from '../components/upload-bar.js';
import { FieldErrors, sentence } from './field-errors.js';
import { applyPreset, checkForm, curlOfForm, specOfForm, type FormState, type Preset } from './form-state.js';
import { ImageField } from './image-field.js';
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
  const navigate = useNavigate();
  const [form, setForm] = useState(initial);
  const [errors, setErrors] = useState<readonly FieldError[]>([]);
  const [progress, setProgress] = useState<UploadProgress>();
  const abort = useRef<AbortController>(undefined);
  const element = useRef<HTMLFormElement>(null);
  const submit = useSubmitJob();

  const board = boards.find(({ id }) => id === form.board);
  const selfTest = board?.selfTest ? selfTestImage(board.id, board.byteOrders[0] ?? 'little') : undefined;

  /** Changes the form; what was wrong with the changed field is no longer known to be. */
  const change = (field: string, part: Partial<FormState>): void => {
    setForm((known) => ({ ...known, ...part }));
    setErrors((known) => known.filter((error) => !errorsOfField([error], field).length));
  };
  const usePreset = (preset: Preset): void => {
    setForm((known) => applyPreset(known, preset, selfTest ?? ''));
    setErrors([]);
  };
  const of = (field: string): FieldError[] => errorsOfField(errors, field);

  const showErrors = (found: readonly FieldError[]): void => {
    setErrors(found);
    // After the errors are on the page: the first bad field, so that the keyboard is where the mend is.
    requestAnimationFrame(() => {
      const first = element.current?.querySelector<HTMLElement>('[aria-invalid="true"], .form-errors');
      first?.scrollIntoView({ block: 'center' });
      first?.focus({ preventScroll: true });
    });
  };

  const send = (event: FormEvent): void => {
    event.preventDefault();
    const found = checkForm(form, board);
    if (found.length > 0) {
      showErrors(found);
      return;
    }
    setErrors([]);
    setProgress(undefined);
    abort.current = new AbortController();
    submit.mutate(
      { ...specOfForm(form), signal: abort.current.signal, onProgress: setProgress },
      {
        onSuccess: (job) => void navigate(`/jobs/${job.id}`),
        onError: (error) => showErrors(error instanceof ApiError ? error.problem.errors.map(atFormField) : []),
      },
    );
  };

  const elsewhere = errorsElsewhere(errors, SHOWN_FIELDS);
  const wasAborted = submit.error instanceof DOMException && submit.error.name === 'AbortError';
  const showHead = (submit.error !== null && !wasAborted) || elsewhere.length > 0;

  return (
    <form ref={element} className="submit-layout" noValidate onSubmit={send}>
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

        {showHead && (
          <div className="form-errors" tabIndex={-1}>
            <Notice
              tone="fail"
              title={
                submit.error instanceof ApiError
                  ? errors.length > 0
                    ? 'The lab did not accept this job: see the marked fields'
                    : submit.error.problem.title
                  : 'The job was not submitted'
              }
            >
              {submit.error && errors.length === 0 && <p>{submit.error.message}</p>}
              {elsewhere.length > 0 && (
                <ul>
                  {elsewhere.map((error) => (
                    <li key={`${error.field} ${error.message}`}>
                      <code>{error.field}</code>: {sentence(error.message)} {sentence(error.mend)}
                    </li>
                  ))}
                </ul>
              )}
            </Notice>
          </div>
        )}

        <section className="card" aria-labelledby="section-board">
          <div className="card-head">
            <h2 id="section-board">Board</h2>
          </div>
          <div className="card-body form-grid">
            <div className="field">
              <label htmlFor="board">Board</label>
              <select
                id="board"
                className="input"
                value={form.board}
                aria-invalid={of('board').length > 0}
                aria-describedby="board-errors"
                onChange={(event) => change('board', { board: event.target.value, cpu: '', memory: '' })}
              >
                {!board && <option value={form.board}>{form.board} (not in this lab)</option>}
                {boards.map(({ id, name }) => (
                  <option key={id} value={id}>
                    {name}
                  </option>
                ))}
              </select>
              <FieldErrors id="board-errors" errors={of('board')} />
            </div>
            <div className="field">
              <label htmlFor="cpu">CPU</label>
              <select
                id="cpu"
                className="input"
                value={form.cpu}
                aria-invalid={of('cpu').length > 0}
                aria-describedby="cpu-errors"
                onChange={(event) => change('cpu', { cpu: event.target.value })}
              >
                <option value="">{board ? `${board.defaultCpu} (default)` : 'default'}</option>
                {board?.cpus
                  .filter(({ id }) => id !== board.defaultCpu || form.cpu === id)
                  .map(({ id, description }) => (
                    <option key={id} value={id} title={description}>
                      {id}
                    </option>
                  ))}
              </select>
              <FieldErrors id="cpu-errors" errors={of('cpu')} />
            </div>
            <div className="field">
              <label htmlFor="memory">Memory</label>
              <input
                id="memory"
                className="input mono"
                value={form.memory}
                placeholder={board ? formatSize(board.memory.defaultBytes) : ''}
                list="memory-sizes"
                aria-invalid={of('memory').length > 0}
                aria-describedby="memory-errors"
                onChange={(event) => change('memory', { memory: event.target.value })}
              />
              <datalist id="memory-sizes">
                {board && memorySizes(board).map((size) => <option key={size} value={size} />)}
              </datalist>
              <FieldErrors id="memory-errors" errors={of('memory')} />
            </div>
          </div>
        </section>

        <section className="card" aria-labelledby="section-images">
          <div className="card-head">
            <h2 id="section-images">What boots</h2>
          </div>
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
            {form.drives.map((drive, index) => (
              <div className="drive-row" key={index}>
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
                <button
                  type="button"
                  className="button quiet icon small"
                  aria-label={`Remove drive ${index + 1}`}
                  onClick={() => change('images.drives', { drives: form.drives.filter((_, at) => at !== index) })}
                >
                  <Trash2 size={15} aria-hidden />
                </button>
              </div>
            ))}
            {board && form.drives.length < board.drives && (
              <div>
                <button
                  type="button"
                  className="button small"
                  onClick={() =>
                    change('images.drives', { drives: [...form.drives, { kind: 'upload', file: undefined }] })
                  }
                >
                  <Plus size={14} aria-hidden />
                  Add a drive
                </button>
              </div>
            )}
            <div className="field">
              <label htmlFor="cmdline">
                Kernel command line <span className="optional">optional</span>
              </label>
              <input
                id="cmdline"
                className="input mono"
                spellCheck={false}
                autoComplete="off"
                value={form.cmdline}
                placeholder={board?.defaultCmdline}
                disabled={form.kernel.kind === 'none'}
                aria-invalid={of('cmdline').length > 0}
                aria-describedby="cmdline-errors"
                onChange={(event) => change('cmdline', { cmdline: event.target.value })}
              />
              <FieldErrors id="cmdline-errors" errors={of('cmdline')} />
            </div>
          </div>
        </section>

        <section className="card" aria-labelledby="section-run">
          <div className="card-head">
            <h2 id="section-run">How it runs</h2>
          </div>
          <div className="card-body form-stack">
            <div className="form-grid">
              <div className="field">
                <span className="label">Clock</span>
                <Segmented
                  legend="Clock"
                  value={form.clock}
                  options={[
                    { value: 'virtual', label: 'Virtual' },
                    { value: 'wall', label: 'Wall' },
                  ]}
                  onChange={(clock) => change('clock', { clock })}
                />
                <span className="field-help">
                  {form.clock === 'virtual'
                    ? 'Idle time is skipped: fastest, the same every time.'
                    : 'Idle time passes in real seconds: for people who type.'}
                </span>
                <FieldErrors id="clock-errors" errors={of('clock')} />
              </div>
              <div className="field">
                <label htmlFor="timeout">Time-out</label>
                <input
                  id="timeout"
                  className="input mono"
                  value={form.timeout}
                  placeholder="5m"
                  aria-invalid={of('timeout').length > 0}
                  aria-describedby="timeout-help timeout-errors"
                  onChange={(event) => change('timeout', { timeout: event.target.value })}
                />
                <span className="field-help" id="timeout-help">
                  Of virtual time: 90s, 5m, 1h30m.
                </span>
                <FieldErrors id="timeout-errors" errors={of('timeout')} />
              </div>
              <div className="field">
                <label htmlFor="name">
                  Name <span className="optional">optional</span>
                </label>
                <input
                  id="name"
                  className="input"
                  value={form.name}
                  maxLength={200}
                  placeholder="Shown in the job list"
                  aria-invalid={of('name').length > 0}
                  aria-describedby="name-errors"
                  onChange={(event) => change('name', { name: event.target.value })}
                />
                <FieldErrors id="name-errors" errors={of('name')} />
              </div>
            </div>
            <StepsField steps={form.steps} errors={errors} onChange={(steps) => change('steps', { steps })} />
          </div>
        </section>
      </div>

      <aside className="submit-side" aria-label="Summary">
        <div className="card">
          {submit.isPending && progress ? (
            <div className="card-body">
              <UploadBar label="Uploading" progress={progress} onCancel={() => abort.current?.abort()} />
            </div>
          ) : (
            <div className="card-body">
              <button type="submit" className="button primary submit-button" disabled={submit.isPending}>
                {submit.isPending ? <span className="spinner" aria-hidden /> : <Play size={16} aria-hidden />}
                Start job
              </button>
              {wasAborted && <p className="field-help">The upload was cancelled; nothing was started.</p>}
            </div>
          )}
        </div>
        <SpecPreview form={form} />
      </aside>
    </form>
  );
}

/** Errors about an uploaded file name its multipart field (`kernel`, `drive0`); the form shows them at its image. */
function atFormField(error: FieldError): FieldError {
  const drive = /^drive(\d)$/.exec(error.field)?.[1];
  if (drive !== undefined) return { ...error, field: `images.drives[${drive}]` };
  const isImage = ['kernel', 'initrd', 'firmware'].includes(error.field);
  return isImage ? { ...error, field: `images.${error.field}` } : error;
}

/** Powers of two within the board's limits, for the field's suggestions. */
function memorySizes(board: Board): string[] {
  const sizes: string[] = [];
  for (let bytes = 2 ** 20; bytes <= board.memory.maxBytes; bytes *= 2) {
    if (bytes >= Math.max(board.memory.minBytes, 2 ** 24)) sizes.push(formatSize(bytes));
  }
  return sizes;
}

function SpecPreview({ form }: { form: FormState }) {
  const [shown, setShown] = useState<'spec' | 'curl'>('spec');
  const built = specOfForm(form);
  const text = shown === 'spec' ? JSON.stringify(built.spec, undefined, 2) : curlOfForm(built, location.origin);
  return (
    <div className="card">
      <div className="card-head">
        <Segmented
          legend="Preview"
          value={shown}
          options={[
            { value: 'spec', label: 'Job spec' },
            { value: 'curl', label: 'curl' },
          ]}
          onChange={setShown}
        />
        <CopyButton text={text} />
      </div>
      <pre className="spec-preview">{text}</pre>
    </div>
  );
}
