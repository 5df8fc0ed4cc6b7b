// A board thread for tests of everything around it: no emulator, the task's command line says how it behaves.
import { createHash, randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { parentPort as port, workerData } from 'node:worker_threads';

const parentPort = /** @type {import('node:worker_threads').MessagePort} */ (port); // this file only runs as a thread

const { cmdline, credit, artifactFolder } = workerData;
const [unstored] = [new Int32Array(credit)];
const encoder = new TextEncoder();
let tNs = 0;
let consoleBytes = 0;

/** @param {string} text */
function print(text, uart = 'uart0') {
  const data = encoder.encode(text);
  tNs += 1000;
  consoleBytes += data.length;
  parentPort.postMessage({ type: 'console', spans: [{ uart, tNs, data }], sizeBytes: data.length });
  Atomics.add(unstored, 0, data.length);
}

/** @param {string} kind */
function end(kind, more = {}) {
  const report = {
    end: { kind, ...more },
    steps: [],
    kernel: [],
    virtualNs: tNs,
    instructions: consoleBytes,
    ramSha256: undefined,
  };
  parentPort.postMessage({ type: 'end', report, results: [], ...left });
  parentPort.close();
}

/** Files that the run leaves behind. @type {{ artifacts: object[], missingArtifacts: object[] }} */
const left = { artifacts: [], missingArtifacts: [] };

/** @param {string} name @param {number} sizeBytes */
function leave(name, sizeBytes) {
  const file = path.join(artifactFolder, randomUUID());
  const bytes = Buffer.alloc(sizeBytes, 'x');
  writeFileSync(file, bytes);
  left.artifacts.push({ name, file, sizeBytes, sha256: createHash('sha256').update(bytes).digest('hex') });
}

function hoard() {
  const hoarded = [];
  for (;;) hoarded.push(new Array(1_000_000).fill({}));
}

/** Prints lines as fast as the credit lets it. @param {number} lines */
function flood(lines) {
  for (let line = 0; line < lines; line++) {
    while (Atomics.load(unstored, 0) > 2 ** 20) Atomics.wait(unstored, 0, Atomics.load(unstored, 0), 1000);
    print(`${String(line).padStart(7, '0')} ${'x'.repeat(1000)}\n`);
  }
}

let deaf = false;
parentPort.on('message', (message) => {
  if (deaf) return;
  if (message.type === 'abort') return end('aborted');
  const text = new TextDecoder().decode(message.data);
  print(text, message.uart);
  if (text.includes('poweroff')) end('power-off');
});

switch (cmdline) {
  case 'echo':
    print('ready\n');
    break;
  case 'deaf':
    deaf = true;
    print('ready\n');
    break;
  case 'hang':
    print('ready\n');
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
    hoard();
    break;
  case 'flood':
    flood(12_000);
    end('power-off');
    break;
  case 'artifacts':
    leave('small', 10);
    leave('large', 1000);
    left.missingArtifacts.push({ name: 'none', reason: 'There was no such file' });
    end('power-off');
    break;
  case 'artifacts, then stopped by the guard':
    leave('small', 10);
    end('wall-guard');
    break;
  default:
    print('hello\n');
    end('power-off');
}
