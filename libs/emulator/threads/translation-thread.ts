import type { MessagePort } from 'node:worker_threads';
import { MessageChannel, receiveMessageOnPort, Worker } from 'node:worker_threads';
import type { CompilerSetup, TranslationRequest, TranslationServiceFactory } from '../accel/index.js';
import type { TargetDescription } from '../jit/ir/index.js';
import { translateInline } from '../accel/index.js';
import type { ThreadStart } from './protocol.js';

/**
 * Translates in a thread of its own, so that the vCPU interprets on meanwhile. Results are taken in when the vCPU looks
 * for them: it never waits for a message. Where the machine's memory cannot be shared, translation happens inline.
 */
export const translateInThread: TranslationServiceFactory = (setup, description) => {
  if (!setup.memory.shared) return translateInline(setup, description);
  let thread: Thread | undefined;
  return {
    request(request: TranslationRequest): void {
      thread ??= startThread(setup, description); // most short runs never get here
      if (thread.failure)
        throw new Error(`the translation thread failed: ${thread.failure.message}`, { cause: thread.failure });
      thread.port.postMessage(request);
    },
    poll: () => thread && receiveMessageOnPort(thread.port)?.message,
    close(): void {
      thread?.port.close();
      void thread?.worker.terminate();
    },
  };
};

interface Thread {
  readonly worker: Worker;
  readonly port: MessagePort;
  failure: Error | undefined;
}

function startThread(setup: CompilerSetup, { name, model, byteOrder }: TargetDescription): Thread {
  const { port1: port, port2 } = new MessageChannel();
  const start: ThreadStart = { setup, target: { name, model, byteOrder }, port: port2 };
  const worker = new Worker(new URL('./translation-thread-main.js', import.meta.url), {
    workerData: start,
    transferList: [port2],
  });
  const thread: Thread = { worker, port, failure: undefined };
  worker.on('error', (error: Error) => (thread.failure = error));
  worker.unref();
  port.unref();
  return thread;
}
