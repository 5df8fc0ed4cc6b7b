// What all forms for jobs have: the notice on top, the button, and the job as text.
import { Play } from 'lucide-react';
import { useState } from 'react';
import { ApiError, errorsElsewhere, errorsOfField } from '../api/problem.js';
import type { FieldError } from '../api/types.js';
import { CopyButton } from '../components/copy-button.js';
import { Notice } from '../components/feedback.js';
import { sentence } from '../components/field-errors.js';
import { ChoiceField, TextField } from '../components/fields.js';
import { Segmented } from '../components/segmented.js';
import { UploadBar } from '../components/upload-bar.js';
import { curlOfForm, type FormState, type SpecWithFiles } from './form-state.js';
import type { Submission } from './use-submission.js';

/** Says that the job was not accepted, and what is wrong outside the fields that the form shows. */
export function FormErrors({ submission, shown }: { submission: Submission; shown: readonly string[] }) {
  const { errors, error, wasAborted } = submission;
  const elsewhere = errorsElsewhere(errors, shown);
  if ((error === null || wasAborted) && elsewhere.length === 0) return null;
  return (
    <div className="form-errors" tabIndex={-1}>
      <Notice
        tone="fail"
        title={
          error instanceof ApiError
            ? errors.length > 0
              ? 'The lab did not accept this job: see the marked fields'
              : error.problem.title
            : 'The job was not submitted'
        }
      >
        {error && errors.length === 0 && <p>{error.message}</p>}
        {elsewhere.length > 0 && (
          <ul>
            {elsewhere.map((each) => (
              <li key={`${each.field} ${each.message}`}>
                <code>{each.field}</code>: {sentence(each.message)} {sentence(each.mend)}
              </li>
            ))}
          </ul>
        )}
      </Notice>
    </div>
  );
}

/** How a job runs, whatever it is: clock, time-out, and its name. */
export function RunFields({
  run,
  errors,
  change,
}: {
  run: Pick<FormState, 'clock' | 'timeout' | 'name'>;
  errors: readonly FieldError[];
  change(field: string, part: Partial<Pick<FormState, 'clock' | 'timeout' | 'name'>>): void;
}) {
  const of = (field: string): FieldError[] => errorsOfField(errors, field);
  return (
    <div className="form-grid">
      <ChoiceField
        label="Clock"
        help={
          run.clock === 'virtual'
            ? 'Idle time is skipped: fastest, the same every time.'
            : 'Idle time passes in real seconds: for people who type.'
        }
        value={run.clock}
        options={[
          { value: 'virtual', label: 'Virtual' },
          { value: 'wall', label: 'Wall' },
        ]}
        errors={of('clock')}
        onChange={(clock) => change('clock', { clock })}
      />
      <TextField
        label="Time-out"
        help="Of virtual time: 90s, 5m, 1h30m."
        mono
        placeholder="5m"
        value={run.timeout}
        errors={of('timeout')}
        onChange={(timeout) => change('timeout', { timeout })}
      />
      <TextField
        label="Name"
        optional
        placeholder="Shown in the job list"
        maxLength={200}
        value={run.name}
        errors={of('name')}
        onChange={(name) => change('name', { name })}
      />
    </div>
  );
}

/** The button that starts the job, or the upload's progress; and the job as the API takes it. */
export function SubmitSide({ submission, built }: { submission: Submission; built: SpecWithFiles }) {
  const { isPending, progress, wasAborted } = submission;
  return (
    <aside className="submit-side" aria-label="Summary">
      <div className="card">
        {isPending && progress ? (
          <div className="card-body">
            <UploadBar label="Uploading" progress={progress} onCancel={() => submission.cancel()} />
          </div>
        ) : (
          <div className="card-body">
            <button type="submit" className="button primary submit-button" disabled={isPending}>
              {isPending ? <span className="spinner" aria-hidden /> : <Play size={16} aria-hidden />}
              Start job
            </button>
            {wasAborted && <p className="field-help">The upload was cancelled; nothing was started.</p>}
          </div>
        )}
      </div>
      <SpecPreview built={built} />
    </aside>
  );
}

function SpecPreview({ built }: { built: SpecWithFiles }) {
  const [shown, setShown] = useState<'spec' | 'curl'>('spec');
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
