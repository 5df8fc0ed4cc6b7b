import { bindArgument, environmentArgument, seedArgument } from './arguments.js';

/** An option of `exec`. */
export interface ExecOption {
  /** What commander calls it: its flag in camel case, without a `no`. */
  readonly name: string;
  /** `--flag`, `--no-flag`, or `--flag <value>`. */
  readonly flags: string;
  readonly description: string;
  readonly mandatory?: boolean;
  readonly choices?: readonly string[];
  readonly default?: string;
  /** Name of one that it does not go with. */
  readonly conflicts?: string;
  /** What a value means. @throws ArgumentError */
  readonly parse?: (text: string) => unknown;
  /** May be given several times: a list of all. */
  readonly repeatable?: boolean;
}

/** In the order of `--help`. */
export const EXEC_OPTIONS: readonly ExecOption[] = [
  {
    name: 'arch',
    flags: '--arch <arch>',
    description: "the program's architecture",
    choices: ['mipsel', 'mips'],
    mandatory: true,
  },
  { name: 'root', flags: '--root <dir>', description: 'directory that the program sees as /' },
  { name: 'readOnly', flags: '--read-only', description: 'no file can be changed', conflicts: 'overlay' },
  { name: 'overlay', flags: '--overlay', description: 'changes of files stay in memory and are gone afterwards' },
  {
    name: 'bind',
    flags: '--bind <host:guest[:ro]>',
    description: 'show a file or directory of this machine; repeatable',
    parse: bindArgument,
    repeatable: true,
  },
  {
    name: 'env',
    flags: '--env <name=value>',
    description: 'set a variable, or pass one on by its name; repeatable',
    parse: environmentArgument,
    repeatable: true,
  },
  { name: 'cwd', flags: '--cwd <dir>', description: 'working directory, as the program sees it' },
  {
    name: 'clock',
    flags: '--clock <mode>',
    description:
      'virtual: time passes with instructions, sleeping is skipped; wall: real time (default: virtual, wall at a terminal)',
    choices: ['virtual', 'wall'],
  },
  { name: 'memory', flags: '--memory <size>', description: 'memory of all its processes together (default: 1G)' },
  {
    name: 'accel',
    flags: '--accel <engine>',
    description: 'what runs the CPU: jit translates hot code, interp interprets everything',
    choices: ['jit', 'interp'],
    default: 'jit',
  },
  {
    name: 'cache',
    flags: '--no-cache',
    description: 'translate everything anew, and keep nothing for the next run; see BOOTLAB_TRANSLATIONS',
  },
  {
    name: 'seed',
    flags: '--seed <number>',
    description: 'of the random bytes that it gets (default: 1)',
    parse: seedArgument,
  },
  {
    name: 'net',
    flags: '--net <access>',
    description: "what internet sockets reach: nothing, each other (loopback), or also this machine's network (host)",
    choices: ['none', 'loopback', 'host'],
    default: 'loopback',
  },
  { name: 'strace', flags: '--strace', description: 'print system calls and signals on standard error' },
  { name: 'stats', flags: '--stats <file>', description: 'write counters and timings as JSON' },
];
