import { BadgeCheck, Plus } from 'lucide-react';
import { useState, type FormEvent } from 'react';
import { useScopes } from '../api/auth.js';
import { useBadges, useMakeBadge, useRemoveBadge } from '../api/integration-queries.js';
import { useBoards } from '../api/queries.js';
import { errorsIn, errorsOfField } from '../api/problem.js';
import type { Badge } from '../api/types.js';
import { SelectField, TextField } from '../components/fields.js';
import { CopyButton } from '../components/copy-button.js';
import { Empty } from '../components/feedback.js';
import { Panel } from '../components/panel.js';
import { Answered, ChangeError, ConfirmButton } from './panel-parts.js';

/** Pictures of the newest outcome, for README files and dashboards. */
export function BadgesPanel() {
  const badges = useBadges();
  const mayChange = useScopes().has('maintain');
  return (
    <>
      {mayChange && <NewBadgeForm />}
      <Panel title="Badges" help="Whoever has a badge’s address sees how the newest job ended, and nothing else.">
        <Answered query={badges} what="badges">
          {(items) => <BadgeList items={items} mayRemove={mayChange} />}
        </Answered>
      </Panel>
    </>
  );
}

function NewBadgeForm() {
  const boards = useBoards();
  const [label, setLabel] = useState('boot');
  const [jobName, setJobName] = useState('');
  const [board, setBoard] = useState('');
  const make = useMakeBadge();
  const errors = errorsIn(make.error);
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    make.mutate(
      { label, ...(jobName !== '' && { jobName }), ...(board !== '' && { board }) },
      { onSuccess: () => setJobName('') },
    );
  };
  return (
    <Panel title="New badge" help="It shows the newest job that ended, of those that fit.">
      <form className="card-body form-row" onSubmit={submit}>
        <TextField label="Label" value={label} onChange={setLabel} errors={errorsOfField(errors, 'label')} />
        <TextField
          label="Job name"
          value={jobName}
          onChange={setJobName}
          placeholder="any"
          errors={errorsOfField(errors, 'jobName')}
        />
        <SelectField label="Board" value={board} onChange={setBoard}>
          <option value="">any</option>
          {boards.data?.map(({ id, name }) => (
            <option key={id} value={id}>
              {name}
            </option>
          ))}
        </SelectField>
        <button type="submit" className="button primary" disabled={make.isPending || label.trim() === ''}>
          <Plus size={16} aria-hidden />
          Make badge
        </button>
      </form>
      <ChangeError error={make.error} shownFields={['label', 'jobName']} />
    </Panel>
  );
}

function BadgeList({ items, mayRemove }: { items: readonly Badge[]; mayRemove: boolean }) {
  const remove = useRemoveBadge();
  if (items.length === 0) {
    return (
      <Empty icon={<BadgeCheck size={40} strokeWidth={1.4} />} title="No badges yet">
        <p>A badge in a README shows whether the newest kernel boots.</p>
      </Empty>
    );
  }
  return (
    <>
      <ChangeError error={remove.error} />
      <ul className="badge-list">
        {items.map((badge) => (
          <li key={badge.id} className="card-body badge-item">
            <div className="badge-head">
              <img src={badge.path} alt={`How the newest job of “${badge.label}” ended`} height={20} />
              <span className="muted">{filterText(badge)}</span>
              {mayRemove && (
                <ConfirmButton
                  label="Delete"
                  name={`Delete the badge ${badge.label}`}
                  title={`Delete the badge “${badge.label}”?`}
                  confirmLabel="Delete"
                  onConfirm={() => remove.mutate(badge.id)}
                >
                  Pages that show it will have a broken picture.
                </ConfirmButton>
              )}
            </div>
            <div className="secret-line">
              <code aria-label="Markdown">{markdownOf(badge)}</code>
              <CopyButton text={markdownOf(badge)} label="Copy Markdown" />
            </div>
          </li>
        ))}
      </ul>
    </>
  );
}

function filterText({ jobName, board }: Badge): string {
  return [jobName === null ? 'all jobs' : `jobs called “${jobName}”`, board === null ? '' : `on ${board}`]
    .filter(Boolean)
    .join(' ');
}

/** The picture, with a link to the jobs that it tells of. */
function markdownOf({ label, path, jobName, board }: Badge): string {
  const query = new URLSearchParams();
  if (jobName !== null) query.set('name', jobName);
  if (board !== null) query.set('board', board);
  const text = label.replace(/[[\]\\]/g, '\\$&');
  return `[![${text}](${location.origin}${path})](${location.origin}/jobs${query.size > 0 ? `?${query}` : ''})`;
}
