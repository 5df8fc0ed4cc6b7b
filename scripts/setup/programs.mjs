// Programs that tests call, the Debian packages that bring them, and how to install those that are missing.
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/**
 * @typedef {object} ProgramCapability
 * @property {string[]} programs every one must be on PATH
 * @property {string[]} [files] files that must be there as well
 * @property {string[]} packages the Debian packages that bring them
 */

/** What tests can ask for that comes from Debian packages alone. @type {Record<string, ProgramCapability>} */
export const PROGRAM_CAPABILITIES = {
  redis: { programs: ['redis-server'], packages: ['redis-server'] },
  chromium: { programs: ['chromium'], packages: ['chromium'] },
  'qemu-system': {
    programs: ['qemu-system-mipsel', 'qemu-system-mips'],
    // The option ROMs of Malta's default graphics and network cards, without which QEMU does not start.
    files: ['/usr/share/seabios/vgabios-cirrus.bin', '/usr/lib/ipxe/qemu/efi-pcnet.rom'],
    packages: ['qemu-system-mips', 'seabios', 'ipxe-qemu'],
  },
  'u-boot': { programs: [], files: ['/usr/lib/u-boot/maltael/u-boot.bin'], packages: ['u-boot-qemu'] },
  'qemu-user': { programs: ['qemu-mipsel', 'qemu-mips'], packages: ['qemu-user'] },
  // What Debian's programs of another architecture are compared with: this machine's own.
  'host-programs': {
    programs: [
      ...['bash', 'dash', 'busybox', 'shuf', 'sed', 'gawk', 'perl', 'python3.11', 'lua5.4', 'sqlite3', 'openssl'],
      ...['gzip', 'bzip2', 'xz', 'zstd', '7zr'],
    ],
    packages: [
      ...[
        'bash',
        'dash',
        'busybox-static',
        'coreutils',
        'sed',
        'gawk',
        'perl',
        'python3',
        'lua5.4',
        'sqlite3',
        'openssl',
      ],
      ...['gzip', 'bzip2', 'xz-utils', 'zstd', 'p7zip'],
    ],
  },
  'cross-mips': {
    programs: ['mipsel-linux-gnu-gcc', 'mips-linux-gnu-gcc'],
    packages: ['gcc-mipsel-linux-gnu', 'libc6-dev-mipsel-cross', 'gcc-mips-linux-gnu', 'libc6-dev-mips-cross'],
  },
};

/** Full path of a program on PATH, or undefined. @param {string} name */
export function findProgram(name) {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const path = join(folder, name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      continue; // not in this folder
    }
  }
  return undefined;
}

/** @param {string[]} programs @param {string[]} files @returns {string[]} those that are not there */
export const missingOf = (programs, files = []) => [
  ...programs.filter((name) => !findProgram(name)),
  ...files.filter((file) => !existsSync(file)),
];

/** Command prefix that gives root, or undefined where this user cannot become root without a password. */
function rootPrefix() {
  if (process.getuid?.() === 0) return [];
  return spawnSync('sudo', ['-n', 'true']).status === 0 ? ['sudo', '-n'] : undefined;
}

let packageListsAreFresh = false;

/**
 * Installs Debian packages with the system's apt.
 * @param {string[]} packages
 * @returns {string | undefined} why it was not possible
 */
export function installPackages(packages) {
  if (!findProgram('apt-get')) return `this system has no apt-get; install what Debian calls ${packages.join(', ')}`;
  const prefix = rootPrefix();
  if (!prefix) return `not root and no password-less sudo; run: sudo apt-get install ${packages.join(' ')}`;
  /** @param {string[]} args */
  const apt = (...args) => {
    const [command = 'apt-get', ...rest] = [...prefix, 'apt-get', '-q', ...args];
    return spawnSync(command, rest, {
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
      encoding: 'utf8',
      maxBuffer: 64 << 20,
    });
  };
  if (!packageListsAreFresh) {
    const update = apt('update');
    if (update.status !== 0) return `apt-get update failed: ${lastLine(update.stderr)}`;
    packageListsAreFresh = true;
  }
  console.log(`setup: apt-get install ${packages.join(' ')}`);
  const install = apt('install', '-y', '--no-install-recommends', ...packages);
  return install.status === 0 ? undefined : `apt-get install ${packages.join(' ')} failed: ${lastLine(install.stderr)}`;
}

/** @param {string} text */
export const lastLine = (text) => text.trim().split('\n').at(-1) ?? '';
