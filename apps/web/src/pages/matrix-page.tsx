import { Grid3x3 } from 'lucide-react';
import { Link, useNavigate, useSearchParams } from 'react-router';
import { useGroups, useMatrix } from '../api/queries.js';
import type { BuildMatrix, JobBrief } from '../api/types.js';
import { JobBadge } from '../components/badge.js';
import { Counts } from '../components/counts.js';
import { Empty, Failure, Loading } from '../components/feedback.js';
import { TimeAgo } from '../components/time-ago.js';
import { Panel } from '../components/panel.js';
import { shortDigest } from '../lib/format.js';
import { useTitle } from '../lib/use-title.js';
import '../styles/matrix.css';

/** Builds against boards: does what was built last boot everywhere? */
export default function MatrixPage() {
  useTitle('Matrix');
  const navigate = useNavigate();
  const [search] = useSearchParams();
  const name = search.get('name') ?? '';
  const matrix = useMatrix(name);
  return (
    <div className="page">
      <div className="page-head">
        <div>
          <h1>Matrix</h1>
          <p>What was built against what it was booted on; in each cell the newest job.</p>
        </div>
      </div>
      <form
        className="filter-bar"
        role="search"
        onSubmit={(event) => {
          event.preventDefault();
          const value = new FormData(event.currentTarget).get('name');
          void navigate(typeof value === 'string' && value !== '' ? `?${new URLSearchParams({ name: value })}` : '?');
        }}
      >
        <input
          className="input small filter-input"
          type="search"
          name="name"
          placeholder="Only jobs named…"
          aria-label="Only jobs whose name contains"
          defaultValue={name}
          maxLength={200}
        />
      </form>
      <div className="card">
        {matrix.data ? (
          <Table matrix={matrix.data} />
        ) : matrix.error ? (
          <Failure error={matrix.error} what="matrix" retry={() => void matrix.refetch()} />
        ) : (
          <Loading what="matrix" />
        )}
      </div>
      <Groups />
    </div>
  );
}

function Table({ matrix: { columns, rows } }: { matrix: BuildMatrix }) {
  if (rows.length === 0) {
    return (
      <Empty icon={<Grid3x3 size={40} strokeWidth={1.4} />} title="No builds yet">
        <p>Every kernel or firmware that a job boots becomes a row.</p>
      </Empty>
    );
  }
  return (
    <div className="table-scroll">
      <table className="table matrix">
        <thead>
          <tr>
            <th scope="col">Build</th>
            {columns.map(({ board, cpu }) => (
              <th scope="col" key={`${board} ${cpu}`}>
                {board} <span className="matrix-cpu">{cpu ?? 'default CPU'}</span>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(({ image, cells }) => (
            <tr key={image.id}>
              <th scope="row">
                <Link to={`/images/${image.id}`}>{image.name}</Link>
                <div className="muted mono">{shortDigest(image.sha256)}</div>
              </th>
              {cells.map((job, index) => (
                <td key={index}>{job ? <Cell job={job} /> : <span className="muted">–</span>}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Cell({ job }: { job: JobBrief }) {
  return (
    <Link to={`/jobs/${job.id}`} className="matrix-cell" data-outcome={job.outcome} title={job.reason ?? job.name}>
      <JobBadge job={job} />
      <span className="muted">
        <Counts counts={job.counts} /> · <TimeAgo iso={job.createdAt} />
      </span>
    </Link>
  );
}

function Groups() {
  const groups = useGroups();
  if (!groups.data || groups.data.items.length === 0) return null;
  return (
    <Panel title="Submitted as a matrix">
      <ul className="group-list">
        {groups.data.items.map(({ id, name, createdAt, jobs }) => (
          <li key={id}>
            <Link to={`/groups/${id}`}>{name}</Link>
            <span className="muted">
              {jobs.filter(({ outcome }) => outcome === 'pass').length} of {jobs.length} passed ·{' '}
              <TimeAgo iso={createdAt} />
            </span>
          </li>
        ))}
      </ul>
    </Panel>
  );
}
