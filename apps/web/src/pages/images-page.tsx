import { HardDrive } from 'lucide-react';
import { useRef, useState } from 'react';
import { Link, useSearchParams } from 'react-router';
import type { UploadProgress } from '../api/client.js';
import { useImages, useUploadImage } from '../api/queries.js';
import type { Image } from '../api/types.js';
import { Copyable } from '../components/copy-button.js';
import { Empty, Failure, Loading, Notice } from '../components/feedback.js';
import { FileDrop } from '../components/file-drop.js';
import { TimeAgo } from '../components/time-ago.js';
import { UploadBar } from '../components/upload-bar.js';
import { formatBytes, shortDigest } from '../lib/format.js';
import { archText } from '../lib/image.js';
import { useTitle } from '../lib/use-title.js';

export function ImagesPage() {
  useTitle('Images');
  const [search] = useSearchParams();
  const images = useImages(search.get('cursor') ?? undefined);
  return (
    <div className="page">
      <div className="page-head">
        <div>
          <h1>Images</h1>
          <p>
            Kernels, initial RAM disks, firmware and disks. Stored once each, named by their SHA-256 digest, never
            changed.
          </p>
        </div>
      </div>
      <Uploader />
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

interface Upload {
  name: string;
  progress: UploadProgress | undefined;
}

/** Uploads files one after the other, so that a slow line is not shared by all of them. */
function Uploader() {
  const { mutateAsync } = useUploadImage();
  const [upload, setUpload] = useState<Upload>();
  const [failures, setFailures] = useState<{ name: string; message: string }[]>([]);
  const abort = useRef<AbortController>(undefined);

  const uploadAll = async (files: readonly File[]): Promise<void> => {
    setFailures([]);
    const controller = new AbortController();
    abort.current = controller;
    for (const file of files) {
      if (controller.signal.aborted) break;
      setUpload({ name: file.name, progress: undefined });
      try {
        await mutateAsync({
          file,
          signal: controller.signal,
          onProgress: (progress) => setUpload({ name: file.name, progress }),
        });
      } catch (error) {
        if (controller.signal.aborted) break;
        const message = error instanceof Error ? error.message : String(error);
        setFailures((known) => [...known, { name: file.name, message }]);
      }
    }
    setUpload(undefined);
  };

  return (
    <div className="uploader">
      {upload ? (
        <UploadBar
          label={`Uploading ${upload.name}`}
          progress={upload.progress}
          onCancel={() => abort.current?.abort()}
        />
      ) : (
        <FileDrop label="Upload images" multiple onFiles={(files) => void uploadAll(files)} />
      )}
      {failures.map(({ name, message }) => (
        <Notice key={name} tone="fail" title={`${name} was not stored`}>
          {message}
        </Notice>
      ))}
    </div>
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
    <div className="table-scroll">
      <table className="table images-table">
        <thead>
          <tr>
            <th>Image</th>
            <th>Type</th>
            <th className="number">Size</th>
            <th>SHA-256</th>
            <th>Added</th>
          </tr>
        </thead>
        <tbody>
          {images.map((image) => (
            <tr key={image.id}>
              <td className="job-cell">
                <Link to={`/images/${image.id}`} className="row-link">
                  {image.name}
                </Link>
                <div className="muted image-description">{image.description}</div>
              </td>
              <td>
                <span className="tag">{image.type}</span>
                <div className="muted image-arch">{archText(image)}</div>
              </td>
              <td className="number nowrap">{formatBytes(image.sizeBytes)}</td>
              <td>
                <Copyable text={`sha256:${image.sha256}`} shown={shortDigest(image.sha256)} label="digest" />
              </td>
              <td className="nowrap muted">
                <TimeAgo iso={image.createdAt} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
