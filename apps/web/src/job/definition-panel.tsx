import { Pencil, RotateCcw } from 'lucide-react';
import { Link } from 'react-router';
import { jobText } from '@bootlab/lab';
import type { Job } from '../api/types.js';
import { CopyButton } from '../components/copy-button.js';

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
    </div>
  );
}
