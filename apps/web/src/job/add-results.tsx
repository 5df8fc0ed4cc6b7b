import { FilePlus2 } from 'lucide-react';
import { useScopes } from '../api/auth.js';
import { errorsIn } from '../api/problem.js';
import { useAddResults } from '../api/queries.js';
import type { Job } from '../api/types.js';

/** Takes JUnit XML that another tool wrote about the board, for a job that has ended. */
export function AddResults({ job }: { job: Job }) {
  const mayAdd = useScopes().has('submit') && job.state === 'ended';
  const add = useAddResults(job.id);
  if (!mayAdd) return null;
  return (
    <>
      {add.error && (
        <span className="field-error" role="alert">
          {textOf(add.error)}
        </span>
      )}
      <label className="button small" title="Results of another tool, as JUnit XML">
        <FilePlus2 size={14} aria-hidden />
        Add JUnit
        <input
          className="visually-hidden"
          type="file"
          accept=".xml,application/xml,text/xml"
          disabled={add.isPending}
          onChange={({ target }) => {
            const [file] = target.files ?? [];
            if (file) add.mutate(file);
            target.value = ''; // so that choosing the same file again is noticed too
          }}
        />
      </label>
    </>
  );
}

function textOf(error: Error): string {
  const [wrong] = errorsIn(error);
  return wrong ? `${wrong.message}. ${wrong.mend}` : error.message;
}
