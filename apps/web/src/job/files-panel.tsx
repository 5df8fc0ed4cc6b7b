import { FileDown, FolderOpen } from 'lucide-react';
import { currentProject, useScopes } from '../api/auth.js';
import { API } from '../api/client.js';
import { useRemoveArtifact } from '../api/queries.js';
import type { Job } from '../api/types.js';
import { Copyable } from '../components/copy-button.js';
import { Empty } from '../components/feedback.js';
import { formatBytes } from '../lib/format.js';
import { ChangeError, ConfirmButton } from '../settings/panel.js';

/** How many files the job left, or was to leave. */
export const fileCount = ({ artifacts, missingArtifacts }: Job): number => artifacts.length + missingArtifacts.length;

/** Files that the job left behind, and why others are not there. */
export function FilesPanel({ job }: { job: Job }) {
  if (fileCount(job) === 0) {
    const asked = (job.spec.artifacts?.length ?? 0) > 0;
    return (
      <Empty icon={<FolderOpen size={40} strokeWidth={1.4} />} title={asked ? 'No files yet' : 'No files'}>
        {asked && job.state !== 'ended' ? (
          <p>They are stored when the run has ended.</p>
        ) : (
          <p>
            A job keeps the drives, and the files of its program, that its <code>artifacts</code> name.
          </p>
        )}
      </Empty>
    );
  }
  return <FileTable job={job} />;
}

function FileTable({ job }: { job: Job }) {
  const mayRemove = useScopes().has('maintain');
  const remove = useRemoveArtifact(job.id);
  return (
    <>
      <ChangeError error={remove.error} />
      <div className="table-scroll">
        <table className="table files-table">
          <thead>
            <tr>
              <th>File</th>
              <th>Size</th>
              <th>SHA-256</th>
              <th>
                <span className="visually-hidden">Actions</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {job.artifacts.map(({ name, sizeBytes, sha256 }) => (
              <tr key={name}>
                <td className="wide-cell">
                  {/* A plain link: the browser saves it piece by piece, however large it is, and can go on after a break. */}
                  <a href={addressOf(job.id, name)} download={name} className="file-link">
                    <FileDown size={15} aria-hidden />
                    {name}
                  </a>
                </td>
                <td className="nowrap tabular">{formatBytes(sizeBytes)}</td>
                <td>
                  <Copyable text={sha256} shown={sha256.slice(0, 12)} label={`digest of ${name}`} />
                </td>
                <td className="actions">
                  {mayRemove && (
                    <ConfirmButton
                      label="Delete"
                      name={`Delete ${name}`}
                      title={`Delete “${name}”?`}
                      confirmLabel="Delete"
                      onConfirm={() => remove.mutate(name)}
                    >
                      The file is gone for everybody, and its storage is free. The job and its results stay.
                    </ConfirmButton>
                  )}
                </td>
              </tr>
            ))}
            {job.missingArtifacts.map(({ name, reason }) => (
              <tr key={`missing ${name}`}>
                <td className="wide-cell muted">{name}</td>
                <td colSpan={3} className="muted">
                  Not there: {reason}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}

/** Links cannot have headers: the project is in the address. */
function addressOf(jobId: string, name: string): string {
  const project = currentProject();
  const query = project === undefined ? '' : `?project=${encodeURIComponent(project)}`;
  return `${API}/jobs/${jobId}/artifacts/${encodeURIComponent(name)}${query}`;
}
