// One of several threads that write and read machine code at the same time: see machine-code.test.ts.
import { parentPort, workerData } from 'node:worker_threads';
import { modulesWithMachineCode, optimizedMachineCodeOf } from '@bootlab/emulator/threads';
import { countingModule, run } from './counting-module.mjs';

let taken = 0;
for (let round = 0; round < 100; round++) {
  const made = countingModule(workerData.first + (round % 8));
  const machineCode = optimizedMachineCodeOf(made);
  const [module] = modulesWithMachineCode([{ bytes: made.bytes, machineCode }]);
  if (module) taken++;
  if (run({ module: module ?? made.module }) !== workerData.first + (round % 8)) throw new Error('a wrong module');
}
parentPort?.postMessage(taken);
