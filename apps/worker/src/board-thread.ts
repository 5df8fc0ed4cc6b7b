/** Entry of a board's thread: one board, from its images to its end. */
import { parentPort, workerData } from 'node:worker_threads';
import { runProcess } from './process-run.js';
import { runBoard } from './board-run.js';
import { ConsoleCredit, type BoardTask, type ToBoard } from './protocol.js';

const port = parentPort;
if (!port) throw new Error('board-thread runs as a worker thread only');

// Registered before anything is awaited: messages that come earlier wait in the port until then.
const task = workerData as BoardTask;
const run = task.process ? runProcess : runBoard;
await run(
  task,
  new ConsoleCredit(task.credit),
  (message) => port.postMessage(message),
  (listener) => port.on('message', (message: ToBoard) => listener(message)),
);
port.close();
