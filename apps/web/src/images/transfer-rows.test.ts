import { describe, expect, it } from '@jest/globals';
import type { ImageTransfer } from '../api/types.js';
import { transferRows } from './transfer-rows.js';
import type { Upload } from './upload-queue.js';

const upload = (change: Partial<Upload> = {}): Upload => ({
  key: 1,
  name: 'disk.img',
  sizeBytes: 100,
  state: 'sending',
  sentBytes: 40,
  ...change,
});
const transfer = (change: Partial<ImageTransfer> = {}): ImageTransfer => ({
  id: 't-1',
  kind: 'upload',
  name: 'disk.img',
  url: null,
  state: 'receiving',
  sizeBytes: 100,
  receivedBytes: 30,
  image: null,
  errors: [],
  createdAt: '2026-01-01T00:00:00.000Z',
  ...change,
});
const error = { field: 'sha256', message: 'Another digest.', mend: 'Check the file.' };
const rows = (uploads: Upload[], transfers: ImageTransfer[], dismissed: string[] = []) =>
  transferRows(uploads, transfers, new Set(dismissed)).map(({ key, status, message, doneBytes }) => ({
    key,
    status,
    ...(message !== undefined && { message }),
    doneBytes,
  }));

describe('files on their way', () => {
  it('shows an upload of this page once, by what this page knows', () => {
    expect(rows([upload({ transferId: 't-1' })], [transfer()])).toEqual([
      { key: 'upload-1', status: 'sending', doneBytes: 40 },
    ]);
  });

  it.each<[ImageTransfer['state'] | undefined, string]>([
    [undefined, 'checking'],
    ['receiving', 'checking'],
    ['checking', 'checking'],
    ['stored', 'stored'],
    ['cancelled', 'cancelled'],
  ])('asks the lab what became of what was sent: %s', (state, status) => {
    const sent = upload({ state: 'sent', sentBytes: 100, transferId: 't-1' });
    expect(rows([sent], state ? [transfer({ state })] : [])).toEqual([{ key: 'upload-1', status, doneBytes: 100 }]);
  });

  it('says why, and what to do about it', () => {
    const sent = upload({ state: 'sent', transferId: 't-1' });
    const failed = transfer({ state: 'failed', errors: [error] });
    const message = 'Another digest. Check the file.';
    expect(rows([sent], [failed])[0]).toMatchObject({ status: 'failed', message });
    expect(rows([], [failed])[0]).toMatchObject({ status: 'failed', message });
  });

  it('shows what a reload interrupted, and downloads of the lab', () => {
    const download = transfer({ id: 't-2', kind: 'import', url: 'https://host/a' });
    expect(rows([], [transfer(), download])).toEqual([
      { key: 't-1', status: 'interrupted', doneBytes: 30 },
      { key: 't-2', status: 'downloading', doneBytes: 30 },
    ]);
  });

  it('leaves out what ended elsewhere, and what the person has seen', () => {
    const failed = transfer({ id: 't-3', state: 'failed', errors: [error] });
    const stored = transfer({ id: 't-2', state: 'stored' });
    expect(rows([], [stored, transfer({ state: 'cancelled' }), failed])).toHaveLength(1);
    expect(rows([], [failed], ['t-3'])).toEqual([]);
  });
});
