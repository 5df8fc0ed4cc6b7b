import { HardDrive, Pin } from 'lucide-react';
import { useState } from 'react';
import { Link, useSearchParams } from 'react-router';
import { useImages } from '../api/queries.js';
import type { Image } from '../api/types.js';
import { Copyable } from '../components/copy-button.js';
import { DataTable } from '../components/data-table.js';
import { Empty, Failure, Loading } from '../components/feedback.js';
import { FileDrop } from '../components/file-drop.js';
import { TimeAgo } from '../components/time-ago.js';
import { ImportForm } from '../images/import-form.js';
import { TransferList } from '../images/transfer-list.js';
import { addUpload } from '../images/uploads.js';
import { formatBytes, shortDigest } from '../lib/format.js';
import { archText } from '../lib/image.js';
import { keepRowFocus } from '../lib/row-focus.js';
import { useTitle } from '../lib/use-title.js';

export function ImagesPage() {
  useTitle('Images');
  const [search] = useSearchParams();
  const images = useImages(search.get('cursor') ?? undefined);
  return (
    <div className="page" ref={keepRowFocus}>
      <div className="page-head">
        <div>
          <h1>Images</h1>
          <p>
            Kernels, initial RAM disks, firmware and disks. Stored once each, named by their SHA-256 digest, never
            changed.
          </p>
        </div>
      </div>
      <Sources />
      <TransferList />
      <div className="card">
        {images.data ? (
          <ImageTable images={images.data.items} />
        ) : images.error ? (
          <Failure error={images.error} what="image library" retry={() => void images.refetch()} />
        ) : (
          <Loading what="images" />
        )}
      </div>
      {images.data && images.data.nextCursor !== null && (
        <nav className="pager" aria-label="Pages">
          <Link className="button small" to={`/images?cursor=${encodeURIComponent(images.data.nextCursor)}`}>
            Older images
          </Link>
        </nav>
      )}
    </div>
  );
}

/** Where images come from: files of this computer, or an address that the lab downloads from. */
function Sources() {
  const [unpack, setUnpack] = useState(false);
  return (
    <section className="image-sources" aria-label="Add images">
      <FileDrop
        label="Upload images"
        multiple
        onFiles={(files) => files.forEach((file) => addUpload(file, { unpack }))}
      />
      <ImportForm unpack={unpack} />
      <label className="check">
        <input type="checkbox" checked={unpack} onChange={(event) => setUnpack(event.target.checked)} />
        <span>
          Unpack compressed files <span className="muted">(gzip, xz, Zstandard, bzip2) and store what is inside</span>
        </span>
      </label>
    </section>
  );
}

function ImageTable({ images }: { images: readonly Image[] }) {
  if (images.length === 0) {
    return (
      <Empty icon={<HardDrive size={40} strokeWidth={1.4} />} title="No images yet">
        <p>Upload a kernel or firmware above, or with a job: files of a job land here too.</p>
      </Empty>
    );
  }
  return (
    <DataTable
      label="Images"
      className="images-table"
      items={images}
      keyOf={({ id }) => id}
      columns={[
        {
          head: 'Image',
          phone: 'title',
          className: 'job-cell',
          cell: (image) => (
            <>
              <Link to={`/images/${image.id}`} className="row-link">
                {image.name}
              </Link>
              {image.kept && <Pin size={12} className="image-kept" aria-label="kept" />}
              <div className="muted image-description">{image.description}</div>
            </>
          ),
        },
        {
          head: 'Type',
          cell: (image) => (
            <>
              <span className="tag">{image.type}</span>
              <div className="muted image-arch">{archText(image)}</div>
            </>
          ),
        },
        { head: 'Size', className: 'number nowrap', cell: ({ sizeBytes }) => formatBytes(sizeBytes) },
        {
          head: 'SHA-256',
          cell: ({ sha256 }) => <Copyable text={`sha256:${sha256}`} shown={shortDigest(sha256)} label="digest" />,
        },
        { head: 'Added', className: 'nowrap muted', cell: ({ createdAt }) => <TimeAgo iso={createdAt} /> },
      ]}
    />
  );
}
