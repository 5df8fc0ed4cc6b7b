import {
  boardOfArch,
  fileReference,
  ImportFindings,
  quoteShell,
  refusePacked,
  type ImportedJob,
} from './import-result.js';

/** Options of tuxrun, by how many values follow them (tuxrun --help). */
const ONE = [
  'device',
  'kernel',
  'rootfs',
  'bios',
  'dtb',
  'boot-args',
  'prompt',
  'partition',
  'tuxbuild',
  'tuxmake',
  'uefi',
  'test-definitions',
  'job-definition',
  'device-dict',
  'ssh-host',
  'ssh-port',
  'ssh-prompt',
  'ssh-user',
  'ssh-identity-file',
  'fvp-ubl-license',
  'ap-romfw',
  'bl1',
  'fip',
  'mcp-fw',
  'mcp-romfw',
  'scp-fw',
  'scp-romfw',
  'results-hook',
  'metadata',
  'log-file-yaml',
  'log-file-html',
] as const;
const ONE_IGNORED = ['runtime', 'image', 'qemu-image', 'qemu-binary', 'cache-dir', 'dispatcher-download-dir'] as const;
const MANY = ['tests', 'test', 'timeouts', 'parameters', 'modules', 'overlay', 'secrets', 'shared'] as const;
const NONE_IGNORED = ['save-outputs', 'debug', 'lava-definition', 'enable-kvm', 'enable-network'] as const;
const NONE = ['shell', 'enable-trustzone', 'list-devices', 'list-tests', 'update-cache'] as const;
const OUTPUTS = { results: 'json', 'log-file': 'log', 'log-file-text': 'log' } as const;

/** What a tuxrun command line asks for beside the job. */
export interface TuxrunImport extends ImportedJob {
  /** Files for results and logs. */
  readonly outputs: Readonly<{ json?: string; log?: string }>;
}

interface Parsed {
  readonly values: Map<string, string[]>;
  readonly commands: string[];
}

/** Prompt and login of the root file systems that tuxrun boots. */
const LOGIN_PROMPT = 'login:';
const PROMPT = 'root@(.*):[/~]#';
const DEFAULT_MINUTES = { deploy: 15, boot: 15 } as const;

/**
 * Reads the command line of tuxrun: devices, images, boot arguments, time-outs, tests, commands to run. What needs
 * another device, a download or a container is refused by name.
 * @param args without the program's name
 */
export function importTuxrun(args: readonly string[]): TuxrunImport {
  const findings = new ImportFindings();
  const outputs: { json?: string; log?: string } = {};
  const { values, commands } = parseArguments(args, outputs, findings);
  const one = (name: string): string | undefined => values.get(name)?.[0];
  const device = one('device') ?? '';
  if (device === '') findings.refuse('--device', 'No device is named', 'Write for example --device qemu-mips32el.');
  const arch = device.replace(/^qemu-/, '');
  const board = boardOfArch(arch, '--device', findings);
  const kernel = one('kernel');
  if (kernel === undefined)
    findings.refuse('--kernel', 'No kernel is named, and none is downloaded', 'Write --kernel /path/to/vmlinux.');
  const rootfs = one('rootfs');
  if (rootfs === undefined)
    findings.refuse(
      '--rootfs',
      'No root file system is named, and none is downloaded',
      'Write --rootfs /path/to/rootfs.ext4.',
    );
  else refusePacked(rootfs, undefined, '--rootfs', findings);
  for (const name of [...ONE, ...NONE, 'modules', 'overlay', 'secrets', 'shared'] as string[]) {
    if (['device', 'kernel', 'rootfs', 'boot-args', 'prompt', 'partition'].includes(name) || !values.has(name))
      continue;
    findings.refuse(`--${name}`, 'This option is not supported', 'Leave it out, or write a job file of our own.');
  }
  findings.note('Time-outs are taken as virtual time: they do not depend on how fast this host is.');
  if (arch.startsWith('mips32')) {
    findings.note(
      "tuxrun's device is a MIPS32 release 6 CPU, and so are its root file systems; this board is release 2.",
    );
  }
  const partition = one('partition') ?? '';
  const cmdline = [
    `console=ttyS0,115200 rootwait root=/dev/sda${partition} debug verbose console_msg_format=syslog`,
    one('boot-args'),
  ];
  const prompt = [PROMPT, one('prompt')].filter((each) => each !== undefined).join('|');
  const minutes = timeoutsOf(values.get('timeouts') ?? []);
  const steps: Record<string, unknown>[] = [
    {
      expect: `(?:${LOGIN_PROMPT}|${prompt})`,
      name: 'boot',
      timeout: `${minutes.get('boot') ?? DEFAULT_MINUTES.boot}m`,
    },
    { send: 'root\n' },
    ...parameterSteps(values.get('parameters') ?? []),
  ];
  const tests = [...(values.get('tests') ?? []), ...(values.get('test') ?? [])];
  for (const test of tests) steps.push(...testSteps(test, minutes, findings));
  if (commands.length > 0)
    steps.push({ run: commands.join(' '), name: 'command', timeout: `${minutes.get('command') ?? 5}m` });
  const last = tests.length === 0 && commands.length === 0;
  if (last) steps.splice(1); // a boot test ends at the login prompt
  const total =
    1 + steps.reduce((sum, { timeout }) => sum + (typeof timeout === 'string' ? parseInt(timeout, 10) : 0), 0);
  const job = {
    name: `tuxrun@${device}: ${[...tests, ...(commands.length > 0 ? ['command'] : [])].join(', ') || 'boot'}`,
    board,
    images: {
      ...(kernel !== undefined && { kernel: fileReference(kernel, '--kernel', findings) }),
      ...(rootfs !== undefined && { drives: [fileReference(rootfs, '--rootfs', findings)] }),
    },
    cmdline: cmdline.filter((part) => part !== undefined).join(' '),
    prompt: `(?:${prompt}).*$`,
    timeout: `${Math.min(total, 24 * 60)}m`,
    steps,
  };
  return { job, outputs, unsupported: findings.unsupported, notes: findings.notes };
}

