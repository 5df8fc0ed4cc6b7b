import { JobSource } from '../spec/job-source.js';
import {
  boardOfArch,
  fileReference,
  ImportFindings,
  literalPattern,
  quoteShell,
  refusePacked,
  Section,
  splitWords,
  type ImportedJob,
} from './import-result.js';
import { installLavaHelpers, usesLavaHelpers } from './lava-helpers.js';

type Step = Record<string, unknown>;

interface Draft {
  readonly job: Record<string, unknown>;
  readonly images: { kernel?: string; initrd?: string; firmware?: string; drives: string[] };
  readonly steps: Step[];
  readonly prompts: string[];
  helpersInstalled: boolean;
}

/**
 * Reads a LAVA job definition (LAVA documentation, "Writing job definitions"): the subset for QEMU devices. deploy to
 * tmpfs or tftp with files of this host; boot with auto_login, prompts and login commands; test with inline
 * definitions, monitors and interactive scripts. Whatever else stands in it is refused by name.
 * @param text YAML
 */
export function importLavaJob(text: string): ImportedJob {
  const findings = new ImportFindings();
  const source = JobSource.parse(text);
  if ('errors' in source) return { job: {}, unsupported: source.errors, notes: [] };
  const draft: Draft = { job: {}, images: { drives: [] }, steps: [], prompts: [], helpersInstalled: false };
  const definition = Section.of(source.value, [], findings);
  if (definition) readDefinition(definition, draft, findings);
  const { job, images, steps, prompts } = draft;
  const { drives, ...others } = images;
  return {
    job: {
      ...job,
      images: { ...others, ...(drives.length > 0 && { drives }) },
      ...(prompts.length > 0 && { prompt: promptPattern(prompts) }),
      steps,
    },
    unsupported: findings.unsupported.map((error) => source.locate(error)),
    notes: findings.notes,
  };
}

/** LAVA's prompts are regular expressions found anywhere in the last line. */
const promptPattern = (prompts: readonly string[]): string => `(?:${prompts.join('|')}).*$`;

function readDefinition(definition: Section, draft: Draft, findings: ImportFindings): void {
  const { job } = draft;
  const name = definition.text('job_name');
  if (name !== undefined) job['name'] = name;
  const context = definition.section('context');
  const device = definition.text('device_type') ?? '';
  const arch = context?.text('arch') ?? device.replace(/^qemu-?/, '');
  job['board'] = device === 'malta' ? 'malta' : boardOfArch(arch, context ? 'context.arch' : 'device_type', findings);
  const memory = context?.text('memory');
  if (memory !== undefined) job['memory'] = /^\d+$/.test(memory) ? `${memory}M` : memory;
  const cpu = context?.text('cpu');
  if (cpu !== undefined)
    findings.note(`context.cpu: QEMU's "${cpu}" is not one of our models; the board's default is used.`);
  context?.ignore(
    'machine',
    'no_kvm',
    'no_network',
    'netdevice',
    'extra_options',
    'guestfs_interface',
    'test_character_delay',
    'kvm',
    'vnc',
    'monitor',
    'serial',
  );
  context?.close();
  const timeouts = definition.section('timeouts');
  const limit = durationOf(timeouts?.section('job'));
  if (limit !== undefined) job['timeout'] = limit;
  timeouts?.ignore('action', 'actions', 'connection', 'connections', 'queue');
  timeouts?.close();
  if (timeouts) findings.note('Time-outs are taken as virtual time: they do not depend on how fast this host is.');
  definition.ignore(
    'priority',
    'visibility',
    'metadata',
    'notify',
    'tags',
    'reboot_to_fastboot',
    'dispatcher',
    'environment',
  );
  for (const action of definition.sections('actions')) readAction(action, draft, findings);
  definition.close();
}

function readAction(action: Section, draft: Draft, findings: ImportFindings): void {
  const deploy = action.section('deploy');
  const boot = action.section('boot');
  const test = action.section('test');
  if (deploy) readDeploy(deploy, draft, findings);
  if (boot) readBoot(boot, draft, findings);
  if (test) readTest(test, draft, findings);
  action.close();
}

