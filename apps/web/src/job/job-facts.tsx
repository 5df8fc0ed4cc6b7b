import { formatSize } from '@bootlab/lab';
import { Fragment } from 'react';
import { Link } from 'react-router';
import { useBoard } from '../api/queries.js';
import type { Image, Job } from '../api/types.js';
import { Copyable } from '../components/copy-button.js';
import {
  formatBytes,
  formatCount,
  formatDateTime,
  formatDurationMs,
  formatDurationNs,
  shortDigest,
} from '../lib/format.js';
import { StepList } from './step-list.js';
import { useNow } from '../lib/use-now.js';

const DEFAULT = <span className="muted">the board’s default</span>;

/** What a program under test runs on and with. */
function ProcessFacts({ job }: { job: Job }) {
  const { arch, program, arguments: args = [], memory } = job.spec;
  return (
    <>
      <dt>Architecture</dt>
      <dd>{arch}</dd>
      <dt>Program</dt>
      <dd>
        <code>{[program?.startsWith('/') ? program : '/program', ...args].join(' ')}</code>
      </dd>
      <dt>Exit status</dt>
      <dd>{job.steps[0]?.exitStatus ?? '–'}</dd>
      <dt>Memory</dt>
      <dd>{memory ?? '1 GiB'}</dd>
    </>
  );
}

/** What is known about a job besides its consoles. */
export function JobFacts({ job }: { job: Job }) {
  const board = useBoard(job.spec.kind === 'process' ? undefined : job.spec.board).data;
  return (
    <aside className="job-facts" aria-label="Facts about the job">
      <StepList job={job} />
      <section className="fact-group" aria-labelledby="facts-timing">
        <h2 id="facts-timing">Timing</h2>
        <Timing job={job} />
      </section>
      <section className="fact-group" aria-labelledby="facts-machine">
        <h2 id="facts-machine">Machine</h2>
        <dl className="facts">
          {job.spec.kind === 'process' ? (
            <ProcessFacts job={job} />
          ) : (
            <>
              <dt>Board</dt>
              <dd>
                <Link to={`/boards/${job.spec.board}`}>{job.spec.board}</Link>
              </dd>
              <dt>CPU</dt>
              <dd>{job.spec.cpu ?? board?.defaultCpu ?? DEFAULT}</dd>
              <dt>Memory</dt>
              <dd>{job.spec.memory ?? (board ? formatSize(board.memory.defaultBytes) : DEFAULT)}</dd>
            </>
          )}
          <dt>Clock</dt>
          <dd>{job.spec.clock === 'wall' ? 'wall' : 'virtual'}</dd>
          <dt>Time-out</dt>
          <dd>{job.spec.timeout ?? '5m'}</dd>
          {job.spec.cmdline !== undefined && (
            <>
              <dt>Command line</dt>
              <dd>
                <code>{job.spec.cmdline}</code>
              </dd>
            </>
          )}
        </dl>
      </section>
      <section className="fact-group" aria-labelledby="facts-images">
        <h2 id="facts-images">Images</h2>
        <ul className="fact-images">
          {imagesOf(job).map(({ role, image }) => (
            <li key={`${role} ${image.id}`}>
              <div className="fact-image-head">
                <span className="muted">{role}</span>
                <Copyable
                  text={`sha256:${image.sha256}`}
                  shown={shortDigest(image.sha256)}
                  label={`digest of the ${role}`}
                />
              </div>
              <Link to={`/images/${image.id}`}>{image.name}</Link>
              <div className="muted fact-image-type">
                {image.description} · {formatBytes(image.sizeBytes)}
              </div>
            </li>
          ))}
        </ul>
      </section>
      <section className="fact-group" aria-labelledby="facts-id">
        <h2 id="facts-id">Job id</h2>
        <Copyable text={job.id} shown={job.id} label="job id" />
      </section>
    </aside>
  );
}

function imagesOf(job: Job): { role: string; image: Image }[] {
  const { kernel, initrd, firmware, drives } = job.images;
  return [
    ...(kernel ? [{ role: 'kernel', image: kernel }] : []),
    ...(initrd ? [{ role: 'initrd', image: initrd }] : []),
    ...(firmware ? [{ role: 'firmware', image: firmware }] : []),
    ...drives.map((image, index) => ({ role: `drive ${index + 1}`, image })),
  ];
}

function Timing({ job }: { job: Job }) {
  const now = useNow(1000, job.state !== 'ended');
  const waitedMs = (job.startedAt === null ? now.getTime() : Date.parse(job.startedAt)) - Date.parse(job.createdAt);
  const wallMs =
    job.state === 'running' && job.startedAt !== null ? now.getTime() - Date.parse(job.startedAt) : job.wallMs;
  const mips = wallMs > 0 ? job.instructions / wallMs / 1000 : 0;
  return (
    <dl className="facts tabular">
      <dt>Submitted</dt>
      <dd>{formatDateTime(new Date(job.createdAt))}</dd>
      {(job.state === 'queued' || job.startedAt !== null) && (
        <>
          <dt>In queue</dt>
          <dd>{formatDurationMs(Math.max(0, waitedMs))}</dd>
        </>
      )}
      {job.startedAt !== null && (
        <>
          <dt>Wall time</dt>
          <dd>{formatDurationMs(Math.max(0, wallMs))}</dd>
          <dt>Virtual time</dt>
          <dd>{formatDurationNs(job.virtualNs)}</dd>
          <dt>Instructions</dt>
          <dd>
            {formatCount(job.instructions)}
            {job.state === 'ended' && mips >= 1 && <span className="muted"> ({formatCount(mips * 1e6)}/s)</span>}
          </dd>
        </>
      )}
      {job.attempts > 1 && (
        <>
          <dt>Attempts</dt>
          <dd>{job.attempts}</dd>
        </>
      )}
      {job.runs
        .filter(({ state, outcome }) => state === 'lost' || (outcome === 'infra' && job.runs.length > 1))
        .map(({ attempt, reason }) => (
          <Fragment key={attempt}>
            <dt>Attempt {attempt}</dt>
            <dd className="attempt-reason">{reason ?? 'Its worker was lost'}</dd>
          </Fragment>
        ))}
    </dl>
  );
}
