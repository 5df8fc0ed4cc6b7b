import type { InterpreterStore } from '@bootlab/emulator/accel';

/** What the commands that run guests, `boot` and `exec`, get from the process they are started in. */
export interface GuestContext<Host> {
  readonly version: string;
  readonly host: Host;
  readonly env: NodeJS.ProcessEnv;
  readonly interpreters: InterpreterStore | undefined;
  /** What the compiler knows of the emulator, see `generatorVersion`. */
  readonly emulatorBuild: URL;
}
