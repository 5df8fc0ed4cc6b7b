import type { Command } from 'commander';
import { Option } from 'commander';
import { bindArgument, environmentArgument, seedArgument } from './options.js';
import type { Bind, EnvironmentVariable, ExecOptions } from './options.js';

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

/** What commander hands over for `exec`. */
interface ExecFlags extends Pick<
  ExecOptions,
  'arch' | 'root' | 'readOnly' | 'overlay' | 'cwd' | 'clock' | 'memory' | 'seed' | 'cache' | 'net' | 'strace' | 'stats'
> {
  bind?: Bind[];
  env?: EnvironmentVariable[];
}

/** Adds `exec`. */
export function addExecCommand(program: Command, action: (options: ExecOptions) => Promise<void>): void {
  const collect =
    <T>(parse: (text: string) => T) =>
    (text: string, list: T[] = []): T[] => [...list, parse(text)];
  program
    .command('exec')
    .description('run a Linux program of another architecture')
    .addOption(
      new Option('--arch <arch>', "the program's architecture").choices(['mipsel', 'mips']).makeOptionMandatory(),
    )
    .option('--root <dir>', 'directory that the program sees as /')
    .addOption(new Option('--read-only', 'no file can be changed').conflicts('overlay'))
    .option('--overlay', 'changes of files stay in memory and are gone afterwards')
    .option('--bind <host:guest[:ro]>', 'show a file or directory of this machine; repeatable', collect(bindArgument))
    .option(
      '--env <name=value>',
      'set a variable, or pass one on by its name; repeatable',
      collect(environmentArgument),
    )
    .option('--cwd <dir>', 'working directory, as the program sees it')
    .addOption(
      new Option(
        '--clock <mode>',
        'virtual: time passes with instructions, sleeping is skipped; wall: real time (default: virtual, wall at a terminal)',
      ).choices(['virtual', 'wall']),
    )
    .option('--memory <size>', 'memory of all its processes together (default: 1G)')
    .addOption(
      new Option('--accel <engine>', 'what runs the CPU: jit translates hot code, interp interprets everything')
        .choices(['jit', 'interp'])
        .default('jit'),
    )
    .option('--no-cache', 'translate everything anew, and keep nothing for the next run; see BOOTLAB_TRANSLATIONS')
    .option('--seed <number>', 'of the random bytes that it gets (default: 1)', seedArgument)
    .addOption(
      new Option(
        '--net <access>',
        "what internet sockets reach: nothing, each other (loopback), or also this machine's network (host)",
      )
        .choices(['none', 'loopback', 'host'])
        .default('loopback'),
    )
    .option('--strace', 'print system calls and signals on standard error')
    .option('--stats <file>', 'write counters and timings as JSON')
    .argument('<program>', 'a path; a bare name is also searched along PATH')
    .argument('[args...]', 'its arguments; write -- before the program when they start with a dash')
    .passThroughOptions()
    .helpOption('--help', 'print this help')
    .addHelpText('after', EXEC_HELP)
    .action((path: string, args: string[], { bind, env, ...flags }: ExecFlags) =>
      action({
        ...flags,
        program: path,
        args,
        binds: bind ?? [],
        environment: env ?? [],
      }),
    );
}
