// A board thread for tests of everything around it: no emulator, the task's command line says how the board behaves.
import { createHash, randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { parentPort as port, threadId } from 'node:worker_threads';

const parentPort = /** @type {import('node:worker_threads').MessagePort} */ (port); // this file only runs as a thread
const encoder = new TextEncoder();

/** One job. */
class FakeBoard {
  tNs = 0;
  consoleBytes = 0;
  deaf = false;
  /** Files that the run leaves behind. @type {{ artifacts: object[], missingArtifacts: object[] }} */
  left = { artifacts: [], missingArtifacts: [] };

  /** @param {import('../protocol.js').HostedTask} task */
  constructor(task) {
    this.task = task;
    this.unstored = new Int32Array(task.credit);
  }

  /** @param {string} text */
  print(text, uart = 'uart0') {
    const data = encoder.encode(text);
    this.tNs += 1000;
    this.consoleBytes += data.length;
    parentPort.postMessage({ type: 'console', spans: [{ uart, tNs: this.tNs, data }], sizeBytes: data.length });
    Atomics.add(this.unstored, 0, data.length);
  }

  /** @param {string} kind */
  end(kind) {
    const report = {
      end: { kind },
      steps: [],
      kernel: [],
      virtualNs: this.tNs,
      instructions: this.consoleBytes,
      ramSha256: undefined,
    };
    parentPort.postMessage({ type: 'end', report, results: [], ...this.left });
    if (board === this) board = undefined;
    if (this.task.cmdline === 'lingers') return;
    parentPort.postMessage({ type: 'idle' });
    if (this.task.cmdline === 'keeps much') parentPort.postMessage({ type: 'kept', bytes: 2 ** 40 });
  }

  /** @param {string} name @param {number} sizeBytes */
  leave(name, sizeBytes) {
    const file = path.join(this.task.artifactFolder, randomUUID());
    const bytes = Buffer.alloc(sizeBytes, 'x');
    writeFileSync(file, bytes);
    this.left.artifacts.push({ name, file, sizeBytes, sha256: createHash('sha256').update(bytes).digest('hex') });
  }

  hoard() {
    const hoarded = [];
    for (;;) hoarded.push(new Array(1_000_000).fill({}));
  }

  /** Prints lines as fast as the credit lets it. @param {number} lines */
  flood(lines) {
    const { unstored } = this;
    for (let line = 0; line < lines; line++) {
      while (Atomics.load(unstored, 0) > 2 ** 20) Atomics.wait(unstored, 0, Atomics.load(unstored, 0), 1000);
      this.print(`${String(line).padStart(7, '0')} ${'x'.repeat(1000)}\n`);
    }
  }

  /** @param {import('../protocol.js').ToBoard} message */
  hear(message) {
    if (this.deaf) return;
    if (message.type === 'abort') return this.end('aborted');
    const text = new TextDecoder().decode(message.data);
    this.print(text, message.uart);
    if (text.includes('poweroff')) this.end('power-off');
  }

  run() {
    switch (this.task.cmdline) {
      case 'echo':
        this.print('ready\n');
        break;
      case 'deaf':
        this.deaf = true;
        this.print('ready\n');
        break;
      case 'hang':
        this.deaf = true; // before it spins, too: a thread that has given itself back must not begin to
        this.print('ready\n');
        setTimeout(() => {
          for (;;);
        }, 50);
        break;
      case 'throw':
        throw new Error('a bug in the engine');
      case 'exit':
        process.exit(7);
        break;
      case 'hoard':
        this.hoard();
        break;
      case 'flood':
        this.flood(12_000);
        this.end('power-off');
        break;
      case 'artifacts':
        this.leave('small', 10);
        this.leave('large', 1000);
        this.left.missingArtifacts.push({ name: 'none', reason: 'There was no such file' });
        this.end('power-off');
        break;
      case 'artifacts, then stopped by the guard':
        this.leave('small', 10);
        this.end('wall-guard');
        break;
      case 'thread':
      case 'keeps much':
      case 'lingers': // reports its end, but something goes on in its thread
        this.print(`${threadId}`);
        this.end('power-off');
        break;
      case 'remark':
        parentPort.postMessage({ type: 'remark', line: 'it got along' });
        this.end('power-off');
        break;
      default:
        this.print('hello\n');
        this.end('power-off');
    }
  }
}

/** @type {FakeBoard | undefined} */
let board;

parentPort.on('message', (/** @type {import('../protocol.js').ToThread} */ message) => {
  if (message.type === 'leave') parentPort.close();
  else if (message.type === 'task') (board = new FakeBoard(message.task)).run();
  else board?.hear(message);
});
