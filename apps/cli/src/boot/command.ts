import type { BoardInfo } from '@bootlab/emulator';
import type { Step } from '@bootlab/lab';
import type { Command } from 'commander';
import { Option } from 'commander';
import { ExitCode } from '../exit-codes.js';
import { KEYS_HELP } from './keys.js';
import type { BootOptions } from './options.js';
import { countArgument, durationArgument, expectArgument, rtcArgument, sendArgument, sizeArgument } from './options.js';

/** What commander hands over: options under their own names, values already parsed. */
interface BootFlags extends Pick<
  BootOptions,
  'board' | 'cpu' | 'kernel' | 'initrd' | 'firmware' | 'byteOrder' | 'clock' | 'cache' | 'stats' | 'log'
> {
  memory?: number;
  append?: string;
  drive?: string[];
  rtc?: number;
  timeout?: number;
  wallGuard?: number;
}

/** What the exit status of a command that runs a guest says. */
export const EXIT_HELP = `
Exit status:
  ${ExitCode.pass}  the guest powered off, or every --expect was met
  ${ExitCode.fail}  it did not, or they were not
  ${ExitCode.usage}  bad usage: an option, an image or a board that does not fit
  ${ExitCode.internal}  Bootlab itself failed, or its wall-clock guard ended the run
  128+n  ended by signal n`;

const BOOT_HELP = `${EXIT_HELP}

Steps run in the order given: each --send waits for the --expect before it.
The run ends when the last --expect is met; after a last --send it goes on until the guest powers off.

At a terminal:
${KEYS_HELP.map((line) => `  ${line}`).join('\n')}

Examples:
  bootlab boot --board malta --firmware selftest
  bootlab boot --board malta --kernel vmlinuz --initrd initramfs.cpio.gz --append 'console=ttyS0'
  bootlab boot --board malta --kernel vmlinuz --initrd initramfs.cpio.gz \\
    --expect 'login:' --send 'root\\n' --expect '# $' --timeout 2m --log console.jsonl`;

/** Adds `boot`. */
export function addBootCommand(
  program: Command,
  boards: readonly BoardInfo[],
  action: (options: BootOptions) => Promise<void>,
): void {
  const steps: Step[] = []; // commander parses options in the order given, which is the order of the steps
  const addStep =
    (parse: (text: string) => Step) =>
    (text: string): Step[] => {
      steps.push(parse(text));
      return steps;
    };
  const append = (value: string, list: string[] = []): string[] => [...list, value];

  program
    .command('boot')
    .description('boot a board here, with its console on this terminal')
    .addOption(
      new Option('--board <id>', "which board; 'bootlab boards' lists them")
        .choices(boards.map(({ id }) => id))
        .makeOptionMandatory(),
    )
    .option('--cpu <model>', "CPU model; default: the board's")
    .option('--memory <size>', "RAM, for example 256M; default: the board's", sizeArgument)
    .option('--kernel <file>', 'kernel to start: an ELF file')
    .option('--initrd <file>', 'initial RAM disk for the kernel')
    .option('--append <text>', "kernel command line; default: the board's")
    .option('--firmware <file>', "firmware: an ELF file or a flash image; 'selftest' is the board's own self-test")
    .addOption(new Option('--byte-order <order>', 'for raw flash images and the self-test').choices(['little', 'big']))
    .option('--drive <file>', 'raw disk image; the guest may write, the file is never changed; repeatable', append)
    .option(
      '--rtc <time>',
      'start of the real-time clock: ISO time, Unix seconds or now (default: 2026-01-01)',
      rtcArgument,
    )
    .option('--expect <regexp>', 'wait for this on the first console (RE2 syntax); repeatable', addStep(expectArgument))
    .option(
      '--send <text>',
      'then type this; \\n, \\r, \\t, \\e, \\xHH are understood; repeatable',
      addStep(sendArgument),
    )
    .option(
      '--timeout <time>',
      'give up after this virtual time (default: 5m, none at a terminal without steps)',
      durationArgument,
    )
    .option(
      '--wall-guard <time>',
      'give up after this host time (default: 15m, none at a terminal without steps)',
      durationArgument,
    )
    .addOption(
      new Option(
        '--clock <mode>',
        'virtual: time in which the guest idles is skipped; wall: it passes (default: virtual, wall at a terminal without steps)',
      ).choices(['virtual', 'wall']),
    )
    .addOption(
      new Option('--accel <engine>', 'what runs the CPU: jit translates hot code, interp interprets everything')
        .choices(['jit', 'interp'])
        .default('jit'),
    )
    .option('--jit-threshold <visits>', 'translate code that was reached by a branch this often', countArgument)
    .option('--no-cache', 'translate everything anew, and keep nothing for the next run; see BOOTLAB_TRANSLATIONS')
    .option('--stats <file>', 'write counters and timings as JSON')
    .option(
      '--profile <file>',
      'write where the guest executed: a flame graph for speedscope.app, and the hottest functions',
    )
    .option('--symbols <file>', "names for it: an ELF file or a System.map; default: the kernel's or firmware's own")
    .option('--log <file>', 'write console output as JSON lines: {"t": virtual ns, "uart": name, "data": text}')
    .helpOption('--help', 'print this help')
    .addHelpText('after', BOOT_HELP)
    .action(({ memory, append: cmdline, drive, rtc, timeout, wallGuard, ...flags }: BootFlags) =>
      action({
        ...flags,
        memoryBytes: memory,
        cmdline,
        drives: drive ?? [],
        rtcStartSeconds: rtc,
        steps,
        timeoutNs: timeout,
        wallGuardMs: wallGuard === undefined ? undefined : wallGuard / 1e6,
      }),
    );
}
