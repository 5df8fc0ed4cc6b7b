// Packages of other architectures, and sources, from the Debian archive that this host already uses, through a private
// apt configuration: the host's own package lists stay untouched, and no root is needed.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** The newest release with a mipsel architecture (Debian 13 dropped it). */
const RELEASE = 'bookworm';

export class DebianArchive {
  /**
   * @param {string} folder where the private package lists and downloads live
   * @param {string} architecture Debian's name of the architecture, e.g. `mipsel`
   */
  constructor(folder, architecture) {
    /** @type {string} */
    this.downloads = join(folder, 'downloads');
    /** @type {string} */
    this.archives = join(folder, 'cache', 'archives');
    for (const part of ['state/lists/partial', 'cache/archives/partial', 'etc', 'downloads'])
      mkdirSync(join(folder, part), { recursive: true });
    writeFileSync(join(folder, 'etc', 'guests.sources'), guestSources(hostSources()));
    writeFileSync(join(folder, 'state', 'status'), '');
    /** @type {string} */
    this.config = join(folder, 'apt.conf');
    writeFileSync(
      this.config,
      [
        `Dir::State "${folder}/state";`,
        `Dir::State::status "${folder}/state/status";`,
        `Dir::Cache "${folder}/cache";`,
        'Dir::Etc::sourcelist "/dev/null";',
        `Dir::Etc::sourceparts "${folder}/etc";`,
        `APT::Architecture "${architecture}";`,
        `APT::Architectures "${architecture}";`,
        'APT::Sandbox::User "root";',
        'Acquire::Languages "none";',
        '',
      ].join('\n'),
    );
    this.architecture = architecture;
    this.#run('apt-get', ['-q', 'update']);
  }

  /** The concrete package that a meta package such as `linux-image-4kc-malta` depends on. @param {string} metaPackage */
  dependencyOf(metaPackage) {
    const found = /Depends: (\S+)/.exec(this.#run('apt-cache', ['depends', metaPackage]));
    if (!found?.[1]) throw new Error(`Debian package ${metaPackage}:${this.architecture} has no dependency to follow`);
    return found[1];
  }

  /** Downloads a binary package. @param {string} name @returns {string} path of the .deb */
  download(name) {
    return this.#fetched(() => this.#run('apt-get', ['-q', 'download', name]), '.deb');
  }

  /** Downloads packages with everything they depend on. @param {string[]} names @returns {string[]} paths of the .debs */
  downloadAll(names) {
    const options = ['-q', '-y', '--no-install-recommends', '--download-only', '-o', 'Debug::NoLocking=1'];
    this.#run('apt-get', [...options, 'install', ...names]);
    return readdirSync(this.archives)
      .filter((name) => name.endsWith('.deb'))
      .sort()
      .map((name) => join(this.archives, name));
  }

  /** Downloads a source package's upstream and Debian tarballs. @param {string} name @returns {string[]} their paths */
  downloadSource(name) {
    this.#fetched(() => this.#run('apt-get', ['-q', 'source', '--download-only', name]), '.dsc');
    return readdirSync(this.downloads)
      .filter((file) => file.startsWith(`${name}_`) && file.includes('.tar.'))
      .map((file) => join(this.downloads, file));
  }

  /** @param {() => unknown} fetch @param {string} ending */
  #fetched(fetch, ending) {
    rmSync(this.downloads, { recursive: true, force: true });
    mkdirSync(this.downloads);
    fetch();
    const file = readdirSync(this.downloads).find((name) => name.endsWith(ending));
    if (!file) throw new Error(`apt-get fetched no ${ending} file`);
    return join(this.downloads, file);
  }

  /** @param {string} command @param {string[]} args */
  #run(command, args) {
    return execFileSync(command, args, {
      cwd: this.downloads,
      env: { ...process.env, APT_CONFIG: this.config, LC_ALL: 'C' },
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      maxBuffer: 64 << 20,
    });
  }
}

/** One apt source: where, which suites, which components, which key. @typedef {Record<string, string>} Source */

/** The host's apt sources, from both of apt's formats (sources.list(5)). @returns {Source[]} */
function hostSources() {
  const folder = '/etc/apt/sources.list.d';
  const parts = existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : [];
  return ['/etc/apt/sources.list', ...parts]
    .filter((file) => existsSync(file))
    .flatMap((file) => {
      const text = readFileSync(file, 'utf8');
      if (file.endsWith('.sources')) return text.split(/\n\s*\n/).map(stanza);
      return file.endsWith('.list') ? text.split('\n').flatMap(oneLine) : [];
    });
}

/** @param {string} text @returns {Source} */
function stanza(text) {
  return Object.fromEntries(
    text
      .split('\n')
      .filter((line) => /^[A-Za-z-]+:/.test(line))
      .map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()]),
  );
}

/** @param {string} line @returns {Source[]} */
function oneLine(line) {
  const found = /^deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)\s+(.+)$/.exec(line.trim());
  if (!found) return [];
  const [, options = '', uri = '', suite = '', components = ''] = found;
  const signedBy = /signed-by=(\S+)/.exec(options)?.[1];
  return [{ URIs: uri, Suites: suite, Components: components, ...(signedBy && { 'Signed-By': signedBy }) }];
}

/**
 * The Debian archives among the host's sources, for RELEASE, with sources beside binaries.
 * @param {Source[]} sources
 */
function guestSources(sources) {
  const codename = /^VERSION_CODENAME=(.*)$/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? RELEASE;
  const debian = sources.filter((source) => source.Suites?.split(/\s+/).some((suite) => suite.startsWith(codename)));
  if (debian.length === 0) throw new Error('no Debian archive among this host’s apt sources');
  return debian
    .map((source) =>
      [
        'Types: deb deb-src',
        `URIs: ${source.URIs}`,
        `Suites: ${source.Suites?.replaceAll(codename, RELEASE)}`,
        'Components: main',
        ...(source['Signed-By'] ? [`Signed-By: ${source['Signed-By']}`] : []),
        '',
      ].join('\n'),
    )
    .join('\n');
}
