import { MessageChannel, receiveMessageOnPort, Worker } from 'node:worker_threads';
import type { TranslationRequest, TranslationServiceFactory } from '../accel/jit/index.js';
import { translateInline } from '../accel/jit/index.js';
import type { ThreadStart } from './protocol.js';

/**
 * Translates in a thread of its own, so that the vCPU interprets on meanwhile. Results are taken in when the vCPU looks
 * for them: it never waits for a message. Where the machine's memory cannot be shared, translation happens inline.
 */
export const translateInThread: TranslationServiceFactory = (setup, description) => {
  if (!setup.memory.shared) return translateInline(setup, description);
  const { port1: port, port2 } = new MessageChannel();
  const { name, model, byteOrder } = description;
  const start: ThreadStart = { setup, target: { name, model, byteOrder }, port: port2 };
  const worker = new Worker(new URL('./translation-thread-main.js', import.meta.url), {
    workerData: start,
    transferList: [port2],
  });
  let failure: Error | undefined;
  worker.on('error', (error: Error) => (failure = error));
  worker.unref();
  port.unref();
  return {
    request(request: TranslationRequest): void {
      if (failure) throw new Error(`the translation thread failed: ${failure.message}`, { cause: failure });
      port.postMessage(request);
    },
    poll: () => receiveMessageOnPort(port)?.message,
    close(): void {
      port.close();
      void worker.terminate();
    },
  };
};
