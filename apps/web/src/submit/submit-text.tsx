import { CircleCheck, Play } from 'lucide-react';
import { useRef, useState } from 'react';
import { useNavigate } from 'react-router';
import { errorsIn } from '../api/problem.js';
import { useSubmitText, validateText } from '../api/queries.js';
import type { FieldError, ValidationReport } from '../api/types.js';
import { FileDrop } from '../components/file-drop.js';
import { Notice } from '../components/feedback.js';
import { Panel } from '../components/panel.js';
import { formatBytes } from '../lib/format.js';
import { keepRowFocus } from '../lib/row-focus.js';
import { YamlEditor } from './yaml-editor.js';

/** A job as text: what `bootlab test` and the API take, checked by the lab while it is written. */
export function SubmitText({ initial }: { initial: string }) {
  const navigate = useNavigate();
  const [text, setText] = useState(initial);
  const [files, setFiles] = useState<readonly File[]>([]);
  const [report, setReport] = useState<ValidationReport>();
  const [unreachable, setUnreachable] = useState<string>();
  const asking = useRef<AbortController>(undefined);
  const submit = useSubmitText();

  const check = async (now: string): Promise<readonly FieldError[]> => {
    asking.current?.abort();
    const abort = new AbortController();
    asking.current = abort;
    try {
      const answer = await validateText(now, abort.signal);
      setReport(answer);
      setUnreachable(undefined);
      return answer.errors;
    } catch (error) {
      if (!abort.signal.aborted) setUnreachable(error instanceof Error ? error.message : String(error));
      return [];
    }
  };
  const start = (): void =>
    submit.mutate(
      { text, files },
      { onSuccess: (job) => void navigate(job.groupId === null ? `/jobs/${job.id}` : `/groups/${job.groupId}`) },
    );
  const refused = errorsIn(submit.error);

  return (
    <div className="submit-layout">
      <div className="submit-main" ref={keepRowFocus}>
        <section className="card" aria-label="Job file">
          <YamlEditor initial={initial} label="Job file, YAML" onChange={setText} check={check} />
        </section>
        <Panel title="Files">
          <div className="card-body form-stack">
            <p className="field-help">
              A path in the job, such as <code>./vmlinux</code>, means the file of that name here. Images of the library
              are named by digest or id.
            </p>
            <FileDrop label="Add files" multiple onFiles={(added) => setFiles([...files, ...added])} />
            {files.length > 0 && (
              <ul className="artifacts">
                {files.map((file, index) => (
                  <li key={`${index} ${file.name}`}>
                    <code>{file.name}</code> <span className="muted">{formatBytes(file.size)}</span>
                    <button
                      type="button"
                      className="button quiet small"
                      aria-label={`Remove ${file.name}`}
                      onClick={() => setFiles(files.filter((_, at) => at !== index))}
                    >
                      Remove
                    </button>
                  </li>
                ))}
              </ul>
            )}
          </div>
        </Panel>
      </div>
      <aside className="submit-side" aria-label="Check">
        <div className="card">
          <div className="card-body form-stack">
            <button
              type="button"
              className="button primary submit-button"
              disabled={submit.isPending || report?.valid === false}
              onClick={start}
            >
              {submit.isPending ? <span className="spinner" aria-hidden /> : <Play size={16} aria-hidden />}
              {report && report.jobs.length > 1 ? `Start ${report.jobs.length} jobs` : 'Start job'}
            </button>
            <div role="status">
              {unreachable !== undefined ? (
                <p className="field-error">{unreachable}</p>
              ) : report?.valid ? (
                <p className="check-good">
                  <CircleCheck size={15} aria-hidden /> The lab takes this job.
                </p>
              ) : (
                report && (
                  <p className="field-error">
                    {report.errors.length} {report.errors.length === 1 ? 'mistake' : 'mistakes'}
                  </p>
                )
              )}
            </div>
            {submit.error && (
              <Notice tone="fail" title="The job was not submitted">
                {refused.length === 0 && <p>{submit.error.message}</p>}
                <Errors errors={refused} />
              </Notice>
            )}
            {report && <Errors errors={report.errors} />}
            {report?.notes.map((note) => (
              <p key={note} className="field-help">
                {note}
              </p>
            ))}
            {report?.valid && report.jobs.length > 1 && (
              <ul className="check-jobs">
                {report.jobs.map(({ name }) => (
                  <li key={name}>{name}</li>
                ))}
              </ul>
            )}
          </div>
        </div>
      </aside>
    </div>
  );
}

function Errors({ errors }: { errors: readonly FieldError[] }) {
  if (errors.length === 0) return null;
  return (
    <ul className="check-errors">
      {errors.map(({ field, message, mend, line, column }) => (
        <li key={`${field} ${message}`}>
          {line !== undefined && (
            <span className="muted tabular">
              {line}:{column}{' '}
            </span>
          )}
          {field !== 'body' && <code>{field}</code>} {message}. {mend}
        </li>
      ))}
    </ul>
  );
}
