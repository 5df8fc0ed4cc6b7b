// Guests for tests: Linux and a busybox initramfs for the Malta board, in both byte orders, in the cache folder
//   guests/<guest>/{kernel,initrd.cpio.gz}
// trees of Debian's user programs for Linux user mode: guests/debian-mipsel/, and GCC's execution tests:
// guests/gcc-torture/, and Berkeley TestFloat's generator: guests/testfloat/.
// Little-endian comes from Debian's packages. Big-endian is in no current Debian release: it is taken from a folder
// `shared/guests` beside the repository, else built from Debian's sources with Debian's cross compiler.
import { execFileSync, execSync } from 'node:child_process';
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { CHARACTER_DEVICE, cpio, DIRECTORY, EXECUTABLE, SYMLINK } from './cpio.mjs';
import { DebianArchive } from './debian-archive.mjs';
import { installPackages, missingOf } from './programs.mjs';

const repository = new URL('../../', import.meta.url).pathname;
const recipes = join(repository, 'test', 'guests');
const readyMade = join(repository, '..', 'shared', 'guests');

/** Which test guests there are, and how each is made into a folder. @type {Record<string, (folder: string, work: string) => void>} */
const GUESTS = {
  'malta-el': maltaLittleEndian,
  'malta-be': maltaBigEndian,
  'debian-mipsel': (folder, work) => debianTree(folder, work, USER_PACKAGES),
  'debian-debuggers': (folder, work) => debianTree(folder, work, DEBUGGER_PACKAGES),
  'gcc-torture': gccTorture,
  testfloat: testFloat,
  'python-tests': pythonTests,
};

/**
 * Makes the guests that the cache lacks.
 * @param {string} cache the cache folder
 * @returns {Record<string, string | undefined>} per guest, why it could not be made
 */
export function prepareGuests(cache) {
  const root = join(cache, 'guests');
  mkdirSync(root, { recursive: true });
  return Object.fromEntries(
    Object.entries(GUESTS).map(([name, make]) => {
      const folder = join(root, name);
      if (existsSync(folder)) return [name, undefined];
      // Made beside its place and renamed at the end: an interrupted setup leaves no half guest behind.
      const work = mkdtempSync(join(root, `.${name}-`));
      try {
        const made = join(work, name);
        mkdirSync(made);
        make(made, work);
        renameSync(made, folder);
        return [name, undefined];
      } catch (error) {
        return [name, `could not make the guest: ${messageOf(error)}`];
      } finally {
        rmSync(work, { recursive: true, force: true });
      }
    }),
  );
}

/** Programs of the user-mode tests, as Debian built them. */
const USER_PACKAGES = [
  ...['busybox-static', 'bash', 'dash', 'coreutils', 'sed', 'gawk', 'grep', 'findutils', 'tar', 'perl-base', 'perl'],
  ...['python3-minimal', 'python3', 'lua5.4', 'sqlite3', 'openssl', 'xz-utils', 'zstd', 'bzip2', 'gzip', 'p7zip'],
];

/** Debian's debuggers, and what they look at. */
const DEBUGGER_PACKAGES = ['dash', 'coreutils', 'gawk', 'strace', 'gdb'];

/**
 * A tree for user mode's `--root`: unpacked packages, no maintainer script run.
 * @type {(folder: string, work: string, packages: string[]) => void}
 */
function debianTree(folder, work, packages) {
  console.log(`setup: fetching Debian’s programs for mipsel: ${packages.join(', ')}`);
  const archive = new DebianArchive(join(work, 'apt'), 'mipsel');
  for (const deb of archive.downloadAll(packages)) run('dpkg-deb', ['-x', deb, folder]);
  for (const [name, target] of Object.entries({ 'bin/sh': 'dash', 'usr/bin/awk': 'gawk' })) {
    rmSync(join(folder, name), { force: true });
    symlinkSync(target, join(folder, name));
  }
  for (const name of ['tmp', 'root', 'proc', 'dev', 'sys']) mkdirSync(join(folder, name), { recursive: true });
  writeFileSync(join(folder, 'etc', 'passwd'), 'root:x:0:0:root:/root:/bin/bash\n');
  writeFileSync(join(folder, 'etc', 'group'), 'root:x:0:\n');
}

/** Python's own test suite for the python3 of debian-mipsel. @type {(folder: string, work: string) => void} */
function pythonTests(folder, work) {
  console.log('setup: fetching Python’s test suite');
  const archive = new DebianArchive(join(work, 'apt'), 'mipsel');
  // The package of the standard library has the part that other packages' tests need.
  for (const name of ['libpython3.11-stdlib', 'libpython3.11-testsuite']) {
    const part = join('usr', 'lib', 'python3.11', 'test');
    const unpacked = unpack(archive.download(name), `./${part}`, join(work, name));
    cpSync(join(unpacked, part), folder, { recursive: true });
  }
}

