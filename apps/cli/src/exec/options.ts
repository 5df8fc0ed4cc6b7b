import type { Readable, Writable } from 'node:stream';
import type { NetworkAccess } from '@bootlab/emulator/user';
import type { Stores } from '../kept.js';

/** What `exec` needs of the process it lives in. */
export interface ExecHost extends Stores {
  stdin: Readable & { isTTY?: boolean; fd?: number; setRawMode?(raw: boolean): unknown };
  stdout: Writable & { isTTY?: boolean; rows?: number; columns?: number; fd?: number };
  stderr: Writable & { isTTY?: boolean; fd?: number };
  /** Where signals arrive that are passed on to the program. */
  signals: Pick<NodeJS.EventEmitter, 'on' | 'off'>;
}

/** `bootlab exec` as it was called: every value parsed, nothing opened yet. */
export interface ExecOptions {
  arch: 'mipsel' | 'mips';
  program: string;
  args: string[];
  /** Host directory that the guest sees as `/`; without it the host's own root. */
  root?: string;
  readOnly?: boolean;
  overlay?: boolean;
  binds: Bind[];
  environment: EnvironmentVariable[];
  cwd?: string;
  clock?: 'virtual' | 'wall';
  /** A size as text, such as `512M`. */
  memory?: string;
  seed?: number;
  accel?: 'jit' | 'interp';
  /** False: translations of earlier runs are not used, and none are kept. */
  cache?: boolean;
  net?: NetworkAccess;
  strace?: boolean;
  stats?: string;
}

export interface Bind {
  host: string;
  guest: string;
  readOnly: boolean;
}

export interface EnvironmentVariable {
  name: string;
  value: string;
}

/** What options give, by the names that their flags have in camel case. */
export type ExecFlags = Omit<ExecOptions, 'program' | 'args' | 'binds' | 'environment'> & {
  readonly bind?: Bind[];
  readonly env?: EnvironmentVariable[];
};

/** The same with a program and its arguments. */
export const execOptions = ({ bind, env, ...flags }: ExecFlags, program: string, args: string[]): ExecOptions => ({
  ...flags,
  program,
  args,
  binds: bind ?? [],
  environment: env ?? [],
});
