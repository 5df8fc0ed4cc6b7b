import { closeSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { ConfigError } from '@bootlab/emulator/core';
import type { HostTerminal, ProgramOptions, ProgramResult, ProgramStats } from '@bootlab/emulator/user';
import { ProgramRun } from '@bootlab/emulator/user';
import { createOutput } from '../boot/files.js';
import { jitStatsOf } from '../boot/stats.js';
import { ExitCode, signalExitCode, UsageError } from '../exit-codes.js';
import { engineStores } from '../kept.js';
import type { ExecHost, ExecOptions } from './options.js';
import { outputTo, StandardInput } from './streams.js';

/** Signals that are passed on to the program. */
const FORWARDED = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2', 'SIGWINCH', 'SIGALRM'] as const;

/** What a program under `--root` starts with; nothing of the host's environment reaches it. */
const ROOT_ENVIRONMENT = {
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  HOME: '/root',
};

/** Options whose name is not the configuration field's with two dashes before it. */
const OPTION_OF_FIELD: Readonly<Record<string, string>> = { program: '' };

/** What the dynamic linker says when it lacks a library; its exit status is 127. */
const MISSING_LIBRARY = /error while loading shared libraries: ([^:\s]+): cannot open shared object file/;
const LINKER_FAILURE = 127;
const REMEMBERED_BYTES = 4096;

/**
 * Runs a Linux program of another architecture on this terminal's streams.
 * @returns the program's exit status
 * @throws UsageError when an option or the program does not fit
 */
export async function exec(options: ExecOptions, host: ExecHost): Promise<number> {
  const statsFd = options.stats === undefined ? undefined : createOutput('--stats', options.stats);
  const note = (text: string): void => void host.stderr.write(`bootlab: ${text}\n`);
  const stdin = new StandardInput(host.stdin);
  let closed = false;
  let run: ProgramRun | undefined;
  const onClosed = (): void => {
    closed = true;
    run?.stop();
  };
  let errors = '';
  const writeError = outputTo(host.stderr, onClosed);
  const startedAt = performance.now();
  const restore = (): void => void host.stdin.setRawMode?.(false);
  try {
    run = await create({
      ...programOptions(options, host),
      ...(await memoryOf(options)),
      files: {
        ...filesOf(options),
        stdin,
        stdout: outputTo(host.stdout, onClosed),
        stderr: (bytes) => {
          if (errors.length < REMEMBERED_BYTES) errors += Buffer.from(bytes).toString('latin1');
          writeError(bytes);
        },
        ...terminalOf(host),
      },
      warn: note,
      ...engineStores(host, options.cache),
      ...(options.strace ? { trace: (line: string) => writeError(Buffer.from(`${line}\n`)) } : {}),
    });
    const running = run;
    const forward = FORWARDED.map((signal) => {
      const listener = (): void => running.signal(signal);
      host.signals.on(signal, listener);
      return () => host.signals.off(signal, listener);
    });
    process.once('exit', restore);
    let result: ProgramResult;
    try {
      result = await running.run();
    } finally {
      for (const stop of forward) stop();
    }
    if (statsFd !== undefined)
      writeFileSync(statsFd, `${JSON.stringify(statsOf(result, running.stats, startedAt), null, 2)}\n`);
    if (result.kind === 'exited' && result.code === LINKER_FAILURE) hintAtLibrary(errors, options, note);
    return closed ? signalExitCode(constants.signals.SIGPIPE) : exitCodeOf(result);
  } finally {
    process.off('exit', restore);
    if (host.stdin.isTTY === true) restore();
    stdin.close();
    if (statsFd !== undefined) closeSync(statsFd);
  }
}

async function create(options: ProgramOptions): Promise<ProgramRun> {
  try {
    return await ProgramRun.create(options);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const option = OPTION_OF_FIELD[error.field] ?? `--${error.field}: `;
    throw new UsageError(`${option}${error.problem}. ${error.mend}.`, { cause: error });
  }
}

function programOptions(options: ExecOptions, host: ExecHost): Omit<ProgramOptions, 'files'> {
  const { arch, program, args, root, seed, accel, net } = options;
  const inherited = root === undefined ? definedOf(process.env) : ROOT_ENVIRONMENT;
  const own = Object.fromEntries(options.environment.map(({ name, value }) => [name, value]));
  const cwd = options.cwd ?? (root === undefined ? process.cwd() : undefined);
  return {
    arch,
    program,
    args,
    environment: { ...inherited, ...own },
    clock: options.clock ?? (host.stdin.isTTY === true ? 'wall' : 'virtual'),
    ...(cwd === undefined ? {} : { cwd }),
    ...(seed === undefined ? {} : { seed }),
    ...(accel === undefined ? {} : { accel }),
    ...(net === undefined ? {} : { network: net }),
  };
}

async function memoryOf({ memory }: ExecOptions): Promise<{ memoryBytes?: number }> {
  if (memory === undefined) return {};
  const { parseSize, UnitError } = await import('@bootlab/lab'); // large, and seldom needed here
  try {
    return { memoryBytes: parseSize(memory) };
  } catch (error) {
    if (error instanceof UnitError) throw new UsageError(`--memory: ${error.message}. ${error.mend}`, { cause: error });
    throw error;
  }
}

const definedOf = (environment: NodeJS.ProcessEnv): Record<string, string> =>
  Object.fromEntries(
    Object.entries(environment).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );

function filesOf({ root, readOnly, overlay, binds }: ExecOptions): ProgramOptions['files'] {
  return {
    root: root ?? '/',
    ...(readOnly ? { readOnly } : {}),
    ...(overlay ? { overlay } : {}),
    binds,
  };
}

/** The terminal behind the standard streams, if there is one. */
function terminalOf(host: ExecHost): { terminal?: HostTerminal } {
  const { stdin, stdout, stderr } = host;
  const terminals: (0 | 1 | 2)[] = [];
  if (stdin.isTTY === true) terminals.push(0);
  if (stdout.isTTY === true) terminals.push(1);
  if (stderr.isTTY === true) terminals.push(2);
  if (terminals.length === 0) return {};
  return {
    terminal: {
      descriptors: terminals,
      size: () => ({ rows: stdout.rows ?? 24, columns: stdout.columns ?? 80 }),
      setMode: ({ canonical }) => void stdin.setRawMode?.(!canonical),
    },
  };
}

/** The shell's convention, in this host's numbering of signals. */
function exitCodeOf(result: ProgramResult): number {
  switch (result.kind) {
    case 'exited':
      return result.code;
    case 'killed':
      return signalExitCode((constants.signals as Record<string, number | undefined>)[result.signal] ?? result.number);
    case 'stopped':
    case 'timeout':
      return ExitCode.internal;
  }
}

function hintAtLibrary(errors: string, { root, arch }: ExecOptions, note: (text: string) => void): void {
  const library = MISSING_LIBRARY.exec(errors)?.[1];
  if (library === undefined) return;
  const where = root === undefined ? "this machine's own folders" : root;
  note(
    `the program needs the shared library ${library} for ${arch}, and ${where} does not have it. ` +
      (root === undefined
        ? `Give a tree that does with --root DIR; 'apt-file search ${library}' names its Debian package.`
        : `Unpack the package that brings it there with dpkg -x; 'apt-file search ${library}' names it on Debian.`),
  );
}

function statsOf(result: ProgramResult, stats: ProgramStats, startedAt: number): Record<string, unknown> {
  const wallSeconds = (performance.now() - startedAt) / 1000;
  return {
    result,
    instructions: stats.instructions,
    wallSeconds,
    virtualSeconds: stats.virtualNs / 1e9,
    mips: stats.instructions / wallSeconds / 1e6,
    syscalls: stats.syscalls,
    pageFaults: stats.pageFaults,
    tlbMisses: stats.tlbMisses,
    jit: jitStatsOf(stats),
    peakMemoryBytes: stats.peakMemoryBytes,
    peakRssBytes: process.resourceUsage().maxRSS * 1024,
  };
}