/** GCC's execution tests: C programs that exit with 0 where compiler and machine are right. @type {(folder: string, work: string) => void} */
function gccTorture(folder, work) {
  console.log('setup: fetching GCC’s execution tests');
  const archive = new DebianArchive(join(work, 'apt'), 'mipsel');
  const sources = unpack(archive.download('gcc-12-source'), './usr/src/gcc-12', join(work, 'gcc-package'));
  const tarball = findIn(join(sources, 'usr', 'src', 'gcc-12'), /^gcc-12.*\.tar\.xz$/);
  if (!tarball) throw new Error('no usr/src/gcc-12/gcc-12*.tar.xz in Debian’s gcc-12-source');
  const part = '*/gcc/testsuite/gcc.c-torture/execute';
  run('tar', ['xf', tarball, '-C', folder, '--strip-components=4', '--wildcards', part]);
}

/**
 * Berkeley TestFloat's generator of cases, built on Berkeley SoftFloat; both are in Debian's sources of QEMU, which tests its
 * own FPU with them. The variant for ARM converts NaN to 0, as MIPS with NAN2008 does.
 * @type {(folder: string, work: string) => void}
 */
function testFloat(folder, work) {
  if (missingOf(['make', 'gcc', 'xz']).length > 0) {
    const reason = installPackages(['make', 'gcc', 'libc6-dev', 'xz-utils']);
    if (reason) throw new Error(reason);
  }
  console.log('setup: building Berkeley TestFloat from Debian’s sources of QEMU');
  const archive = new DebianArchive(join(work, 'apt'), 'mipsel');
  const tarball = archive.downloadSource('qemu').find((file) => file.includes('.orig.tar'));
  if (!tarball) throw new Error('Debian’s sources of qemu have no .orig.tar');
  run('tar', ['xf', tarball, '-C', work, '--strip-components=3', '--wildcards', '*/tests/fp/berkeley-*']);
  const build = join('build', 'Linux-x86_64-GCC'); // plain C, for every 64-bit machine
  run('make', ['-s', '-C', join(work, 'berkeley-softfloat-3', build), 'SPECIALIZE_TYPE=ARM-VFPv2']);
  run('make', ['-s', '-C', join(work, 'berkeley-testfloat-3', build), 'SPECIALIZE_TYPE=ARM-VFPv2', 'testfloat_gen']);
  const program = join(folder, 'testfloat_gen');
  copyFileSync(join(work, 'berkeley-testfloat-3', build, 'testfloat_gen'), program);
  copyFileSync(join(work, 'berkeley-testfloat-3', 'COPYING.txt'), join(folder, 'COPYING.txt'));
}

/** @type {(folder: string, work: string) => void} */
function maltaLittleEndian(folder, work) {
  console.log('setup: fetching Debian’s Malta kernel and busybox (mipsel)');
  const archive = new DebianArchive(join(work, 'apt'), 'mipsel');
  const kernel = unpack(
    archive.download(archive.dependencyOf('linux-image-4kc-malta')),
    './boot',
    join(work, 'kernel'),
  );
  const image = readdirSync(join(kernel, 'boot')).find((name) => name.startsWith('vmlinuz-'));
  if (!image) throw new Error('no boot/vmlinuz-* in Debian’s kernel package');
  copyFileSync(join(kernel, 'boot', image), join(folder, 'kernel'));
  const busybox = unpack(archive.download('busybox-static'), './bin', join(work, 'busybox'));
  writeInitramfs(join(busybox, 'bin', 'busybox'), folder);
}

/** @type {(folder: string, work: string) => void} */
function maltaBigEndian(folder, work) {
  const kernel = findIn(join(readyMade, 'kernels'), /^vmlinux-.*malta-be$/);
  const initrd = findIn(join(readyMade, 'initramfs'), /^mips\.cpio\.gz$/);
  if (kernel && initrd) {
    copyFileSync(kernel, join(folder, 'kernel'));
    copyFileSync(initrd, join(folder, 'initrd.cpio.gz'));
    return;
  }
  const tools = ['make', 'gcc', 'flex', 'bison', 'bc', 'xz', 'bzip2', 'mips-linux-gnu-gcc'];
  if (missingOf(tools).length > 0) {
    const reason = installPackages([
      ...['make', 'gcc', 'libc6-dev', 'flex', 'bison', 'bc', 'xz-utils', 'bzip2'],
      ...['gcc-mips-linux-gnu', 'libc6-dev-mips-cross'],
    ]);
    if (reason) throw new Error(reason);
  }
  console.log('setup: building a big-endian Malta kernel and busybox from Debian’s sources (some minutes, once)');
  const archive = new DebianArchive(join(work, 'apt'), 'mipsel');
  buildKernel(archive, work, join(folder, 'kernel'));
  writeInitramfs(buildBusybox(archive, work), folder);
}

