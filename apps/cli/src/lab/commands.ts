import { EXPORT_FORMATS, type ExportFormat } from '@bootlab/lab';
import { Argument, Option, type Command } from 'commander';
import type { BootHost } from '../boot/run.js';
import { ExitCode } from '../exit-codes.js';
import { variableArgument } from '../test/options.js';
import { count } from './arguments.js';
import { LabClient } from './client.js';
import { outputTo } from './output.js';
import { addOperatorCommands, addProjectCommands } from './project-commands.js';
import { currentConnection, type Environment } from './settings.js';

export interface LabContext {
  readonly version: string;
  readonly host: BootHost;
  readonly env: Environment;
  exit(code: number): void;
}

export const LAB_HELP = `
Environment:
  BOOTLAB_URL, BOOTLAB_TOKEN  the lab, and a token for it, instead of what 'bootlab login' keeps
  BOOTLAB_PROJECT             which project, for tokens that have several
  BOOTLAB_CONFIG              file that 'bootlab login' keeps (default: ~/.config/bootlab/config.json)`;

const EXIT_HELP = `
Exit status:
  ${ExitCode.pass}  every job passed
  ${ExitCode.fail}  a job failed or timed out
  ${ExitCode.usage}  bad usage, an invalid job, or no right to it
  ${ExitCode.internal}  infrastructure: the lab failed or does not answer, or a job was cancelled
  128+n  ended by signal n`;

interface ResultFlags {
  junit?: string;
  tap?: string;
  json?: string;
  artifacts?: string;
  console?: true;
}

const withResultOptions = (command: Command): Command =>
  command
    .option('--junit <file>', 'when they have ended, write the results as JUnit XML')
    .option('--tap <file>', 'the same as TAP 14')
    .option('--json <file>', 'the same as JSON')
    .option('--artifacts <folder>', 'when they have ended, save what they left behind there')
    .option('--console', 'also print what the consoles print')
    .helpOption('--help', 'print this help');

/** Commands that talk to a lab. What they need is loaded when one of them runs. */
export function addLabCommands(program: Command, { version, host, env, exit }: LabContext): void {
  const client = (): LabClient => new LabClient(currentConnection(env), version);
  const output = () => outputTo(host.stdout, env);

  program
    .command('login')
    .description('remember a lab and a token for it')
    .argument('<lab>', 'address of the lab, or the link with a token that it prints')
    .option('--project <name>', 'which project, when the token has several')
    .helpOption('--help', 'print this help')
    .addHelpText(
      'after',
      `\nThe token is asked for, or read from standard input when that is no terminal.\n${LAB_HELP}`,
    )
    .action(async (lab: string, options: { project?: string }) => {
      const { login } = await import('./login.js');
      exit(await login({ lab, ...options }, host, env, version));
    });
  program
    .command('logout')
    .description('forget a lab and its token')
    .argument('[lab]', 'address of the lab; default: the one in use')
    .helpOption('--help', 'print this help')
    .action(async (lab: string | undefined) => exit((await import('./login.js')).logout(lab, host, env)));

  withResultOptions(
    program
      .command('submit')
      .description('run a job file in a lab; files that it names are uploaded as far as the lab lacks them')
      .argument('<file>', 'the job: YAML or JSON')
      .option('--var <name=value>', "give one of the job's variables a value; repeatable", variableArgument)
      .option('--wait', 'wait for the end, with the steps as they go; an interrupt cancels the job'),
  )
    .addHelpText('after', `${EXIT_HELP}\n${LAB_HELP}\n\nExample:\n  bootlab submit job.yml --wait --junit results.xml`)
    .action(async (file: string, { var: variables = {}, wait, console, ...files }: SubmitFlags) => {
      const { submit } = await import('./jobs.js');
      const waits = wait === true || console === true || Object.keys(files).length > 0;
      exit(
        await submit(client(), { file, variables, wait: waits, console: console === true, ...files }, output(), host),
      );
    });
  withResultOptions(
    program.command('watch').description('show jobs of a lab until they end').argument('<jobs...>', 'their ids'),
  )
    .addHelpText('after', EXIT_HELP)
    .action(async (ids: string[], { console, ...files }: ResultFlags) => {
      const { watch } = await import('./jobs.js');
      exit(await watch(client(), ids, { console: console === true, ...files }, output(), host));
    });
  program
    .command('console')
    .description("connect this terminal with a job's console; Ctrl-A x leaves")
    .argument('<job>', 'its id')
    .option('--uart <name>', "which console; default: the board's first")
    .helpOption('--help', 'print this help')
    .action(async (id: string, { uart }: { uart?: string }) => {
      const { connectConsole } = await import('./console.js');
      exit(await connectConsole(client(), id, uart, host));
    });
  program
    .command('cancel')
    .description('cancel jobs of a lab')
    .argument('<jobs...>', 'their ids')
    .helpOption('--help', 'print this help')
    .action(async (ids: string[]) => exit(await (await import('./jobs.js')).cancel(client(), ids, output())));
  program
    .command('jobs')
    .description('list the jobs of a lab, newest first')
    .addOption(new Option('--state <state>', 'only these').choices(['queued', 'running', 'ended']))
    .addOption(
      new Option('--outcome <outcome>', 'only these').choices(['pass', 'fail', 'timeout', 'infra', 'cancelled']),
    )
    .option('--board <board>', 'only on this board')
    .option('--name <text>', 'only those whose name contains this')
    .option('--limit <n>', 'how many', count, 25)
    .option('--json', 'print them as JSON')
    .helpOption('--help', 'print this help')
    .action(async ({ json, ...filter }: { json?: true; limit: number }) => {
      exit(await (await import('./jobs.js')).listJobs(client(), { ...filter, json: json === true }, output()));
    });
  program
    .command('artifacts')
    .description('list the files that a job of a lab left behind, or save them')
    .argument('<job>', 'its id')
    .argument('[names...]', 'only these')
    .option('--save <folder>', 'save them there')
    .option('--json', 'print the list as JSON')
    .helpOption('--help', 'print this help')
    .action(async (id: string, names: string[], { save, json }: { save?: string; json?: true }) => {
      const { artifacts } = await import('./artifacts.js');
      const options = { names, json: json === true, ...(save !== undefined && { save }) };
      exit(await artifacts(client(), id, options, output()));
    });
  program
    .command('results')
    .description('print the results of a job, or add some that another tool found out; 1 when one is bad')
    .argument('<job>', 'its id')
    .addOption(new Option('--format <format>', 'print them for another tool').choices(EXPORT_FORMATS))
    .option(
      '--add <file>',
      'add those of a JUnit document to a job that has ended; repeatable',
      (file, all: string[]) => [...all, file],
      [],
    )
    .option('--suite <name>', 'what stands in front of the names of those (default: uploaded)')
    .helpOption('--help', 'print this help')
    .action(async (id: string, options: { format?: ExportFormat; add: string[]; suite?: string }) => {
      exit(await (await import('./results.js')).results(client(), id, options, output()));
    });
  program
    .command('compare')
    .description('print what became of the results of one job in another; 1 when it is worse')
    .argument('<base>', 'id of the job before')
    .argument('<head>', 'id of the job after')
    .option('--json', 'print it as JSON')
    .helpOption('--help', 'print this help')
    .action(async (base: string, head: string, { json }: { json?: true }) => {
      exit(await (await import('./jobs.js')).compare(client(), base, head, { json: json === true }, output()));
    });
  addImagesCommand(program, client, output, exit);
  addProjectCommands(program, { client, output, exit });
  addOperatorCommands(program, { client, output, exit });
}

