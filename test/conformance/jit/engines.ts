import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { expect } from '@jest/globals';
import { createMachine } from '@bootlab/emulator';
import type { EngineOptions, Machine, MachineConfig, MachineStats, MachineStop } from '@bootlab/emulator';
import type { TranslationRequest, TranslationService, TranslationServiceFactory } from '@bootlab/emulator/accel';
import { translateInline } from '@bootlab/emulator/accel';
import { TIERED } from '../../support/engines.js';
import type { GuestName } from '../../support/requirements.js';
import { guest } from '../../support/requirements.js';

/** A Malta board with one of the Linux guests. */
export function linux(name: GuestName): MachineConfig {
  const { kernel, initrd } = guest(name);
  return { board: 'malta', memoryBytes: 128 << 20, kernel: readFileSync(kernel), initrd: readFileSync(initrd) };
}

/** Everything about a run that must not depend on the engine, nor on how the run was cut into slices. */
export interface Outcome {
  readonly end: MachineStop['kind'];
  /** Hash of what each console sent, byte by byte, with the virtual time of each. */
  readonly console: string;
  readonly text: string;
  readonly instructions: number;
  readonly virtualNs: number;
  readonly ramSha256: string;
}

export interface RunShape {
  readonly engine: EngineOptions;
  /** Instructions after which the run is over. */
  readonly instructions: number;
  /** Instructions of each slice. More than 1,024, or translations are never entered. */
  readonly slice: number;
}

export interface EngineRun {
  readonly outcome: Outcome;
  /** Share of the instructions that translations executed. */
  readonly translated: number;
  readonly translation: MachineStats['translation'];
}

/** Runs a board for a number of instructions or until it ends. */
export async function runBoard(config: MachineConfig, shape: RunShape): Promise<EngineRun> {
  const machine = await createMachine(config, shape.engine);
  const hash = createHash('sha256');
  let text = '';
  machine.onConsole(({ uart, tNs, data }) => {
    hash.update(`${uart} ${tNs} ${Buffer.from(data).toString('hex')}\n`);
    text += Buffer.from(data).toString('latin1');
  });
  let end: MachineStop = { kind: 'limit' };
  while (end.kind === 'limit') {
    const left = shape.instructions - machine.stats().instructions;
    if (left <= 0) break;
    end = machine.run({ instructions: Math.min(left, shape.slice) });
  }
  const { instructions, virtualNs, translation } = machine.stats();
  const ramSha256 = await machine.ramSha256();
  machine.close();
  return {
    outcome: { end: end.kind, console: hash.digest('hex'), text, instructions, virtualNs, ramSha256 },
    translated: (translation?.instructions ?? 0) / instructions,
    translation,
  };
}

/** Runs a board in several ways and compares everything with the first. @returns the runs */
export async function expectSameOutcome(config: MachineConfig, shapes: readonly RunShape[]): Promise<EngineRun[]> {
  const runs: EngineRun[] = [];
  for (const shape of shapes) {
    const run = await runBoard(config, shape);
    if (runs[0]) expect(run.outcome).toEqual(runs[0].outcome);
    runs.push(run);
  }
  return runs;
}

/** Runs a board for a while. @returns a service for it that nobody uses, and what it would be asked for */
export async function serviceFor(
  config: MachineConfig,
  makeService: TranslationServiceFactory,
): Promise<{ machine: Machine; service: TranslationService; requests: readonly TranslationRequest[] }> {
  const requests: TranslationRequest[] = [];
  const services: TranslationService[] = [];
  const machine = await createMachine(config, {
    ...TIERED,
    translationService: (setup, description) => {
      services.push(makeService(setup, description));
      const inline = translateInline(setup, description);
      return { ...inline, request: (request) => void requests.push(request) };
    },
  });
  machine.run({ instructions: 300_000 });
  const [service] = services as [TranslationService]; // a machine has one
  return { machine, service, requests };
}
