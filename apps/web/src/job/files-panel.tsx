import { FileDown, FolderOpen } from 'lucide-react';
import { currentProject, useScopes } from '../api/auth.js';
import { API } from '../api/client.js';
import { useRemoveArtifact } from '../api/queries.js';
import type { Job } from '../api/types.js';
import { Copyable } from '../components/copy-button.js';
import { ACTIONS, DataTable } from '../components/data-table.js';
import { Empty } from '../components/feedback.js';
import { formatBytes } from '../lib/format.js';
import { keepRowFocus } from '../lib/row-focus.js';
import { ChangeError, ConfirmButton } from '../settings/panel-parts.js';

/** How many files the job left, or was to leave. */
export const fileCount = ({ artifacts, missingArtifacts }: Job): number => artifacts.length + missingArtifacts.length;

/** Files that the job left behind, and why others are not there. */
export function FilesPanel({ job }: { job: Job }) {
  const none = fileCount(job) === 0;
  return (
    <div className={none ? undefined : 'files'} ref={keepRowFocus}>
      {none ? <NoFiles job={job} /> : <FileTable job={job} />}
    </div>
  );
}

function NoFiles({ job }: { job: Job }) {
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

function FileTable({ job }: { job: Job }) {
  const mayRemove = useScopes().has('maintain');
  const remove = useRemoveArtifact(job.id);
  return (
    <>
      <ChangeError error={remove.error} />
      <div className="card">
        <DataTable
          label="Files"
          items={[...job.artifacts, ...job.missingArtifacts]}
          keyOf={({ name }) => name}
          columns={[
            {
              head: 'File',
              phone: 'title',
              className: 'wide-cell',
              cell: (file) =>
                'reason' in file ? (
                  <>
                    {file.name}
                    <div className="muted">Not there: {file.reason}</div>
                  </>
                ) : (
                  // A plain link: the browser saves it piece by piece, however large it is, and can go on after a break.
                  <a href={addressOf(job.id, file.name)} download={file.name} className="file-link">
                    <FileDown size={15} aria-hidden />
                    {file.name}
                  </a>
                ),
            },
            {
              head: 'Size',
              className: 'nowrap tabular',
              cell: (file) => 'sizeBytes' in file && formatBytes(file.sizeBytes),
            },
            {
              head: 'SHA-256',
              cell: (file) =>
                'sha256' in file && (
                  <Copyable text={file.sha256} shown={file.sha256.slice(0, 12)} label={`digest of ${file.name}`} />
                ),
            },
            {
              ...ACTIONS,
              cell: (file) =>
                mayRemove &&
                'sha256' in file && (
                  <ConfirmButton
                    label="Delete"
                    name={`Delete ${file.name}`}
                    title={`Delete “${file.name}”?`}
                    confirmLabel="Delete"
                    onConfirm={() => remove.mutate(file.name)}
                  >
                    The file is gone for everybody, and its storage is free. The job and its results stay.
                  </ConfirmButton>
                ),
            },
          ]}
        />
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
