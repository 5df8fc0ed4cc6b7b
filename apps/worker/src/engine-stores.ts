import type { InterpreterStore, TranslationServiceFactory } from '@bootlab/emulator/accel';
import { InterpreterFiles, translateInThread, translateInThreadWith } from '@bootlab/emulator/threads';
import type { BoardTask } from './protocol.js';

/** What a task's engine uses of what was made for others, and adds to it: translations go through the worker's hub. */
export function engineStores({ translations: port, interpreters }: BoardTask): {
  translationService: TranslationServiceFactory;
  interpreters?: InterpreterStore;
} {
  return {
    translationService: port ? translateInThreadWith({ kind: 'hub', port }) : translateInThread,
    ...(interpreters && { interpreters: new InterpreterFiles(interpreters) }),
  };
}
