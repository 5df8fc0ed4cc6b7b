import type { Readable, Writable } from 'node:stream';
import type { NetworkAccess } from '@bootlab/emulator/user';
import { InvalidArgumentError } from 'commander';
import type { Stores } from '../kept.js';

/** What `exec` needs of the process it lives in. */
export interface ExecHost extends Stores {
  stdin: Readable & { isTTY?: boolean; setRawMode?(raw: boolean): unknown };
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

export function bindArgument(text: string): Bind {
  const match = /^([^:]+):(\/[^:]*)(?::(ro|rw))?$/.exec(text);
  if (!match)
    throw new InvalidArgumentError(`"${text}" is not a bind. Write HOST:GUEST or HOST:GUEST:ro, GUEST absolute.`);
  const [, host = '', guest = '', mode] = match;
  return { host, guest, readOnly: mode === 'ro' };
}

/** `NAME=VALUE`, or `NAME` to take the value from Bootlab's own environment. */
export function environmentArgument(text: string): EnvironmentVariable {
  const equals = text.indexOf('=');
  const name = equals < 0 ? text : text.slice(0, equals);
  if (name === '') throw new InvalidArgumentError(`"${text}" is not a variable. Write NAME=VALUE.`);
  if (equals >= 0) return { name, value: text.slice(equals + 1) };
  const value = process.env[name];
  if (value === undefined)
    throw new InvalidArgumentError(`${name} is not set here. Set it first, or write ${name}=VALUE.`);
  return { name, value };
}

export function seedArgument(text: string): number {
  if (!/^\d{1,10}$/.test(text) || Number(text) > 0xffffffff)
    throw new InvalidArgumentError(`"${text}" is not a seed. Write a number from 0 to 4294967295.`);
  return Number(text);
}
