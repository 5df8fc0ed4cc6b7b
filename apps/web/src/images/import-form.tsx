import { Link2 } from 'lucide-react';
import { useState, type FormEvent } from 'react';
import { errorsElsewhere, errorsIn, errorsOfField } from '../api/problem.js';
import { useImportImage } from '../api/queries.js';
import { TextField } from '../components/fields.js';

/** Has the lab download an image. What becomes of it is in the list of files on their way. */
export function ImportForm({ unpack }: { unpack: boolean }) {
  const start = useImportImage();
  const [url, setUrl] = useState('');
  const [sha256, setSha256] = useState('');
  const errors = errorsIn(start.error);
  const areShown = errors.length > 0 && errorsElsewhere(errors, ['url', 'sha256']).length === 0;
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
      <TextField
        label="Import from a URL"
        type="url"
        placeholder="https://…"
        value={url}
        errors={errorsOfField(errors, 'url')}
        onChange={setUrl}
      />
      <TextField
        label="SHA-256"
        optional
        mono
        value={sha256}
        errors={errorsOfField(errors, 'sha256')}
        onChange={setSha256}
      />
      <button type="submit" className="button" disabled={url.trim() === '' || start.isPending}>
        <Link2 size={15} aria-hidden /> Import
      </button>
      {start.error && !areShown && (
        <p className="field-error import-error" role="alert">
          {start.error.message}
        </p>
      )}
    </form>
  );
}
