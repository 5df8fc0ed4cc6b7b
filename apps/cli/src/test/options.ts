import type { Variables } from '@bootlab/lab';
import { InvalidArgumentError } from 'commander';

/** `bootlab test` as it was called. */
export interface TestOptions {
  /** The job file. */
  file: string;
  /** `--var`: values for the file's variables. */
  variables: Variables;
  junit?: string;
  tap?: string;
  json?: string;
  log?: string;
  /** Folder for what `artifacts` names. */
  artifacts?: string;
  /** Show the guest's consoles as well. */
  console?: true;
}

/** Collects `--var name=value`. */
export function variableArgument(text: string, known: Record<string, string> = {}): Record<string, string> {
  const equals = text.indexOf('=');
  if (equals < 1) throw new InvalidArgumentError(`"${text}" gives no variable a value. Write name=value.`);
  return { ...known, [text.slice(0, equals)]: text.slice(equals + 1) };
}
