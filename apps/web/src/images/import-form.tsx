import { Link2 } from 'lucide-react';
import { useId, useState, type FormEvent } from 'react';
import { ApiError } from '../api/problem.js';
import { useImportImage } from '../api/queries.js';
import type { FieldError } from '../api/types.js';
import { FieldErrors } from '../submit/field-errors.js';

/** Has the lab download an image. What becomes of it is in the list of files on their way. */
export function ImportForm({ unpack }: { unpack: boolean }) {
  const start = useImportImage();
  const [url, setUrl] = useState('');
  const [sha256, setSha256] = useState('');
  const ids = { url: useId(), sha256: useId() };
  const errors = start.error instanceof ApiError ? start.error.problem.errors : [];
  const of = (name: string): FieldError[] => errors.filter(({ field }) => field === name);
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    const digest = sha256.trim();
    const request = { url: url.trim(), unpack, ...(digest !== '' && { sha256: digest }) };
    start.mutate(request, {
      onSuccess: () => {
        setUrl('');
        setSha256('');
      },
    });
  };
  return (
    <form className="card import-form" onSubmit={submit} noValidate>
      <div className="field">
        <label htmlFor={ids.url}>Import from a URL</label>
        <input
          id={ids.url}
          className="input"
          type="url"
          placeholder="https://…"
          value={url}
          aria-invalid={of('url').length > 0}
          aria-describedby={`${ids.url}-errors`}
          onChange={(event) => setUrl(event.target.value)}
        />
        <FieldErrors id={`${ids.url}-errors`} errors={of('url')} />
      </div>
      <div className="field">
        <label htmlFor={ids.sha256}>
          SHA-256 <span className="optional">(optional)</span>
        </label>
        <input
          id={ids.sha256}
          className="input mono"
          spellCheck={false}
          autoComplete="off"
          value={sha256}
          aria-invalid={of('sha256').length > 0}
          aria-describedby={`${ids.sha256}-errors`}
          onChange={(event) => setSha256(event.target.value)}
        />
        <FieldErrors id={`${ids.sha256}-errors`} errors={of('sha256')} />
      </div>
      <button type="submit" className="button" disabled={url.trim() === '' || start.isPending}>
        <Link2 size={15} aria-hidden /> Import
      </button>
      {start.error && errors.length === 0 && (
        <p className="field-error import-error" role="alert">
          {start.error.message}
        </p>
      )}
    </form>
  );
}