type SubmitFlags = ResultFlags & { var?: Record<string, string>; wait?: true };

function addImagesCommand(
  program: Command,
  client: () => LabClient,
  output: () => ReturnType<typeof outputTo>,
  exit: (code: number) => void,
): void {
  const images = program
    .command('images')
    .description("the lab's image library")
    .helpOption('--help', 'print this help')
    .helpCommand(false);
  images
    .command('list', { isDefault: true })
    .description('list them, newest first')
    .option('--limit <n>', 'how many', count, 50)
    .option('--json', 'print them as JSON')
    .helpOption('--help', 'print this help')
    .action(async ({ limit, json }: { limit: number; json?: true }) => {
      exit(await (await import('./images.js')).listImages(client(), { limit, json: json === true }, output()));
    });
  images
    .command('add')
    .description("add files, addresses that the lab downloads from, or 'debian-malta'")
    .addArgument(new Argument('<sources...>', "files, URLs, or 'debian-malta': Debian's Malta kernel and a busybox"))
    .option('--name <name>', 'what to call it; default: the name of the file')
    .option('--sha256 <digest>', 'refuse a file of another digest')
    .option('--unpack', 'store what is inside a gzip, xz, Zstandard or bzip2 file')
    .helpOption('--help', 'print this help')
    .action(async (sources: string[], { unpack, ...rest }: { unpack?: true; name?: string; sha256?: string }) => {
      const { addImages } = await import('./images.js');
      exit(await addImages(client(), sources, { ...rest, unpack: unpack === true }, output()));
    });
  images
    .command('rm')
    .description('remove images that no unfinished job uses')
    .argument('<images...>', 'ids, digests, or the beginnings of digests')
    .helpOption('--help', 'print this help')
    .action(async (references: string[]) => {
      exit(await (await import('./images.js')).removeImages(client(), references, output()));
    });
  images
    .command('get')
    .description('save the bytes of an image')
    .argument('<image>', 'id, digest, or the beginning of a digest')
    .argument('<file>', 'where to')
    .helpOption('--help', 'print this help')
    .action(async (reference: string, file: string) => {
      exit(await (await import('./images.js')).saveImage(client(), reference, file, output()));
    });
}

/** The boards of the lab rather than those of this program. @returns the exit status */
export async function printServerBoards({ version, host, env }: LabContext, json: boolean): Promise<number> {
  const { listServerBoards } = await import('./jobs.js');
  const client = new LabClient(currentConnection(env), version);
  return listServerBoards(client, json, outputTo(host.stdout, env));
}
