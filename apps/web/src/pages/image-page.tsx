import { Download, Pin, PinOff, Trash2 } from 'lucide-react';
import { useState } from 'react';
import { Link, useNavigate, useParams } from 'react-router';
import { download } from '../api/client.js';
import { useChangeImage, useImage, useRemoveImage } from '../api/queries.js';
import type { Image, ImageRole } from '../api/types.js';
import { ConfirmDialog } from '../components/confirm-dialog.js';
import { Copyable } from '../components/copy-button.js';
import { Failure, Loading, Notice } from '../components/feedback.js';
import { TimeAgo } from '../components/time-ago.js';
import { formatBytes, formatDateTime } from '../lib/format.js';
import { archText, fitsRole } from '../lib/image.js';
import { useTitle } from '../lib/use-title.js';

export function ImagePage() {
  const { id = '' } = useParams();
  const image = useImage(id);
  useTitle(image.data?.name ?? 'Image');
  return (
    <div className="page">
      <nav className="crumbs" aria-label="Breadcrumb">
        <Link to="/images">Images</Link>
        <span aria-hidden>/</span>
        <span>{image.data?.name ?? id}</span>
      </nav>
      {image.data ? (
        <ImageDetails image={image.data} />
      ) : image.error ? (
        <div className="card">
          <Failure wholePage error={image.error} what="image" retry={() => void image.refetch()} />
        </div>
      ) : (
        <Loading what="image" />
      )}
    </div>
  );
}

const USES: readonly { role: Exclude<ImageRole, 'drive'>; label: string }[] = [
  { role: 'kernel', label: 'Boot as kernel' },
  { role: 'initrd', label: 'Use as initrd' },
  { role: 'firmware', label: 'Run as firmware' },
];

function ImageDetails({ image }: { image: Image }) {
  const reference = `sha256:${image.sha256}`;
  return (
    <>
      <div className="page-head">
        <div>
          <h1>{image.name}</h1>
          <p>{image.description}</p>
        </div>
        <div className="page-actions">
          {image.removedAt === null &&
            USES.filter(({ role }) => fitsRole(image, role)).map(({ role, label }) => (
              <Link key={role} className="button" to={`/submit?${role}=${encodeURIComponent(reference)}`}>
                {label}
              </Link>
            ))}
          {image.removedAt === null && <Actions image={image} />}
        </div>
      </div>
      {image.removedAt !== null && (
        <Notice title="No longer in the library">
          It was removed <TimeAgo iso={image.removedAt} />. Jobs that used it still show it; upload it again to use it.
        </Notice>
      )}
      <section className="card" aria-label="Facts">
        <dl className="facts card-body">
          <dt>Type</dt>
          <dd>{image.type}</dd>
          {archText(image) !== '' && (
            <>
              <dt>For</dt>
              <dd>{archText(image)}</dd>
            </>
          )}
          {image.entry !== null && (
            <>
              <dt>Entry point</dt>
              <dd className="mono">0x{image.entry.toString(16).padStart(8, '0')}</dd>
            </>
          )}
          <dt>Size</dt>
          <dd>
            {formatBytes(image.sizeBytes)}{' '}
            <span className="muted">({image.sizeBytes.toLocaleString('en-GB')} bytes)</span>
          </dd>
          <dt>Digest</dt>
          <dd>
            <Copyable text={reference} shown={reference} label="digest" />
          </dd>
          {image.origin !== null && (
            <>
              <dt>Origin</dt>
              <dd>{image.origin}</dd>
            </>
          )}
          <dt>Added</dt>
          <dd>{formatDateTime(new Date(image.createdAt))}</dd>
          <dt>Last used</dt>
          <dd>
            <TimeAgo iso={image.lastUsedAt} />
            {image.kept && <span className="muted"> · kept for good</span>}
          </dd>
        </dl>
      </section>
    </>
  );
}

/** What can be done with an image besides booting it. */
function Actions({ image }: { image: Image }) {
  const navigate = useNavigate();
  const change = useChangeImage(image.id);
  const remove = useRemoveImage(image.id);
  const [asking, setAsking] = useState(false);
  const [saving, setSaving] = useState(false);
  const [saveError, setSaveError] = useState<Error>();
  const save = (): void => {
    setSaving(true);
    setSaveError(undefined);
    download(`/images/${image.id}/content`, image.name)
      .catch((error: Error) => setSaveError(error))
      .finally(() => setSaving(false));
  };
  const error = change.error ?? remove.error ?? saveError;
  return (
    <>
      <button type="button" className="button" disabled={saving} onClick={save}>
        <Download size={15} aria-hidden /> {saving ? 'Downloading…' : 'Download'}
      </button>
      <button
        type="button"
        className="button"
        aria-pressed={image.kept}
        title={image.kept ? 'Let retention remove it when nobody uses it' : 'Never let retention remove it'}
        disabled={change.isPending}
        onClick={() => change.mutate({ kept: !image.kept })}
      >
        {image.kept ? <PinOff size={15} aria-hidden /> : <Pin size={15} aria-hidden />}
        {image.kept ? 'Do not keep' : 'Keep'}
      </button>
      <button type="button" className="button danger" onClick={() => setAsking(true)}>
        <Trash2 size={15} aria-hidden /> Delete
      </button>
      {error && (
        <p className="field-error image-error" role="alert">
          {error.message}
        </p>
      )}
      <ConfirmDialog
        open={asking}
        title={`Delete ${image.name}?`}
        confirmLabel="Delete"
        dismissLabel="Keep it"
        onClose={() => setAsking(false)}
        onConfirm={() => remove.mutate(undefined, { onSuccess: () => void navigate('/images') })}
      >
        Jobs that ended still show it, but no new one can use it. Its bytes are deleted once nothing needs them.
      </ConfirmDialog>
    </>
  );
}
