import type { UploadProgress } from '../api/client.js';
import { formatBytes } from '../lib/format.js';

export function UploadBar({
  label,
  progress,
  onCancel,
}: {
  label: string;
  progress: UploadProgress | undefined;
  onCancel(): void;
}) {
  const share = progress && progress.totalBytes > 0 ? progress.sentBytes / progress.totalBytes : 0;
  return (
    <div className="upload-bar">
      <div className="upload-bar-head">
        <span>{share === 1 ? 'Checking and storing…' : label}</span>
        <span className="muted tabular">
          {progress && `${formatBytes(progress.sentBytes)} of ${formatBytes(progress.totalBytes)}`}
        </span>
        <button type="button" className="button small" onClick={onCancel}>
          Cancel
        </button>
      </div>
      <div
        className="progress"
        role="progressbar"
        aria-label={label}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={Math.round(share * 100)}
      >
        <span style={{ width: `${share * 100}%` }} />
      </div>
    </div>
  );
}
