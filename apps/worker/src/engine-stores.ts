import type { InterpreterStore, TranslationServiceFactory } from '@bootlab/emulator/accel';
import type { CacheFolder } from '@bootlab/emulator/threads';
import { InterpreterFiles, translateInThread, translateInThreadWith } from '@bootlab/emulator/threads';
import type { BoardTask } from './protocol.js';

/** By path: it knows what it has written already, for the jobs of a thread to come. */
const interpreterFiles = new Map<string, InterpreterFiles>();

/** What a task's engine uses of what was made for others, and adds to it: translations go through the worker's hub. */
export function engineStores({ translations: port, interpreters }: BoardTask): {
  translationService: TranslationServiceFactory;
  interpreters?: InterpreterStore;
} {
  return {
    translationService: port ? translateInThreadWith({ kind: 'hub', port }) : translateInThread,
    ...(interpreters && { interpreters: filesOf(interpreters) }),
  };
}

function filesOf(folder: CacheFolder): InterpreterFiles {
  let files = interpreterFiles.get(folder.folder);
  if (!files) interpreterFiles.set(folder.folder, (files = new InterpreterFiles(folder)));
  return files;
}