function readDeploy(deploy: Section, draft: Draft, findings: ImportFindings): void {
  const to = deploy.text('to') ?? '';
  deploy.ignore('timeout', 'os', 'root_partition', 'type', 'namespace', 'connection');
  if (to === 'tmpfs') {
    const images = deploy.section('images');
    for (const key of images?.keys() ?? []) {
      const image = images?.section(key);
      if (image) readImage(key, image, draft, findings);
    }
  } else if (to === 'tftp') {
    for (const [key, role] of [
      ['kernel', 'kernel'],
      ['ramdisk', 'initrd'],
    ] as const) {
      const image = deploy.section(key);
      const url = image?.text('url');
      // A kernel unpacks its ramdisk itself.
      image?.ignore(
        'type',
        'install_modules',
        'install_overlay',
        'header',
        'add-header',
        'sha256sum',
        'md5sum',
        ...(role === 'initrd' ? ['compression'] : []),
      );
      if (image && role === 'kernel') refusePacked('', image.text('compression'), image.field('compression'), findings);
      image?.close();
      if (image && url !== undefined) draft.images[role] = fileReference(url, image.field('url'), findings);
    }
  } else findings.refuse(deploy.field('to'), `Deploying to ${to || 'nowhere'} is not supported`, 'Use tmpfs or tftp.');
  deploy.close();
}

/** One image of a QEMU device: what it is stands in the piece of QEMU's command line that it brings along. */
function readImage(key: string, image: Section, draft: Draft, findings: ImportFindings): void {
  const url = image.text('url') ?? '';
  const reference = fileReference(url, image.field('url'), findings);
  const argument = image.text('image_arg') ?? '';
  const compression = image.text('compression');
  image.ignore('format', 'sha256sum', 'md5sum', 'sha512sum', 'size');
  image.close();
  const words = splitWords(argument);
  const place = words.findIndex((word) => word.includes(`{${key}}`));
  const option = (words[place - 1] ?? `-${key}`).replace(/^-+/, '');
  switch (option) {
    case 'kernel':
      draft.images.kernel = reference;
      refusePacked('', compression, image.field('compression'), findings);
      break;
    case 'initrd':
      draft.images.initrd = reference;
      break;
    case 'bios':
    case 'pflash':
      draft.images.firmware = reference;
      break;
    case 'drive':
    case 'hda':
    case 'hdb':
    case 'hdc':
    case 'hdd':
      draft.images.drives.push(reference);
      refusePacked(url, compression, image.field('url'), findings);
      break;
    default:
      findings.refuse(
        image.field('image_arg'),
        `QEMU's option -${option} has no counterpart here`,
        'Remove the image.',
      );
  }
  readQemuOptions(words, image, draft, findings);
}

function readQemuOptions(words: readonly string[], image: Section, draft: Draft, findings: ImportFindings): void {
  words.forEach((word, index) => {
    const option = word.replace(/^-+/, '');
    const value = words[index + 1];
    if (!word.startsWith('-') || value === undefined) return;
    if (option === 'append') draft.job['cmdline'] = value;
    else if (option === 'm') draft.job['memory'] = /^\d+$/.test(value) ? `${value}M` : value;
    else if (['virtfs', 'device', 'netdev', 'fsdev', 'dtb'].includes(option)) {
      findings.refuse(image.field('image_arg'), `QEMU's option -${option} has no counterpart here`, 'Remove it.');
    }
  });
}

function readBoot(boot: Section, draft: Draft, findings: ImportFindings): void {
  const method = boot.text('method') ?? '';
  if (method !== 'qemu' && method !== 'minimal') {
    findings.refuse(
      boot.field('method'),
      `The boot method ${method} is not supported`,
      'Use qemu: the kernel is started directly.',
    );
  }
  boot.ignore(
    'media',
    'timeout',
    'type',
    'transfer_overlay',
    'namespace',
    'connection',
    'docker',
    'failure_retry',
    'failure_message',
    'soft_reboot',
    'parameters',
  );
  const prompts = boot.texts('prompts');
  draft.prompts.push(...prompts.filter((prompt) => !draft.prompts.includes(prompt)));
  const login = boot.section('auto_login');
  if (login) readLogin(login, draft);
  if (prompts.length > 0) draft.steps.push({ expect: promptPattern(prompts), name: 'prompt' });
  for (const command of [...(login?.texts('login_commands') ?? [])]) draft.steps.push({ run: command, exit: 'any' });
  login?.close();
  boot.close();
}

function readLogin(login: Section, { steps }: Draft): void {
  steps.push({ expect: login.text('login_prompt') ?? 'login:', name: 'login prompt' });
  steps.push({ send: `${login.text('username') ?? 'root'}\n` });
  const password = login.text('password');
  const passwordPrompt = login.text('password_prompt');
  if (password === undefined) return;
  steps.push({ expect: passwordPrompt ?? 'Password:', name: 'password prompt' }, { send: `${password}\n` });
}

function readTest(test: Section, draft: Draft, findings: ImportFindings): void {
  const timeout = durationOf(test.section('timeout'));
  const limit = timeout === undefined ? {} : { timeout };
  test.ignore('namespace', 'connection', 'failure_retry', 'name');
  for (const definition of test.sections('definitions')) readInline(definition, limit, draft, findings);
  for (const monitor of test.sections('monitors')) readMonitor(monitor, limit, draft, findings);
  for (const script of test.sections('interactive')) readInteractive(script, limit, draft, findings);
  test.close();
}

