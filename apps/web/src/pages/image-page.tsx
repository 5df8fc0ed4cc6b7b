import { Link, useParams } from 'react-router';
import { useImage } from '../api/queries.js';
import type { Image, ImageRole } from '../api/types.js';
import { Copyable } from '../components/copy-button.js';
import { Failure, Loading } from '../components/feedback.js';
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
          <Failure error={image.error} what="image" retry={() => void image.refetch()} />
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
          {USES.filter(({ role }) => fitsRole(image, role)).map(({ role, label }) => (
            <Link key={role} className="button" to={`/submit?${role}=${encodeURIComponent(reference)}`}>
              {label}
            </Link>
          ))}
        </div>
      </div>
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
          <dt>Added</dt>
          <dd>{formatDateTime(new Date(image.createdAt))}</dd>
        </dl>
      </section>
    </>
  );
}