/** tuxrun's exit status for ours: 0 passed, 1 a test failed, 2 anything that kept tests from being run. */
export const tuxrunExitStatus = (outcomes: readonly string[]): number =>
  outcomes.some((outcome) => outcome !== 'pass' && outcome !== 'fail') ? 2 : outcomes.includes('fail') ? 1 : 0;

function parseArguments(
  args: readonly string[],
  outputs: { json?: string; log?: string },
  findings: ImportFindings,
): Parsed {
  const values = new Map<string, string[]>();
  const commands: string[] = [];
  for (let index = 0; index < args.length; index++) {
    const arg = args[index] ?? '';
    if (arg === '--') {
      commands.push(...args.slice(index + 1));
      break;
    }
    if (!arg.startsWith('--')) {
      commands.push(arg);
      continue;
    }
    const [name = '', inline] = arg.slice(2).split(/=(.*)/s);
    const follow = (count: number): string[] => {
      if (inline !== undefined) return [inline];
      const found: string[] = [];
      while (found.length < count && args[index + 1] !== undefined && !args[index + 1]?.startsWith('--'))
        found.push(args[++index] ?? '');
      return found;
    };
    if (includes(NONE_IGNORED, name)) findings.note(`--${name} is not needed here.`);
    else if (includes(ONE_IGNORED, name)) findings.note(`--${name} ${follow(1).join('')} is not needed here.`);
    else if (Object.hasOwn(OUTPUTS, name)) outputs[OUTPUTS[name as keyof typeof OUTPUTS]] = follow(1)[0] ?? '';
    else if (includes(NONE, name)) values.set(name, []);
    else if (includes(ONE, name) || includes(MANY, name)) {
      const found = follow(includes(ONE, name) ? 1 : Infinity);
      if (found.length === 0) findings.refuse(`--${name}`, 'This option needs a value', `Write --${name} VALUE.`);
      values.set(name, [...(values.get(name) ?? []), ...found]);
    } else findings.refuse(`--${name}`, 'tuxrun has no such option', 'Correct its spelling.');
  }
  return { values, commands };
}

const includes = (list: readonly string[], name: string): boolean => list.includes(name);

function timeoutsOf(pairs: readonly string[]): Map<string, number> {
  return new Map(
    pairs.flatMap((pair) => {
      const [key = '', value = ''] = pair.split('=');
      return /^\d{1,4}$/.test(value) && Number(value) > 0 ? [[key, Number(value)] as const] : [];
    }),
  );
}

function parameterSteps(pairs: readonly string[]): Record<string, unknown>[] {
  const exports = pairs.flatMap((pair) => {
    const [key = '', value = ''] = pair.split(/=(.*)/s);
    return /^[A-Za-z_]\w*$/.test(key) ? [`export ${key}=${quoteShell(value)}`] : [];
  });
  return exports.length === 0 ? [] : [{ run: exports.join('; '), name: 'parameters' }];
}

/** A test of tuxrun's: those whose programs a root file system brings along; the others come from its own archive. */
function testSteps(
  test: string,
  minutes: ReadonlyMap<string, number>,
  findings: ImportFindings,
): Record<string, unknown>[] {
  const limit = (fallback: number) => ({ timeout: `${minutes.get(test) ?? fallback}m` });
  if (test === 'boot' || test === 'commands' || test === 'command') return [];
  const ltp = /^ltp-([a-z0-9_-]+)$/.exec(test)?.[1];
  if (ltp !== undefined) {
    findings.note(`--tests ${test} runs /opt/ltp/runltp, which the root file system must have.`);
    return [{ test: `/opt/ltp/runltp -p -q -f ${ltp}`, format: 'ltp', name: test, exit: 'any', ...limit(60) }];
  }
  if (test === 'kunit') {
    findings.note('--tests kunit reads what the kernel’s tests left in debugfs.');
    const script =
      'mount -t debugfs none /sys/kernel/debug 2>/dev/null; for f in /sys/kernel/debug/kunit/*/results; do cat $f; done';
    return [{ test: script, format: 'kunit', name: test, exit: 'any', ...limit(10) }];
  }
  findings.refuse(
    '--tests',
    `The test ${test} comes from an archive that is not downloaded`,
    'Give its command after "--".',
  );
  return [];
}
