// A thread with one board, for boards.ts: says that it is ready, boots when it is told to, and says when it has.
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { MessagePort } from 'node:worker_threads';
import { parentPort, workerData } from 'node:worker_threads';
import { createMachine, runMachine } from '@bootlab/emulator';
import type { CacheFolder } from '@bootlab/emulator/threads';
import { InterpreterFiles, translateInThreadWith } from '@bootlab/emulator/threads';

/** What the thread is given. */
export interface BoardStart {
  readonly kernel: string;
  readonly initrd: string;
  /** A port of the process's `TranslationHub`. */
  readonly hub: MessagePort;
  /** Where interpreters are kept; undefined: nowhere. */
  readonly interpreters: CacheFolder | undefined;
}

const { kernel, initrd, hub, interpreters } = workerData as BoardStart; // what boards.ts passes
if (!parentPort) throw new Error('board-thread runs as a worker thread only');
const images = { kernel: readFileSync(kernel), initrd: readFileSync(initrd) };
parentPort.postMessage('ready');
await once(parentPort, 'message');

const machine = await createMachine(
  { board: 'malta', cpu: '24Kf', memoryBytes: 256 << 20, cmdline: 'console=ttyS0', ...images },
  {
    translationService: translateInThreadWith({ kind: 'hub', port: hub }),
    ...(interpreters && { interpreters: new InterpreterFiles(interpreters) }),
  },
);
const booted = new AbortController();
let text = '';
machine.onConsole(({ data }) => {
  text = (text + Buffer.from(data).toString('latin1')).slice(-20);
  if (text.includes('BOOT-OK')) booted.abort();
});
await runMachine(machine, { clock: 'virtual', signal: booted.signal });
if (!booted.signal.aborted) throw new Error(`the board ended without BOOT-OK; its console's last words: ${text}`);
parentPort.postMessage('booted');
machine.close();
