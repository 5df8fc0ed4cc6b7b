import { RotateCcw } from 'lucide-react';
import { Link } from 'react-router';
import type { Job } from '../api/types.js';
import { CopyButton } from '../components/copy-button.js';

/** The spec exactly as it ran, images by digest: submitted again, it makes the same run. */
export function DefinitionPanel({ job }: { job: Job }) {
  const text = JSON.stringify(job.spec, undefined, 2);
  return (
    <div className="definition">
      <div className="definition-head">
        <p className="muted">
          The job spec as it ran. Images are named by digest, so the same spec makes the same run.
        </p>
        <div className="page-actions">
          <CopyButton text={text} label="Copy spec" />
          <Link className="button small" to={`/submit?from=${job.id}`}>
            <RotateCcw size={14} aria-hidden />
            Run again
          </Link>
        </div>
      </div>
      <pre className="code-block">{text}</pre>
    </div>
  );
}
