import type { Command } from 'commander';
import { InvalidArgumentError, Option } from 'commander';
import { ArgumentError } from './arguments.js';
import type { ExecOption } from './option-table.js';
import { EXEC_OPTIONS } from './option-table.js';
import type { ExecFlags, ExecOptions } from './options.js';
import { execOptions } from './options.js';

const EXEC_HELP = `
The exit status is the program's; 128+n when signal n ended it, 2 for bad usage.

Without --root the program sees this machine's files, may write them, and inherits the environment and the
current directory. With --root it sees that directory as / and nothing outside it, starts there, and inherits nothing.
Time is virtual (it starts in 2026, and sleeping costs nothing) unless input is a terminal.
Every run is the same, except with --net host, which lets the network in.

Examples:
  bootlab exec --arch mipsel -- ./hello world
  bootlab exec --arch mipsel --root debian-mipsel --overlay -- /bin/bash -c 'uname -m; ls /'
  bootlab exec --arch mips --strace -- ./a.out`;

/** Adds `exec`. */
export function addExecCommand(program: Command, action: (options: ExecOptions) => Promise<void>): void {
  const command = program.command('exec').description('run a Linux program of another architecture');
  for (const option of EXEC_OPTIONS) command.addOption(optionOf(option));
  command
    .argument('<program>', 'a path; a bare name is also searched along PATH')
    .argument('[args...]', 'its arguments; write -- before the program when they start with a dash')
    .passThroughOptions()
    .helpOption('--help', 'print this help')
    .addHelpText('after', EXEC_HELP)
    .action((path: string, args: string[], flags: ExecFlags) => action(execOptions(flags, path, args)));
}

function optionOf(described: ExecOption): Option {
  const { flags, description, parse, repeatable } = described;
  const option = new Option(flags, description).makeOptionMandatory(described.mandatory ?? false);
  if (described.choices) option.choices(described.choices);
  if (described.default !== undefined) option.default(described.default);
  if (described.conflicts !== undefined) option.conflicts(described.conflicts);
  if (parse)
    option.argParser<unknown>((text, before) => {
      const value = checked(() => parse(text));
      return repeatable ? [...((before as readonly unknown[] | undefined) ?? []), value] : value;
    });
  return option;
}

function checked<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw error instanceof ArgumentError ? new InvalidArgumentError(error.message) : error;
  }
}
