import type { BoardInfo } from '@bootlab/emulator';
import { jobFileJsonSchema } from '@bootlab/lab';
import type { Command } from 'commander';
import { Argument } from 'commander';
import { boardList, boardPage } from './boards.js';
import { addBootCommand, EXIT_HELP } from './boot/command.js';
import type { BootHost, Engine } from './boot/run.js';
import { boot } from './boot/run.js';
import { addExecCommand } from './exec/command.js';
import { COMPLETE_COMMAND, completionScript, proposalsFor, SHELLS, type Shell } from './completion.js';
import { addLabCommands, printServerBoards, type LabContext } from './lab/commands.js';
import type { Environment } from './lab/settings.js';
import { bootlabCommand } from './parse.js';
import { ExitCode, UsageError } from './exit-codes.js';
import type { TestOptions } from './test/options.js';
import { variableArgument } from './test/options.js';
import { convertLava, testFile, testTuxrun } from './test/run-file.js';

export interface ProgramContext {
  version: string;
  host: BootHost;
  engine: Engine & { boardCatalogue(): readonly BoardInfo[] };
  /** The arguments as given: a command may read its own. */
  args: readonly string[];
  /** Environment variables; default: none. */
  env?: Environment;
  /** Takes the exit status of the command that ran. */
  exit(code: number): void;
}

/** The command line of `bootlab`, ready to parse. Throws commander's CommanderError instead of ending the process. */
export function createProgram({ version, host, engine, args, env = {}, exit }: ProgramContext): Command {
  const boards = engine.boardCatalogue();
  const program = bootlabCommand(version, host).addHelpText(
    'after',
    `${EXIT_HELP}\n\n'bootlab COMMAND --help' describes a command.`,
  );

  addBootCommand(program, boards, (options) => boot(options, host, engine).then(exit));
  addExecCommand(program, async (options) => {
    const { exec } = await import('./exec/run.js'); // nothing else waits for what runs programs
    exit(await exec(options, host));
  });
  addTestCommand(program, (options) => testFile(options, host, engine).then(exit));
  const lab: LabContext = { version, host, env, exit };
  addLabCommands(program, lab);
  program
    .command('tuxrun')
    .description('run what a tuxrun command line asks for; its options, and its exit status 0, 1, 2')
    .argument('[arguments...]', "tuxrun's own: --device, --kernel, --rootfs, --tests, -- COMMAND, …")
    .allowUnknownOption()
    .helpOption('--help', 'print this help')
    .addHelpText('after', TUXRUN_HELP)
    // commander would take "--" away, which parts tuxrun's options from the guest's command.
    .action(() => testTuxrun(args.slice(args.indexOf('tuxrun') + 1), host, engine).then(exit));
  program
    .command('convert')
    .description('print a LAVA job definition as a job file, with what is not supported in comments')
    .argument('<file>', 'the definition')
    .helpOption('--help', 'print this help')
    .action((file: string) => exit(convertLava(file, host)));
  program
    .command('schema')
    .description('print the JSON Schema of job files, for editors')
    .helpOption('--help', 'print this help')
    .action(() => {
      host.stdout.write(`${JSON.stringify(jobFileJsonSchema(), null, 2)}\n`);
      exit(ExitCode.pass);
    });
  program
    .command('boards')
    .description('list the boards, or describe one')
    .argument('[board]', "the board's id")
    .option('--json', 'print the catalogue as JSON')
    .option('--server', 'those of the lab, not those of this program')
    .helpOption('--help', 'print this help')
    .action(async (id: string | undefined, { json, server }: { json?: true; server?: true }) => {
      if (server) return exit(await printServerBoards(lab, json === true));
      const board = id === undefined ? undefined : findBoard(boards, id);
      const text = board ? boardPage(board) : boardList(boards);
      host.stdout.write(`${json ? JSON.stringify(board ?? boards, null, 2) : text}\n`);
      exit(ExitCode.pass);
    });
  addCompletionCommands(program, host, exit);
  return program;
}

function addCompletionCommands(program: Command, { stdout }: BootHost, exit: (code: number) => void): void {
  program
    .command('completion')
    .description('print what makes a shell complete the command line')
    .addArgument(new Argument('<shell>', 'which one').choices(SHELLS))
    .helpOption('--help', 'print this help')
    .addHelpText('after', COMPLETION_HELP)
    .action((shell: Shell) => {
      stdout.write(completionScript(shell));
      exit(ExitCode.pass);
    });
  program
    .command(COMPLETE_COMMAND, { hidden: true })
    .argument('[words...]')
    .allowUnknownOption()
    .helpOption(false)
    .passThroughOptions()
    .action((words: string[]) => {
      const proposals = proposalsFor(program, words);
      stdout.write(proposals.map((proposal) => `${proposal}\n`).join(''));
      exit(ExitCode.pass);
    });
}

const COMPLETION_HELP = `
Examples:
  bash  source <(bootlab completion bash)                                  # in ~/.bashrc
  zsh   source <(bootlab completion zsh)                                   # in ~/.zshrc, after compinit
  fish  bootlab completion fish > ~/.config/fish/completions/bootlab.fish`;

const TUXRUN_HELP = `
Taken over: --device qemu-mips32 and qemu-mips32el, --kernel, --rootfs, --boot-args, --prompt, --partition, --timeouts,
--parameters, --tests boot, ltp-* and kunit, --results, --log-file, and a command after "--". Anything else is refused.

Example:
  bootlab tuxrun --device qemu-mips32el --kernel vmlinux --rootfs rootfs.ext4 -- uname -a`;

const TEST_HELP = `
Exit status:
  ${ExitCode.pass}  every job passed
  ${ExitCode.fail}  a job failed or timed out
  ${ExitCode.usage}  the job file, an option or an image does not fit; nothing has run
  ${ExitCode.internal}  Bootlab itself failed, or the wall-clock guard ended a run
  128+n  ended by signal n

A job file:
  board: malta
  images: { kernel: ./vmlinux, initrd: ./initrd.gz }   # relative to the file
  steps:
    - expect: 'login:'
    - send: "root\\n"
    - run: uname -a
      expect: Linux
    - test: /opt/kselftest/run_kselftest.sh
      format: kselftest
'bootlab schema' prints its JSON Schema.`;

function addTestCommand(program: Command, action: (options: TestOptions) => Promise<void>): void {
  program
    .command('test')
    .description('run a job file here, without a lab')
    .argument('<file>', 'the job: YAML or JSON')
    .option('--lava', 'the file is a LAVA job definition')
    .option('--var <name=value>', "give one of the job's variables a value; repeatable", variableArgument)
    .option('--junit <file>', 'write the results as JUnit XML')
    .option('--tap <file>', 'write the results as TAP 14')
    .option('--json <file>', 'write the results as JSON')
    .option('--log <file>', 'write console output as JSON lines; the jobs of a matrix get .1, .2, … added to the name')
    .option('--artifacts <folder>', 'store what the job names in "artifacts" there')
    .option('--console', "print the guest's consoles as well")
    .helpOption('--help', 'print this help')
    .addHelpText('after', TEST_HELP)
    .action(
      (
        file: string,
        { var: variables = {}, ...flags }: Omit<TestOptions, 'file' | 'variables'> & { var?: Record<string, string> },
      ) => action({ ...flags, file, variables }),
    );
}

function findBoard(boards: readonly BoardInfo[], id: string): BoardInfo {
  const board = boards.find((candidate) => candidate.id === id);
  if (!board)
    throw new UsageError(
      `there is no board '${id}'. Use one of: ${boards.map((candidate) => candidate.id).join(', ')}.`,
    );
  return board;
}
