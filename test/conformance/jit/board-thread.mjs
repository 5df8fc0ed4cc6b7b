// A thread with one board, the self-test, whose translations come from a hub and go there: see cache.test.ts.
import { parentPort, workerData } from 'node:worker_threads';
import { createMachine, selfTestFirmware } from '@bootlab/emulator';
import { translateInThreadWith } from '@bootlab/emulator/threads';

const machine = await createMachine(
  { board: 'malta', memoryBytes: 32 << 20, firmware: selfTestFirmware('malta', 'little') },
  { jitThreshold: 40, translationService: translateInThreadWith({ kind: 'hub', port: workerData.port }) },
);
let text = '';
machine.onConsole(({ uart, tNs, data }) => (text += `${uart} ${tNs} ${data}\n`));
while (machine.run({ instructions: 20_011 }).kind === 'limit') {
  await new Promise((resolve) => setTimeout(resolve, 1)); // translations have time to arrive
}
const { instructions, virtualNs, translation } = machine.stats();
const outcome = { text, instructions, virtualNs, ramSha256: await machine.ramSha256() };
machine.close();
parentPort?.postMessage({ outcome, cache: translation?.cache });
workerData.port.close();
