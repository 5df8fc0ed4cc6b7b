import type { Bind, EnvironmentVariable } from './options.js';

/** A value that an option does not take; the message says what it takes. */
export class ArgumentError extends Error {
  override readonly name = 'ArgumentError';
}

export function bindArgument(text: string): Bind {
  const match = /^([^:]+):(\/[^:]*)(?::(ro|rw))?$/.exec(text);
  if (!match) throw new ArgumentError(`"${text}" is not a bind. Write HOST:GUEST or HOST:GUEST:ro, GUEST absolute.`);
  const [, host = '', guest = '', mode] = match;
  return { host, guest, readOnly: mode === 'ro' };
}

/** `NAME=VALUE`, or `NAME` to take the value from Bootlab's own environment. */
export function environmentArgument(text: string): EnvironmentVariable {
  const equals = text.indexOf('=');
  const name = equals < 0 ? text : text.slice(0, equals);
  if (name === '') throw new ArgumentError(`"${text}" is not a variable. Write NAME=VALUE.`);
  if (equals >= 0) return { name, value: text.slice(equals + 1) };
  const value = process.env[name];
  if (value === undefined) throw new ArgumentError(`${name} is not set here. Set it first, or write ${name}=VALUE.`);
  return { name, value };
}

export function seedArgument(text: string): number {
  if (!/^\d{1,10}$/.test(text) || Number(text) > 0xffffffff)
    throw new ArgumentError(`"${text}" is not a seed. Write a number from 0 to 4294967295.`);
  return Number(text);
}
