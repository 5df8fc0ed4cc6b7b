import { useState, type FormEvent } from 'react';
import { useSetQuota } from '../api/people-queries.js';
import { errorsIn, errorsOfField } from '../api/problem.js';
import type { Project, Quota } from '../api/types.js';
import { TextField } from '../components/fields.js';
import { ChangeError } from './panel-parts.js';

const GIB = 2 ** 30;
const FIELDS = [
  { name: 'boards', label: 'Boards at a time', unit: 1 },
  { name: 'cpuSeconds', label: 'Board hours per period', unit: 3600 },
  { name: 'periodHours', label: 'Period, days', unit: 24 },
  { name: 'storageBytes', label: 'Storage, GiB', unit: GIB },
] as const satisfies readonly { name: keyof Quota; label: string; unit: number }[];

type Texts = Record<keyof Quota, string>;

/** The quota of a project in the units that people think in; operators set it. */
export function QuotaForm({ project }: { project: Project }) {
  const [texts, setTexts] = useState<Texts>(() => textsOf(project.quota));
  const set = useSetQuota();
  const errors = errorsIn(set.error);
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    set.mutate({ project: project.name, quota: quotaOf(texts) });
  };
  return (
    <>
      <form className="card-body form-row" onSubmit={submit}>
        {FIELDS.map(({ name, label }) => (
          <TextField
            key={name}
            label={label}
            value={texts[name]}
            inputMode="numeric"
            placeholder="no limit"
            errors={errorsOfField(errors, `quota.${name}`)}
            onChange={(value) => setTexts({ ...texts, [name]: value })}
          />
        ))}
        <button type="submit" className="button" disabled={set.isPending}>
          Save
        </button>
      </form>
      <ChangeError error={set.error} shownFields={FIELDS.map(({ name }) => `quota.${name}`)} />
    </>
  );
}

function textsOf(quota: Quota): Texts {
  const text = (name: keyof Quota): string => {
    const unit = FIELDS.find((field) => field.name === name)?.unit ?? 1;
    const value = quota[name];
    return value === null ? '' : String(Math.round((value / unit) * 1000) / 1000);
  };
  return {
    boards: text('boards'),
    cpuSeconds: text('cpuSeconds'),
    periodHours: text('periodHours'),
    storageBytes: text('storageBytes'),
  };
}

/** What is no number goes to the lab as it is, which says what is wrong with it. */
function quotaOf(texts: Texts): Partial<Quota> {
  const entries = FIELDS.map(({ name, unit }) => {
    const text = texts[name].trim();
    const value = Number(text) * unit;
    if (text === '') return [name, name === 'periodHours' ? undefined : null];
    return [name, Number.isFinite(value) ? Math.round(value) : text];
  });
  return Object.fromEntries(entries) as Partial<Quota>;
}
