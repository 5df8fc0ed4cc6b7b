import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import {
  buildMipsProgram,
  cacheFolder,
  findProgram,
  MissingPrerequisite,
  qemuUserMips,
} from '@bootlab/emulator/testkit';
import { repositoryFolder, WARMING_RUNS } from './bootlab.js';
import { buildIntegerProgram } from './integer-program.js';
import type { Report } from './report.js';
import type { Subject } from './statistics.js';
import { interleave, median, mediansOf, medianRatio } from './statistics.js';
import { userReport, type EngineName, type Seconds, type TimedWork } from './user-report.js';
import type { Work } from './user-works.js';
import { WORKS, writeInputs } from './user-works.js';

const TIMEOUT_MS = 300_000;
/** Milliseconds from the command to the end of a static hello world. */
const START_TARGET_MS = 150;
/** A start is short, and other work on the machine tells: more runs than of works that take seconds. */
const START_RUNS = 15;

const launcher = join(repositoryFolder, 'apps', 'cli', 'bin', 'bootlab.mjs');

interface Sample {
  seconds: number;
  outputSha256: string;
}

/**
 * Debian's programs for mipsel in Linux user mode and the integer benchmark as a static one, beside qemu-mipsel and this machine's own
 * programs of the name.
 */
export async function userBenchmark(runs: number, progress: (text: string) => void): Promise<Report> {
  const root = cacheFolder('guests', 'debian-mipsel');
  if (!existsSync(root)) throw new MissingPrerequisite(`guest tree ${root}`, "Run 'npm run setup', which fetches it");
  const qemu = qemuUserMips('little');
  const integer = await buildIntegerProgram('linux');
  const folder = mkdtempSync(join(tmpdir(), 'bootlab-bench-user-'));
  const timed = async (work: Named, commands: Commands): Promise<TimedWork> => ({
    name: work.name,
    seconds: await timeEach(work, commands, { folder, runs, progress }),
  });
  try {
    writeInputs(folder);
    const works: TimedWork[] = [];
    for (const work of WORKS) works.push(await timed(work, commandsOf(work, { root, folder, qemu })));
    return userReport(
      works,
      await timed({ name: 'integer benchmark' }, emulated(['--', integer], [qemu, integer])),
      runs,
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Only the start of a program, which takes seconds to measure. */
export async function userStartBenchmark(runs: number, progress: (text: string) => void): Promise<Report> {
  const folder = mkdtempSync(join(tmpdir(), 'bootlab-bench-start-'));
  const starts = Math.max(runs, START_RUNS);
  try {
    const timing = { folder, qemu: qemuUserMips('little'), runs: starts, progress };
    const { 'JIT, warm': warm = [], interpreter = [], 'qemu-mipsel': qemu = [] } = await timeStart(timing);
    return {
      title: 'Linux user mode: the start of a program',
      note: `wall milliseconds from the command to its end, ${mediansOf(starts)}`,
      columns: ['JIT', 'interpreter', 'qemu-mipsel', "times QEMU's"],
      rows: [
        {
          name: 'static hello world',
          values: [...[warm, interpreter, qemu].map((seconds) => 1000 * median(seconds)), medianRatio(warm, qemu)],
        },
      ],
      targets: [
        {
          name: 'the start of a static hello world in milliseconds',
          value: 1000 * median(warm),
          atMost: START_TARGET_MS,
        },
      ],
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

type Commands = Partial<Record<EngineName, readonly string[]>>;

function commandsOf({ program, args }: Work, places: { root: string; folder: string; qemu: string }): Commands {
  const { root, folder, qemu } = places;
  const native = findProgram(basename(program));
  const tree = ['--root', root, '--overlay', '--bind', `${folder}:/work:ro`, '--cwd', '/work', '--env', 'LC_ALL=C'];
  return {
    ...emulated([...tree, '--', program, ...args], [qemu, '-L', root, join(root, program), ...args]),
    ...(native !== undefined && { native: [native, ...args] }),
  };
}

/**
 * In the order in which they are run: what is compared most closely comes one after the other.
 * @param ours what comes behind `exec` and the engine @param qemus the whole command
 */
const emulated = (ours: readonly string[], qemus: readonly string[]): Commands => ({
  interpreter: [...bootlabExec('interp'), ...ours],
  'JIT, cold': [...bootlabExec('jit', '--no-cache'), ...ours],
  'JIT, warm': [...bootlabExec('jit'), ...ours],
  'qemu-mipsel': qemus,
});

const bootlabExec = (accel: 'jit' | 'interp', ...options: string[]): string[] => [
  ...[process.execPath, launcher, 'exec', '--arch', 'mipsel', '--accel', accel, ...options],
];

type Named = Pick<Work, 'name' | 'input'>;

interface Timing {
  folder: string;
  runs: number;
  progress: (text: string) => void;
}

/**
 * Seconds of each command in each round, in turns.
 * @throws Error when one fails, or prints something else than under QEMU
 */
async function timeEach(work: Named, commands: Commands, timing: Timing): Promise<Seconds> {
  const { folder, runs, progress } = timing;
  const subjects = Object.entries(commands).map(([name, command]): Subject<Sample> => ({
    name,
    warmingRuns: name === 'JIT, warm' ? WARMING_RUNS : 0,
    run: () => timeCommand(command, folder, work.input),
  }));
  const samples = await interleave(subjects, runs, (text) => progress(`${work.name}: ${text}`));
  const expected = samples[subjects.findIndex(({ name }) => name === 'qemu-mipsel')]?.[0]?.outputSha256;
  for (const [index, { name }] of subjects.entries()) {
    // This machine's own program may be of another version, and compress into other bytes.
    if (name !== 'native' && samples[index]?.some(({ outputSha256 }) => outputSha256 !== expected))
      throw new Error(`${work.name}: the output of ${name} is not that of qemu-mipsel`);
  }
  return Object.fromEntries(
    subjects.map(({ name }, index) => [name, samples[index]?.map(({ seconds }) => seconds) ?? []]),
  );
}

/** A static program that prints a line: the time until one runs and is gone. */
async function timeStart({ qemu, ...timing }: Timing & { qemu: string }): Promise<Seconds> {
  const program = await buildMipsProgram({
    name: 'hello',
    byteOrder: 'little',
    sources: [join(repositoryFolder, 'test', 'bench', 'guest', 'hello.c')],
    flags: ['-O2', '-static'],
  });
  const commands = emulated(['--', program], [qemu, program]);
  delete commands['JIT, cold'];
  return timeEach({ name: 'start' }, commands, timing);
}

/** Output goes into a file: nobody's pipe decides how fast it is. */
async function timeCommand(command: readonly string[], folder: string, input?: string): Promise<Sample> {
  const [program = '', ...args] = command;
  const output = join(folder, 'output');
  const stdin = openSync(input === undefined ? '/dev/null' : join(folder, input), 'r');
  const stdout = openSync(output, 'w');
  try {
    const startedAt = performance.now();
    const child = spawn(program, args, {
      cwd: folder,
      env: { PATH: process.env['PATH'], LC_ALL: 'C', HOME: folder },
      stdio: [stdin, stdout, 'pipe'],
      timeout: TIMEOUT_MS,
      killSignal: 'SIGKILL',
    });
    let errors = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (errors += text));
    const [status, signal] = (await once(child, 'close')) as [number | null, string | null];
    const seconds = (performance.now() - startedAt) / 1000;
    if (status !== 0)
      throw new Error(`${command.join(' ')} ended with ${status ?? signal ?? 'nothing'}: ${errors.slice(-500)}`);
    return { seconds, outputSha256: createHash('sha256').update(readFileSync(output)).digest('hex') };
  } finally {
    closeSync(stdin);
    closeSync(stdout);
  }
}
