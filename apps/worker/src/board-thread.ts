/** Entry of a board's thread: one board after the other, each from its images to its end. */
import { parentPort } from 'node:worker_threads';
import { sha256InPlace } from '@bootlab/emulator/backends';
import { collectGarbage } from '@bootlab/emulator/threads';
import { runBoard } from './board-run.js';
import { engineStores } from './engine-stores.js';
import { runProcess } from './process-run.js';
import { ConsoleCredit, type FromThread, type HostedTask, type ToBoard, type ToThread } from './protocol.js';
import { limitRemarks } from './remarks.js';

/** From the end of a job to the collection of what it leaves. */
const COLLECTION_MS = 300;
/** Guest memory for which no running job is bothered with a collection: what a small Linux takes to boot. */
const MAX_LITTER_BYTES = 64 << 20;

const port = parentPort;
if (!port) throw new Error('board-thread runs as a worker thread only');

/** What the host says to the board that runs, from the moment its task has come. */
class Inbox {
  private early: ToBoard[] = [];
  private listener = (message: ToBoard): void => void this.early.push(message);

  hear(message: ToBoard): void {
    this.listener(message);
  }

  listen(listener: (message: ToBoard) => void): void {
    this.listener = listener;
    for (const message of this.early.splice(0)) listener(message);
  }
}

/** Of the job that runs; what comes between two jobs was meant for the one that has just ended. */
let inbox: Inbox | undefined;

port.on('message', (message: ToThread) => {
  if (message.type === 'task') void work(message.task);
  else if (message.type === 'leave') port.close();
  else inbox?.hear(message);
});

const post = (message: FromThread): void => port.postMessage(message);

/** An error ends the thread: nobody knows what it leaves behind. */
async function work(task: HostedTask): Promise<void> {
  const messages = (inbox = new Inbox());
  const run = task.process ? runProcess : runBoard;
  const engine = {
    ...engineStores(task),
    sha256: sha256InPlace,
    warn: limitRemarks((line) => post({ type: 'remark', line })),
  };
  const credit = new ConsoleCredit(task.credit);
  const leftBytes = await run(task, engine, credit, post, (listener) => messages.listen(listener));
  inbox = undefined;
  litterBytes += leftBytes;
  task.translations.close();
  collectSoon();
  // Without its port, this thread would end as soon as nothing of the job keeps it any more. Then it is ready for the next.
  port?.unref();
  process.once('beforeExit', () => {
    port?.ref();
    post({ type: 'idle' });
  });
}

let collection: NodeJS.Timeout | undefined;
/** Memory of guests that ran since the last collection. */
let litterBytes = 0;

/**
 * Gives the guest's memory back, which V8 would let lie until the heap alone is worth a collection of garbage.
 *
 * Not at once: the code that V8 optimized of a board's closures goes with the last of them. When another board follows, it has
 * taken that over by then; and as long as there is little to give back, it is left in peace.
 */
function collectSoon(): void {
  const collect = async (): Promise<void> => {
    collection = undefined;
    if (inbox && litterBytes <= MAX_LITTER_BYTES) return; // after that job
    litterBytes = 0;
    post({ type: 'kept', bytes: await collectGarbage() });
  };
  collection ??= setTimeout(() => void collect(), COLLECTION_MS).unref();
}
