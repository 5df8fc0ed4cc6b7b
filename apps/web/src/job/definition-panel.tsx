import { FileDown, Pencil, RotateCcw } from 'lucide-react';
import { useState } from 'react';
import { Link } from 'react-router';
import { jobText } from '@bootlab/lab';
import { download } from '../api/client.js';
import type { Job } from '../api/types.js';
import { CopyButton } from '../components/copy-button.js';
import { formatBytes } from '../lib/format.js';

/** The spec exactly as it ran, images by digest: submitted again, it makes the same run. */
export function DefinitionPanel({ job }: { job: Job }) {
  const text = jobText(job.spec);
  return (
    <div className="definition">
      <div className="definition-head">
        <p className="muted">
          The job as it ran. Images are named by digest, so the same definition makes the same run.
        </p>
        <div className="page-actions">
          <CopyButton text={text} label="Copy" />
          <Link className="button small" to={`/submit?from=${job.id}&as=yaml`}>
            <Pencil size={14} aria-hidden />
            Edit and run
          </Link>
          <Link className="button small" to={`/submit?from=${job.id}`}>
            <RotateCcw size={14} aria-hidden />
            Run again
          </Link>
        </div>
      </div>
      <pre className="code-block" tabIndex={0} aria-label="Job definition">
        {text}
      </pre>
      <Artifacts job={job} />
    </div>
  );
}

function Artifacts({ job }: { job: Job }) {
  const [failure, setFailure] = useState<string>();
  if (job.artifacts.length === 0) return null;
  const save = (name: string): void => {
    setFailure(undefined);
    download(`/jobs/${job.id}/artifacts/${encodeURIComponent(name)}`, name).catch((error: unknown) =>
      setFailure(error instanceof Error ? error.message : String(error)),
    );
  };
  return (
    <section aria-labelledby="artifacts">
      <h2 id="artifacts">Files that it left</h2>
      {failure !== undefined && (
        <p className="field-error" role="alert">
          {failure}
        </p>
      )}
      <ul className="artifacts">
        {job.artifacts.map(({ name, sizeBytes }) => (
          <li key={name}>
            <button type="button" className="button small" onClick={() => save(name)}>
              <FileDown size={14} aria-hidden />
              {name}
            </button>
            <span className="muted">{formatBytes(sizeBytes)}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}
