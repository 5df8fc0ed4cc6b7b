import type { StorePlaces } from './kept.js';

/** What the commands that run guests, `boot` and `exec`, get from the process they are started in. */
export interface GuestContext<Host> extends StorePlaces {
  readonly version: string;
  readonly host: Host;
}
