import { useQuery } from '@tanstack/react-query';
import { jobText } from '@bootlab/lab';
import { Link, useSearchParams } from 'react-router';
import { jobQuery, useBoards } from '../api/queries.js';
import type { Board } from '../api/types.js';
import { Failure, Loading } from '../components/feedback.js';
import { selfTestImage } from '../components/self-test-button.js';
import { useTitle } from '../lib/use-title.js';
import { applyPreset, blankForm, formOfJob, NO_IMAGE, type FormState, type Preset } from '../submit/form-state.js';
import { ProgramForm } from '../submit/program-form.js';
import { blankProgram, programOfJob } from '../submit/program-state.js';
import { SubmitForm } from '../submit/submit-form.js';
import { SubmitText } from '../submit/submit-text.js';
import '../styles/submit.css';

const PRESETS: readonly Preset[] = ['shell', 'boot-test', 'self-test'];

const EXAMPLE = `name: self-test
board: malta
images: { firmware: builtin:malta-selftest-el }
timeout: 1m # virtual time
steps:
  - expect: "SELFTEST: PASS"
# matrix: { cpu: [24Kf, 34Kf] }
`;

function without(search: URLSearchParams, name: string): URLSearchParams {
  const rest = new URLSearchParams(search);
  rest.delete(name);
  return rest;
}

function as(search: URLSearchParams, how: 'program' | 'yaml'): URLSearchParams {
  const other = new URLSearchParams(search);
  other.set('as', how);
  return other;
}

/** The form as the link asks for it: `?as=program` or `yaml`, `?preset=`, `?board=`, an image per role, or `?from=` an earlier job. */
export default function SubmitPage() {
  useTitle('New job');
  const [search] = useSearchParams();
  const boards = useBoards();
  const from = search.get('from');
  const source = useQuery({ ...jobQuery(from ?? ''), enabled: from !== null, refetchInterval: false });
  const error = boards.error ?? source.error;
  const asText = search.get('as') === 'yaml';
  const ofProgram = source.data?.spec.kind === 'process';
  // An earlier job has the form of its kind.
  const asProgram = !asText && (source.data ? ofProgram : search.get('as') === 'program');

  return (
    <div className="page">
      <div className="page-head">
        <div>
          <h1>New job</h1>
          <p>
            {from === null
              ? asProgram
                ? 'Run a Linux program of another architecture, without a board.'
                : 'Boot a kernel or firmware on an emulated board.'
              : 'A new run of an earlier job: change what you like.'}
          </p>
        </div>
      </div>
      <nav className="segmented submit-how" aria-label="How to write the job">
        {!ofProgram && (
          <Link to={`/submit?${without(search, 'as')}`} aria-current={asText || asProgram ? undefined : 'page'}>
            Board
          </Link>
        )}
        {(from === null || ofProgram) && (
          <Link to={`/submit?${as(search, 'program')}`} aria-current={asProgram ? 'page' : undefined}>
            Program
          </Link>
        )}
        <Link to={`/submit?${as(search, 'yaml')}`} aria-current={asText ? 'page' : undefined}>
          YAML
        </Link>
      </nav>
      {error ? (
        <div className="card">
          <Failure error={error} what={boards.error ? 'board catalogue' : 'job'} retry={() => void boards.refetch()} />
        </div>
      ) : !boards.data?.[0] || (from !== null && !source.data) ? (
        <Loading what="form" />
      ) : asText ? (
        <SubmitText key={search.toString()} initial={source.data ? jobText(source.data.spec) : EXAMPLE} />
      ) : asProgram ? (
        <ProgramForm key={search.toString()} initial={source.data ? programOfJob(source.data) : blankProgram()} />
      ) : (
        <SubmitForm
          key={search.toString()}
          boards={boards.data}
          initial={source.data ? formOfJob(source.data) : formOfLink(search, boards.data, boards.data[0])}
        />
      )}
    </div>
  );
}

function formOfLink(search: URLSearchParams, boards: readonly Board[], first: Board): FormState {
  const board = boards.find(({ id }) => id === search.get('board')) ?? first;
  let form = blankForm(board);
  const preset = PRESETS.find((value) => value === search.get('preset'));
  if (preset) form = applyPreset(form, preset, selfTestImage(board.id, board.byteOrders[0] ?? 'little'));
  for (const role of ['kernel', 'initrd', 'firmware'] as const) {
    const reference = search.get(role);
    if (reference === null) continue;
    form = { ...form, [role]: { kind: 'library', reference, name: reference } };
    if (role === 'firmware' && form.kernel.kind === 'upload') form = { ...form, kernel: NO_IMAGE };
  }
  return form;
}
