import type { InterpreterStore, TranslationServiceFactory } from '@bootlab/emulator/accel';
import { getOrInsertComputed } from '@bootlab/emulator/core';
import type { CacheFolder } from '@bootlab/emulator/threads';
import { InterpreterFiles, translateInThreadWith } from '@bootlab/emulator/threads';
import type { HostedTask } from './protocol.js';

/** By path: it knows what it has written already, for the jobs of a thread to come. */
const interpreterFiles = new Map<string, InterpreterFiles>();

export interface EngineStores {
  readonly translationService: TranslationServiceFactory;
  readonly interpreters?: InterpreterStore;
}

/** What a task's engine uses of what was made for others, and adds to it: translations go through the worker's hub. */
export function engineStores({ translations: port, interpreters }: HostedTask): EngineStores {
  return {
    translationService: translateInThreadWith({ kind: 'hub', port }),
    ...(interpreters && { interpreters: filesOf(interpreters) }),
  };
}

function filesOf(folder: CacheFolder): InterpreterFiles {
  return getOrInsertComputed(interpreterFiles, folder.folder, () => new InterpreterFiles(folder));
}
