import { CircleAlert, CircleCheck, FileUp, Pause, Play, RotateCcw, X } from 'lucide-react';
import { useEffect, useMemo, useRef, useState, type ReactNode } from 'react';
import { Link } from 'react-router';
import { useCancelTransfer, useImageTransfers, useImagesChanged } from '../api/queries.js';
import { formatBytes } from '../lib/format.js';
import { transferRows, type TransferRow } from './transfer-rows.js';
import { addUpload, uploads, useLeaveWarning, useUploads } from './uploads.js';

/** Files on their way into the library: of this page, and whatever else the lab knows of. */
export function TransferList() {
  const own = useUploads();
  const transfers = useImageTransfers(own.some(({ state }) => state === 'sent'));
  const [dismissed, setDismissed] = useState<ReadonlySet<string>>(new Set());
  const rows = useMemo(() => transferRows(own, transfers.data ?? [], dismissed), [own, transfers.data, dismissed]);
  useLeaveWarning();
  useRefreshWhenStored(rows);
  if (rows.length === 0) return null;
  return (
    <ul className="card transfers" aria-label="Files on their way">
      {rows.map((row) => (
        <Row key={row.key} row={row} onDismiss={(id) => setDismissed((known) => new Set(known).add(id))} />
      ))}
    </ul>
  );
}

function useRefreshWhenStored(rows: readonly TransferRow[]): void {
  const imagesChanged = useImagesChanged();
  const stored = rows.filter(({ status }) => status === 'stored').length;
  const unfinished = rows.length - stored;
  useEffect(() => {
    // Also when a row is gone: what others sent is not shown once it is stored.
    imagesChanged();
  }, [stored, unfinished, imagesChanged]);
}

const STATUS: Readonly<Record<TransferRow['status'], string>> = {
  waiting: 'Waits for its turn',
  sending: 'Uploading',
  paused: 'Paused',
  interrupted: 'Not sent from this page. Choose the same file to go on.',
  downloading: 'The lab is downloading',
  checking: 'Checking and storing…',
  stored: 'Stored',
  failed: 'Failed',
  cancelled: 'Cancelled',
};

function Row({ row, onDismiss }: { row: TransferRow; onDismiss(transferId: string): void }) {
  const { name, detail, status, doneBytes, totalBytes, message, imageId } = row;
  const ended = status === 'stored' || status === 'failed' || status === 'cancelled';
  const share = totalBytes === null ? undefined : totalBytes === 0 ? 1 : Math.min(1, doneBytes / totalBytes);
  return (
    <li className="transfer" data-status={status}>
      <div className="transfer-head">
        <div className="transfer-name">
          {status === 'stored' && imageId !== undefined ? <Link to={`/images/${imageId}`}>{name}</Link> : name}
          {detail !== undefined && <div className="muted transfer-detail">{detail}</div>}
        </div>
        <span className="muted tabular nowrap">
          {ended || totalBytes === null
            ? (totalBytes ?? doneBytes) > 0 && formatBytes(totalBytes ?? doneBytes)
            : `${formatBytes(doneBytes)} of ${formatBytes(totalBytes)}`}
        </span>
        <Actions row={row} onDismiss={onDismiss} />
      </div>
      {!ended && (
        <div
          className="progress"
          role="progressbar"
          aria-label={name}
          aria-valuemin={0}
          aria-valuemax={100}
          {...(share !== undefined && { 'aria-valuenow': Math.round(share * 100) })}
          data-unknown={share === undefined || status === 'checking' || undefined}
        >
          <span style={{ width: `${(share ?? 1) * 100}%` }} />
        </div>
      )}
      <div className="transfer-status" role={status === 'failed' ? 'alert' : 'status'}>
        {status === 'stored' && <CircleCheck size={14} aria-hidden />}
        {status === 'failed' && <CircleAlert size={14} aria-hidden />}
        <span>{message ?? STATUS[status]}</span>
      </div>
    </li>
  );
}

function Actions({ row, onDismiss }: { row: TransferRow; onDismiss(transferId: string): void }) {
  const { upload, transfer, status, name } = row;
  const cancelTransfer = useCancelTransfer();
  const remove = (): void => {
    if (upload) uploads.remove(upload.key);
    if (status === 'failed' && transfer) onDismiss(transfer.id);
    // An upload of this page that is not all there is given up by its own sender.
    else if (transfer && (!upload || status === 'checking')) cancelTransfer.mutate(transfer.id);
  };
  const ended = status === 'stored' || status === 'failed' || status === 'cancelled';
  return (
    <div className="transfer-actions">
      {cancelTransfer.error && (
        <span className="transfer-wrong" role="alert">
          {cancelTransfer.error.message}
        </span>
      )}
      {upload && (status === 'sending' || status === 'waiting') && (
        <IconButton label={`Pause ${name}`} onClick={() => uploads.pause(upload.key)}>
          <Pause size={15} aria-hidden />
        </IconButton>
      )}
      {upload && status === 'paused' && (
        <IconButton label={`Go on with ${name}`} onClick={() => uploads.resume(upload.key)}>
          <Play size={15} aria-hidden />
        </IconButton>
      )}
      {upload?.state === 'failed' && (
        <IconButton label={`Try ${name} again`} onClick={() => uploads.resume(upload.key)}>
          <RotateCcw size={15} aria-hidden />
        </IconButton>
      )}
      {status === 'interrupted' && transfer && <GoOn name={name} transferId={transfer.id} row={row} />}
      <IconButton label={ended ? `Dismiss ${name}` : `Cancel ${name}`} onClick={remove}>
        <X size={15} aria-hidden />
      </IconButton>
    </div>
  );
}

/** Lets the person choose the file of an upload that a reload interrupted: no page may open it by itself. */
function GoOn({ name, transferId, row }: { name: string; transferId: string; row: TransferRow }) {
  const input = useRef<HTMLInputElement>(null);
  const [wrong, setWrong] = useState(false);
  const choose = (file: File | undefined): void => {
    if (!file) return;
    const same = file.name === name && file.size === row.totalBytes;
    setWrong(!same);
    if (same) addUpload(file, { unpack: false, transferId });
  };
  return (
    <>
      {wrong && <span className="transfer-wrong">That is another file.</span>}
      <button type="button" className="button small" onClick={() => input.current?.click()}>
        <FileUp size={14} aria-hidden /> Choose file
      </button>
      <input
        ref={input}
        className="visually-hidden"
        type="file"
        tabIndex={-1}
        aria-label={`The file ${name}`}
        onChange={(event) => {
          choose(event.target.files?.[0]);
          event.target.value = '';
        }}
      />
    </>
  );
}

function IconButton({ label, onClick, children }: { label: string; onClick(): void; children: ReactNode }) {
  return (
    <button type="button" className="button icon small quiet" title={label} aria-label={label} onClick={onClick}>
      {children}
    </button>
  );
}
