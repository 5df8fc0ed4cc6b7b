import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { ExitCode, LabError, UsageError } from '../exit-codes.js';
import { busyboxInitramfs } from './initramfs.js';
import type { Output } from './output.js';

/** Images that one command makes from Debian's packages. */
interface CatalogueEntry {
  /** For people who ask what there is. */
  readonly title: string;
  /** Debian's name of it. */
  readonly architecture: string;
  /** Makes the images in the folder. */
  make(apt: Apt, folder: string): Promise<LocalImage[]>;
}

/** The newest release with a mipsel architecture (Debian 13 dropped it). */
const RELEASE = 'bookworm';

export const CATALOGUE: Readonly<Record<string, CatalogueEntry>> = {
  'debian-malta': {
    title: `Debian's kernel for the Malta board (${RELEASE}, mipsel), and an initial RAM disk with a busybox shell`,
    architecture: 'mipsel',
    async make(apt, folder) {
      // A meta package: it depends on the kernel of the day.
      const kernel = await apt.unpacked(await apt.dependencyOf('linux-image-4kc-malta'), 'boot', /^vmlinuz-/);
      const busybox = await apt.unpacked('busybox-static', 'bin', /^busybox$/);
      const initrd = path.join(folder, 'initrd.cpio.gz');
      await writeFile(initrd, busyboxInitramfs(await readFile(busybox)));
      return [
        { path: kernel, name: `debian-malta-${path.basename(kernel)}` },
        { path: initrd, name: 'debian-malta-initrd.cpio.gz' },
      ];
    },
  },
};

export interface LocalImage {
  readonly path: string;
  readonly name: string;
}

const run = promisify(execFile);

/**
 * Makes the images of a catalogue entry in a folder that is gone afterwards. apt runs with a configuration of its own:
 * the host's package lists stay as they are, and no root is needed.
 * @throws UsageError where there is no apt, or none that knows Debian; LabError when it fails
 */
