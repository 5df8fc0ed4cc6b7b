// Sends a file by the tus protocol. An upload that a reload or a lost line interrupted goes on when the same file is
// chosen again: tus-js-client remembers its address in this browser by the file's name, size and time of change.
import { DetailedError, Upload as TusUpload } from 'tus-js-client';
import { API } from '../api/client.js';
import { projectHeaders, sessionRefused } from '../api/auth.js';
import { parseProblem } from '../api/problem.js';
import type { Sender, SenderEvents } from './upload-queue.js';

const RETRY_DELAYS_MS = [0, 1000, 3000, 5000, 10_000, 20_000, 30_000];

export interface UploadOptions {
  /** Have the lab store what is inside a compressed file. */
  unpack: boolean;
  /** Go on with this transfer of the lab. */
  transferId?: string;
}

export function tusSender(file: File, { unpack, transferId }: UploadOptions, events: SenderEvents): Sender {
  const headers = projectHeaders(); // as it is now: the upload stays in its project
  const upload: TusUpload = new TusUpload(file, {
    endpoint: `${API}/uploads`,
    metadata: { filename: file.name, ...(unpack && { unpack: '1' }) },
    retryDelays: RETRY_DELAYS_MS,
    removeFingerprintOnSuccess: true,
    ...(transferId !== undefined && { uploadUrl: `${API}/uploads/${transferId}` }),
    onBeforeRequest: (request) => {
      for (const [name, value] of Object.entries(headers)) request.setHeader(name, value);
    },
    onUploadUrlAvailable: () => events.begun(upload.url?.split('/').at(-1) ?? ''),
    onProgress: (sentBytes) => events.progress(sentBytes),
    onSuccess: () => events.sent(),
    onError: (error) => events.failed(messageOf(error)),
  });
  let looked = transferId !== undefined;
  return {
    start: () => {
      void (async () => {
        if (!looked) {
          looked = true;
          const wanted = unpack ? '1' : undefined;
          const previous = await upload.findPreviousUploads();
          const same = previous.find(({ metadata }) => metadata['unpack'] === wanted);
          if (same) upload.resumeFromPreviousUpload(same);
        }
        upload.start();
      })();
    },
    pause: () => void upload.abort(),
    // What cannot be given up now expires in the lab by itself.
    cancel: () => void upload.abort(true).catch(() => undefined),
  };
}

function messageOf(error: Error): string {
  const response = error instanceof DetailedError ? error.originalResponse : null;
  if (!response) return 'The lab does not answer. Try again when it does.';
  if (response.getStatus() === 401) sessionRefused();
  const problem = parseProblem(response.getStatus(), '', response.getBody());
  const [first] = problem.errors;
  return first ? `${problem.detail}. ${first.mend}` : problem.detail;
}
