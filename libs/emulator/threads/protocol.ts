import type { MessagePort } from 'node:worker_threads';
import type { ByteOrder } from '../core/index.js';
import type { CompilerSetup } from '../accel/jit/index.js';

/** What the translation thread gets when it starts; afterwards it receives requests and posts compiled batches. */
export interface ThreadStart {
  readonly setup: CompilerSetup;
  readonly target: { readonly name: string; readonly model: string; readonly byteOrder: ByteOrder };
  readonly port: MessagePort;
}
