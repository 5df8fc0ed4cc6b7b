import { useEffect, useSyncExternalStore } from 'react';
import { tusSender, type UploadOptions } from './upload-sender.js';
import { UploadQueue, type Upload } from './upload-queue.js';

/** One for the whole application: uploads go on while the person looks at other pages. */
export const uploads = new UploadQueue();

export function addUpload(file: File, options: UploadOptions): void {
  uploads.add(file, (events) => tusSender(file, options, events));
}

export function useUploads(): readonly Upload[] {
  return useSyncExternalStore(uploads.subscribe, uploads.snapshot);
}

/** Asks before the tab is closed in the middle of an upload. */
export function useLeaveWarning(): void {
  useEffect(() => {
    const warn = (event: BeforeUnloadEvent): void => {
      if (uploads.busy()) event.preventDefault();
    };
    window.addEventListener('beforeunload', warn);
    return () => window.removeEventListener('beforeunload', warn);
  }, []);
}
