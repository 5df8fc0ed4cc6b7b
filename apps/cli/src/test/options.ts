import type { Variables } from '@bootlab/lab';
import { InvalidArgumentError } from 'commander';

/** Where results go. */
export interface OutputOptions {
  junit?: string;
  tap?: string;
  json?: string;
  log?: string;
  /** Folder for what `artifacts` names. */
  artifacts?: string;
  /** Show the guest's consoles as well. */
  console?: true;
}

/** `bootlab test` as it was called. */
export interface TestOptions extends OutputOptions {
  /** The job file. */
  file: string;
  /** The file is a LAVA job definition. */
  lava?: true;
  /** `--var`: values for the file's variables. */
  variables: Variables;
}

/** Collects `--var name=value`. */
export function variableArgument(text: string, known: Record<string, string> = {}): Record<string, string> {
  const equals = text.indexOf('=');
  if (equals < 1) throw new InvalidArgumentError(`"${text}" gives no variable a value. Write name=value.`);
  return { ...known, [text.slice(0, equals)]: text.slice(equals + 1) };
}