function readInline(definition: Section, limit: object, draft: Draft, findings: ImportFindings): void {
  const from = definition.text('from');
  if (from !== 'inline') {
    const mend = 'Put the steps into the job (from: inline), or write a job file of our own with "upload".';
    findings.refuse(definition.field('from'), `Test definitions from ${from} are not fetched`, mend);
    definition.ignore(
      'repository',
      'path',
      'name',
      'branch',
      'revision',
      'parameters',
      'params',
      'shallow',
      'history',
      'lava-signal',
    );
    definition.close();
    return;
  }
  const name = definition.text('name') ?? 'test';
  definition.ignore('path', 'lava-signal');
  const given = definition.raw('parameters') ?? definition.raw('params');
  const repository = definition.section('repository');
  repository?.ignore('metadata', 'install');
  const parameters = {
    ...plainTexts(repository?.raw('parameters') ?? repository?.raw('params')),
    ...plainTexts(given),
  };
  const run = repository?.section('run');
  const steps = run?.texts('steps') ?? [];
  run?.close();
  repository?.close();
  definition.close();
  if (usesLavaHelpers(steps) && !draft.helpersInstalled) {
    draft.steps.push({ run: installLavaHelpers(), name: 'LAVA commands' });
    draft.helpersInstalled = true;
  }
  const exports = Object.entries(parameters).map(([key, value]) => `export ${key}=${quoteShell(value)}`);
  // In a shell of its own: a definition's folder and variables are not the next one's.
  const script = `( ${[...exports, ...steps].join('\n')}\n)`;
  draft.steps.push(
    usesLavaHelpers(steps)
      ? { test: script, format: 'lava-signal', name, exit: 'any', ...limit }
      : { run: script, name, exit: 'any', ...limit },
  );
}

function readMonitor(monitor: Section, limit: object, draft: Draft, findings: ImportFindings): void {
  const name = monitor.text('name') ?? 'monitor';
  const start = monitor.text('start');
  const end = monitor.text('end') ?? '';
  const pattern = (monitor.text('pattern') ?? '')
    .replaceAll('(?P<test_case_id>', '(?P<name>')
    .replaceAll('(?P<result>', '(?P<status>');
  const words = plainTexts(monitor.raw('fixupdict'));
  for (const [word, result] of Object.entries(words)) {
    if (word.toLowerCase().startsWith(result.toLowerCase()) || word.toLowerCase() === 'ok') continue;
    findings.refuse(
      `${monitor.field('fixupdict')}.${word}`,
      `"${word}" is not known to mean ${result}`,
      'Have the test print pass, fail or skip.',
    );
  }
  monitor.ignore('expected');
  monitor.close();
  if (start !== undefined) draft.steps.push({ expect: literalPattern(start), name: `${name}: start`, ...limit });
  draft.steps.push({ expect: literalPattern(end), format: 'regex', pattern, name, ...limit });
}

function readInteractive(script: Section, limit: object, draft: Draft, findings: ImportFindings): void {
  const prompts = script.texts('prompts');
  script.ignore('name', 'echo');
  for (const line of script.sections('script')) {
    const command = line.text('command');
    const name = line.text('name');
    const delay = line.text('delay');
    const successes = line.sections('successes').flatMap((each) => each.text('message') ?? []);
    if (line.sections('failures').length > 0) {
      findings.note(`${line.field('failures')}: a failure is seen when what is waited for does not come.`);
    }
    line.ignore('failures', 'wait_for_prompt', 'raise_on_failure');
    line.close();
    if (delay !== undefined) draft.steps.push({ wait: `${delay}s` });
    if (command !== undefined && command !== 'null') draft.steps.push({ send: `${command}\n` });
    const awaited = successes.length > 0 ? successes.map(literalPattern) : prompts;
    if (awaited.length > 0)
      draft.steps.push({ expect: `(?:${awaited.join('|')})`, ...(name !== undefined && { name }), ...limit });
  }
  script.close();
}

function plainTexts(value: unknown): Record<string, string> {
  if (typeof value !== 'object' || value === null) return {};
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, String(item)]));
}

/** "minutes: 5, seconds: 30" → "5m30s" */
function durationOf(timeout: Section | undefined): string | undefined {
  if (!timeout) return undefined;
  const parts = (['days', 'hours', 'minutes', 'seconds'] as const).map((unit) => Number(timeout.text(unit) ?? 0));
  timeout.ignore('skip');
  timeout.close();
  const [days = 0, hours = 0, minutes = 0, seconds = 0] = parts;
  const total = days * 86_400 + hours * 3600 + minutes * 60 + seconds;
  return Number.isFinite(total) && total > 0 ? `${Math.min(total, 86_400)}s` : undefined;
}