/** @param {DebianArchive} archive @param {string} work @param {string} target */
function buildKernel(archive, work, target) {
  const [source, build] = [join(work, 'linux'), join(work, 'linux-build')];
  const tarball = unpack(archive.download('linux-source-6.1'), './usr/src', join(work, 'linux-package'));
  unpackTarball(join(tarball, 'usr', 'src', 'linux-source-6.1.tar.xz'), source);
  mkdirSync(build);
  /** @param {string[]} targets */
  const make = (...targets) => {
    const options = ['ARCH=mips', 'CROSS_COMPILE=mips-linux-gnu-', `O=${build}`, '-s', '-C', source];
    run('make', [...options, ...targets], {
      // fixed, so that the same sources give the same kernel
      KBUILD_BUILD_USER: 'bootlab',
      KBUILD_BUILD_HOST: 'bootlab',
      KBUILD_BUILD_TIMESTAMP: '2026-01-01',
    });
  };
  make('tinyconfig');
  const config = join(build, '.config');
  const wanted = readFileSync(join(recipes, 'malta-be.config'), 'utf8');
  writeFileSync(config, readFileSync(config, 'utf8') + wanted);
  make('olddefconfig');
  const got = readFileSync(config, 'utf8').split('\n');
  const refused = wanted.split('\n').filter((line) => line.endsWith('=y') && !got.includes(line));
  if (refused.length > 0) throw new Error(`the kernel's configuration refuses ${refused.join(', ')}`);
  make(`-j${availableParallelism()}`, 'vmlinux');
  run('mips-linux-gnu-strip', ['-o', target, join(build, 'vmlinux')]);
}

/** @param {DebianArchive} archive @param {string} work @returns {string} path of the program */
function buildBusybox(archive, work) {
  const [source, build] = [join(work, 'busybox'), join(work, 'busybox-build')];
  const tarballs = archive.downloadSource('busybox');
  const upstream = tarballs.find((file) => file.includes('.orig.tar'));
  const debian = tarballs.find((file) => file.includes('.debian.tar'));
  if (!upstream || !debian) throw new Error(`unexpected source package: ${tarballs.join(', ')}`);
  unpackTarball(upstream, source);
  run('tar', ['xf', debian, '-C', source]);
  mkdirSync(build);
  // Debian's own configuration of busybox-static.
  const config = readFileSync(join(source, 'debian', 'config', 'pkg', 'static'), 'utf8');
  writeFileSync(
    join(build, '.config'),
    config.replace(/^CONFIG_CROSS_COMPILER_PREFIX=.*$/m, 'CONFIG_CROSS_COMPILER_PREFIX="mips-linux-gnu-"'),
  );
  execSync(`yes '' | make -s O=${JSON.stringify(build)} oldconfig`, { cwd: source, stdio: 'pipe' });
  run('make', ['-s', '-C', build, `-j${availableParallelism()}`, 'busybox']);
  return join(build, 'busybox');
}

/** @param {string} busybox path of a static busybox @param {string} folder the guest's folder */
function writeInitramfs(busybox, folder) {
  const archive = cpio([
    { path: '.', mode: DIRECTORY },
    { path: 'bin', mode: DIRECTORY },
    { path: 'bin/busybox', mode: EXECUTABLE, data: readFileSync(busybox) },
    { path: 'bin/sh', mode: SYMLINK, data: Buffer.from('busybox') },
    { path: 'dev', mode: DIRECTORY },
    { path: 'dev/console', mode: CHARACTER_DEVICE, device: { major: 5, minor: 1 } },
    { path: 'dev/null', mode: CHARACTER_DEVICE | 0o66, device: { major: 1, minor: 3 } },
    { path: 'init', mode: EXECUTABLE, data: readFileSync(join(recipes, 'init')) },
  ]);
  writeFileSync(join(folder, 'initrd.cpio.gz'), gzipSync(archive, { level: 9 }));
}

/** Unpacks one folder of a .deb. @param {string} deb @param {string} part @param {string} target @returns {string} target */
function unpack(deb, part, target) {
  mkdirSync(target);
  execSync(`dpkg-deb --fsys-tarfile ${JSON.stringify(deb)} | tar x -C ${JSON.stringify(target)} ${part}`, {
    stdio: 'pipe',
  });
  return target;
}

/** @param {string} file @param {string} target a folder to make, without the tarball's own top folder */
function unpackTarball(file, target) {
  mkdirSync(target);
  run('tar', ['xf', file, '-C', target, '--strip-components=1']);
}

/** @param {string} command @param {string[]} args @param {Record<string, string>} environment */
function run(command, args, environment = {}) {
  execFileSync(command, args, {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    maxBuffer: 64 << 20,
  });
}

/** @param {string} folder @param {RegExp} pattern */
function findIn(folder, pattern) {
  const name = existsSync(folder) ? readdirSync(folder).find((file) => pattern.test(file)) : undefined;
  return name && join(folder, name);
}

/** @param {unknown} error */
function messageOf(error) {
  if (!(error instanceof Error)) return String(error);
  const stderr = 'stderr' in error && error.stderr ? String(error.stderr).trim().split('\n').slice(-3).join(' | ') : '';
  return [error.message.split('\n')[0], stderr].filter(Boolean).join(': ');
}
