import type { ImageTransfer } from '../api/types.js';
import type { Upload } from './upload-queue.js';

/** One line of the list of files on their way: an upload of this page, a transfer of the lab, or both. */
export interface TransferRow {
  readonly key: string;
  readonly name: string;
  readonly detail: string | undefined;
  readonly status:
    'waiting' | 'sending' | 'paused' | 'interrupted' | 'downloading' | 'checking' | 'stored' | 'failed' | 'cancelled';
  readonly doneBytes: number;
  /** Null while nobody knows. */
  readonly totalBytes: number | null;
  readonly message: string | undefined;
  readonly imageId: string | undefined;
  readonly upload: Upload | undefined;
  readonly transfer: ImageTransfer | undefined;
}

/**
 * Puts the uploads of this page and the transfers of the lab together. Uploads come first, then what the lab has of
 * other pages, of other people, and from before a reload.
 * @param dismissed ended transfers that the person does not want to see any more
 */
export function transferRows(
  uploads: readonly Upload[],
  transfers: readonly ImageTransfer[],
  dismissed: ReadonlySet<string>,
): TransferRow[] {
  const own = new Set(uploads.map(({ transferId }) => transferId));
  return [
    ...uploads.map((upload) =>
      rowOfUpload(
        upload,
        transfers.find(({ id }) => id === upload.transferId),
      ),
    ),
    ...transfers
      .filter(({ id }) => !own.has(id) && !dismissed.has(id))
      .filter(({ state }) => state !== 'stored' && state !== 'cancelled')
      .map(rowOfTransfer),
  ];
}

function rowOfUpload(upload: Upload, transfer: ImageTransfer | undefined): TransferRow {
  const row = {
    key: `upload-${upload.key}`,
    name: upload.name,
    detail: undefined,
    doneBytes: upload.sentBytes,
    totalBytes: upload.sizeBytes,
    message: upload.error,
    imageId: transfer?.image?.id,
    upload,
    transfer,
  };
  if (upload.state !== 'sent') return { ...row, status: upload.state };
  // The lab has all of it; what becomes of it is the lab's to say.
  switch (transfer?.state) {
    case 'stored':
    case 'cancelled':
      return { ...row, status: transfer.state };
    case 'failed':
      return { ...row, status: 'failed', message: messageOf(transfer) };
    default:
      return { ...row, status: 'checking' };
  }
}

function rowOfTransfer(transfer: ImageTransfer): TransferRow {
  const receiving = transfer.kind === 'import' ? 'downloading' : 'interrupted';
  return {
    key: transfer.id,
    name: transfer.name,
    detail: transfer.url ?? undefined,
    status: transfer.state === 'receiving' ? receiving : transfer.state,
    doneBytes: transfer.receivedBytes,
    totalBytes: transfer.sizeBytes,
    message: transfer.state === 'failed' ? messageOf(transfer) : undefined,
    imageId: transfer.image?.id,
    upload: undefined,
    transfer,
  };
}

function messageOf({ errors }: ImageTransfer): string {
  return errors.map(({ message, mend }) => `${message.replace(/\.$/, '')}. ${mend}`).join(' ');
}
