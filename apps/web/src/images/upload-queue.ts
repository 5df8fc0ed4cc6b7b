// The uploads of this page: one goes at a time, any can pause, and all go on while the person looks at other pages.
// It knows nothing of React or HTTP; `upload-sender.ts` is what sends.

/** Sends one file; everything it reports comes through the events. */
export interface Sender {
  start(): void;
  pause(): void;
  /** Gives the upload up, here and in the lab. */
  cancel(): void;
}

export interface SenderEvents {
  /** The lab has begun the upload, or found it again; `id` names the transfer there. */
  begun(id: string): void;
  progress(sentBytes: number): void;
  /** The lab has all bytes. */
  sent(): void;
  failed(message: string): void;
}

export type UploadState = 'waiting' | 'sending' | 'paused' | 'sent' | 'failed';

export interface Upload {
  readonly key: number;
  readonly name: string;
  readonly sizeBytes: number;
  readonly state: UploadState;
  readonly sentBytes: number;
  /** The transfer in the lab, once it has begun. */
  readonly transferId?: string;
  readonly error?: string;
}

type MakeSender = (events: SenderEvents) => Sender;

export class UploadQueue {
  private uploads: readonly Upload[] = [];
  private readonly senders = new Map<number, Sender>();
  private readonly listeners = new Set<() => void>();
  private nextKey = 1;

  /** Stable until something changes, as useSyncExternalStore wants it. */
  readonly snapshot = (): readonly Upload[] => this.uploads;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  add(file: { name: string; size: number }, makeSender: MakeSender): void {
    const key = this.nextKey++;
    const sender = makeSender({
      begun: (transferId) => this.change(key, { transferId }),
      progress: (sentBytes) => this.change(key, { sentBytes }),
      sent: () => this.change(key, { state: 'sent', sentBytes: file.size }),
      failed: (error) => this.change(key, { state: 'failed', error }),
    });
    this.senders.set(key, sender);
    this.publish([...this.uploads, { key, name: file.name, sizeBytes: file.size, state: 'waiting', sentBytes: 0 }]);
    this.startNext();
  }

  pause(key: number): void {
    const state = this.find(key)?.state;
    if (state !== 'sending' && state !== 'waiting') return;
    if (state === 'sending') this.senders.get(key)?.pause();
    this.change(key, { state: 'paused' });
  }

  /** Puts a paused or failed upload back in line. */
  resume(key: number): void {
    const upload = this.find(key);
    if (upload?.state !== 'paused' && upload?.state !== 'failed') return;
    const { error, ...rest } = upload;
    void error;
    this.publish(this.uploads.map((each) => (each.key === key ? { ...rest, state: 'waiting' } : each)));
    this.startNext();
  }

  /** Drops an upload; one that is not all there is given up in the lab as well. */
  remove(key: number): void {
    const upload = this.find(key);
    if (!upload) return;
    if (upload.state !== 'sent') this.senders.get(key)?.cancel();
    this.senders.delete(key);
    this.publish(this.uploads.filter((each) => each.key !== key));
    this.startNext();
  }

  /** Whether leaving the page would interrupt something. */
  busy(): boolean {
    return this.uploads.some(({ state }) => state === 'sending' || state === 'waiting');
  }

  private find(key: number): Upload | undefined {
    return this.uploads.find((upload) => upload.key === key);
  }

  private change(key: number, change: Partial<Upload>): void {
    if (!this.find(key)) return; // it was dropped, and its sender speaks once more
    this.publish(this.uploads.map((upload) => (upload.key === key ? { ...upload, ...change } : upload)));
    if (change.state !== undefined) this.startNext();
  }

  private startNext(): void {
    if (this.uploads.some(({ state }) => state === 'sending')) return;
    const next = this.uploads.find(({ state }) => state === 'waiting');
    if (!next) return;
    this.publish(this.uploads.map((upload) => (upload === next ? { ...upload, state: 'sending' } : upload)));
    this.senders.get(next.key)?.start();
  }

  private publish(uploads: readonly Upload[]): void {
    this.uploads = uploads;
    for (const listener of this.listeners) listener();
  }
}
