import { Command, CommanderError } from 'commander';
import type { Writable } from 'node:stream';
import { ExitCode } from './exit-codes.js';
import { reportFailure } from './failures.js';

interface OutputStreams {
  stdout: Writable;
  stderr: Writable;
}

/** `bootlab` without its commands. Throws commander's CommanderError instead of ending the process. */
export function bootlabCommand(version: string, { stdout, stderr }: OutputStreams): Command {
  return new Command('bootlab')
    .description('Boots kernels and firmware on emulated boards, and runs Linux programs of other architectures.')
    .version(version, '--version', 'print the version')
    .helpOption('--help', 'print this help')
    .helpCommand(false)
    .enablePositionalOptions()
    .configureOutput({
      writeOut: (text) => stdout.write(text),
      writeErr: (text) => stderr.write(text),
      outputError: (text, write) => write(text.replace(/^error: /, 'bootlab: ')),
    })
    .showHelpAfterError("'bootlab --help' lists commands, 'bootlab COMMAND --help' their options.")
    .exitOverride();
}

/**
 * Runs one command. Whatever goes wrong becomes a message on standard error and the exit status that it returns.
 * @param create makes the command line; the function that it gets takes the exit status of the command that ran
 */
export async function parseCommandLine(
  args: readonly string[],
  { stderr }: OutputStreams,
  create: (exit: (code: number) => void) => Command,
): Promise<number> {
  let status: number = ExitCode.pass;
  try {
    await create((code) => (status = code)).parseAsync(args, { from: 'user' });
    return status;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? ExitCode.pass : ExitCode.usage; // it printed its message
    return reportFailure(error, stderr);
  }
}