export async function withCatalogueImages<T>(
  name: string,
  { out }: Output,
  use: (files: LocalImage[]) => Promise<T>,
  env: NodeJS.ProcessEnv = process.env,
): Promise<T> {
  const entry = CATALOGUE[name];
  if (!entry)
    throw new UsageError(`there is no catalogue image '${name}'. Use one of: ${Object.keys(CATALOGUE).join(', ')}.`);
  await run('apt-get', ['--version'], { env }).catch(() => {
    throw new UsageError(
      `${name} is made from Debian's packages with apt-get, which this machine does not have. ` +
        'Run this on Debian or a system derived from it, or add the files by name or URL.',
    );
  });
  const sources = debianSources();
  const folder = await mkdtemp(path.join(tmpdir(), 'bootlab-debian-'));
  try {
    out.write(`${name}: fetching packages with apt-get\n`);
    const apt = await Apt.in(folder, entry.architecture, sources);
    return await use(await entry.make(apt, folder));
  } catch (error) {
    const { stderr, cmd } = error as { stderr?: string; cmd?: string };
    if (cmd === undefined) throw error;
    const [first] = (stderr ?? '').split('\n').filter(Boolean);
    throw new LabError(`apt could not make ${name}: ${first ?? cmd}`, ExitCode.internal);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

class Apt {
  private constructor(
    private readonly folder: string,
    private readonly config: string,
  ) {}

  static async in(folder: string, architecture: string, sources: string): Promise<Apt> {
    for (const part of ['state/lists/partial', 'cache/archives/partial', 'etc', 'downloads']) {
      await mkdir(path.join(folder, part), { recursive: true });
    }
    await writeFile(path.join(folder, 'etc', 'debian.sources'), sources);
    await writeFile(path.join(folder, 'state', 'status'), '');
    const config = path.join(folder, 'apt.conf');
    await writeFile(
      config,
      [
        `Dir::State "${folder}/state";`,
        `Dir::State::status "${folder}/state/status";`,
        `Dir::Cache "${folder}/cache";`,
        'Dir::Etc::sourcelist "/dev/null";',
        `Dir::Etc::sourceparts "${folder}/etc";`,
        `APT::Architecture "${architecture}";`,
        `APT::Architectures "${architecture}";`,
        ...(process.getuid?.() === 0 ? ['APT::Sandbox::User "root";'] : []),
        'Acquire::Languages "none";',
        '',
      ].join('\n'),
    );
    const apt = new Apt(folder, config);
    await apt.run('apt-get', ['-q', 'update']);
    return apt;
  }

  async dependencyOf(metaPackage: string): Promise<string> {
    const found = /Depends: (\S+)/.exec(await this.run('apt-cache', ['depends', metaPackage]));
    if (!found?.[1]) throw new Error(`Debian's package ${metaPackage} has no dependency to follow`);
    return found[1];
  }

  private async download(name: string): Promise<string> {
    const folder = await mkdtemp(path.join(this.folder, 'downloads', 'deb-'));
    await this.run('apt-get', ['-q', 'download', name], folder);
    const [deb] = await readdir(folder);
    if (deb === undefined) throw new Error(`apt-get fetched nothing for ${name}`);
    return path.join(folder, deb);
  }

  /** A file of a package. */
  async unpacked(name: string, place: string, match: RegExp): Promise<string> {
    const deb = await this.download(name);
    const folder = await mkdtemp(path.join(this.folder, 'unpacked-'));
    await run('dpkg-deb', ['-x', deb, folder]);
    const file = (await readdir(path.join(folder, place))).find((candidate) => match.test(candidate));
    if (file === undefined) throw new Error(`${path.basename(deb)} has no ${place}/${match.source}`);
    return path.join(folder, place, file);
  }

  private async run(command: string, args: readonly string[], cwd = this.folder): Promise<string> {
    const env = { ...process.env, APT_CONFIG: this.config, LC_ALL: 'C' };
    return (await run(command, args, { cwd, env, maxBuffer: 64 * 2 ** 20 })).stdout;
  }
}

type Source = Partial<Record<string, string>>;

/** Debian archives that this host uses, for the release and with the host's own keys. @throws UsageError */
function debianSources(): string {
  const codename = /^VERSION_CODENAME=(.*)$/m.exec(readIfThere('/etc/os-release'))?.[1] ?? RELEASE;
  const debian = hostSources().filter(({ Suites }) => Suites?.split(/\s+/).some((suite) => suite.startsWith(codename)));
  if (!/^ID(_LIKE)?=.*debian/m.test(readIfThere('/etc/os-release')) || debian.length === 0) {
    throw new UsageError(
      "this machine's apt knows no Debian archive. Run this on Debian, or add the files by name or URL.",
    );
  }
  return debian
    .map((source) =>
      [
        'Types: deb',
        `URIs: ${source['URIs'] ?? ''}`,
        `Suites: ${(source['Suites'] ?? '').replaceAll(codename, RELEASE)}`,
        'Components: main',
        ...(source['Signed-By'] === undefined ? [] : [`Signed-By: ${source['Signed-By']}`]),
        '',
      ].join('\n'),
    )
    .join('\n');
}

/** The host's apt sources, from both of apt's formats (sources.list(5)). */
function hostSources(): Source[] {
  const folder = '/etc/apt/sources.list.d';
  const parts = existsSync(folder) ? readdirSync(folder).map((name) => path.join(folder, name)) : [];
  return ['/etc/apt/sources.list', ...parts].flatMap((file) => {
    const text = readIfThere(file);
    if (file.endsWith('.sources')) return text.split(/\n\s*\n/).map(stanza);
    return file.endsWith('.list') ? text.split('\n').flatMap(oneLine) : [];
  });
}

const readIfThere = (file: string): string => (existsSync(file) ? readFileSync(file, 'utf8') : '');

function stanza(text: string): Source {
  const lines = text.split('\n').filter((line) => /^[A-Za-z-]+:/.test(line));
  return Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()]),
  );
}

function oneLine(line: string): Source[] {
  const found = /^deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)\s+(.+)$/.exec(line.trim());
  if (!found) return [];
  const [, options = '', URIs = '', Suites = '', Components = ''] = found;
  const signedBy = /signed-by=(\S+)/.exec(options)?.[1];
  return [{ URIs, Suites, Components, ...(signedBy !== undefined && { 'Signed-By': signedBy }) }];
}
