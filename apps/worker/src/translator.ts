import type { TranslationServiceFactory } from '@bootlab/emulator/accel';
import { translateInThread, translateInThreadWith } from '@bootlab/emulator/threads';
import type { BoardTask } from './protocol.js';

/** Translates for a task, and shares translations with all that the worker runs. */
export const translatorOf = ({ translations: port }: BoardTask): TranslationServiceFactory =>
  port ? translateInThreadWith({ kind: 'hub', port }) : translateInThread;
