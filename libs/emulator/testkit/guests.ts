import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ByteOrder } from '../core/index.js';
import { cacheFolder, MissingPrerequisite } from './prerequisites.js';

/** A kernel and an initramfs of real software, as paths. */
export interface Guest {
  name: string;
  kernel: string;
  initrd: string;
}

const MALTA: Record<ByteOrder, { name: string; kernel: string; initrd: string }> = {
  little: { name: 'Debian Malta LE', kernel: 'vmlinuz-6.1.0-50-4kc-malta', initrd: 'mipsel.cpio.gz' },
  big: { name: 'Malta BE', kernel: 'vmlinux-6.1.176-malta-be', initrd: 'mips.cpio.gz' },
};

/** What the initramfs prints after BOOT-OK on every board: the same programs, the same values. */
export const SELF_TEST_LINES: readonly string[] = [
  'T1 md5sum: 8d55a91d434e1a8fa7b9322ecfa3f70b  -',
  'T2 sha256: 5647f05ec18958947d32874eeb788fa396a05d0bab7c1b71f112ceb7e9b31eee  -',
  'T3 shloop: 667472',
  'T4 awk-fp: 1.644917400320 2.449489743e+02',
  'T5 gunzip: 32e8d2bbb8984bd14d9ad0ccf2a33ea5  - 342c547de309f10eb295046529e4d929  -',
  'T6 fork-exec: 60',
  'T7 dd: 2097152 b2d1236c286a3c0704224fe4105eca49  -',
  'T8 mem: ok  cpus: 1',
  'TEST-DONE',
];

/**
 * Linux for the Malta board with its self-testing initramfs, from `$BOOTLAB_GUESTS`, the cache that `npm run setup`
 * fills, or `shared/guests` beside the repository.
 * @throws MissingPrerequisite naming the file
 */
export function maltaGuest(byteOrder: ByteOrder): Guest {
  const { name, kernel, initrd } = MALTA[byteOrder];
  return { name, kernel: guestFile('kernels', kernel), initrd: guestFile('initramfs', initrd) };
}

function guestFile(kind: string, file: string): string {
  const named = process.env['BOOTLAB_GUESTS'];
  const folders = [
    ...(named ? [named] : []),
    cacheFolder('guests'),
    join(repositoryFolder(), '..', 'shared', 'guests'),
  ];
  const found = folders.map((folder) => join(folder, kind, file)).find((path) => existsSync(path));
  if (found === undefined) {
    throw new MissingPrerequisite(
      `guest image ${kind}/${file}`,
      `Run 'npm run setup', or set BOOTLAB_GUESTS to a folder that holds it`,
    );
  }
  return found;
}

/** The repository's root: the nearest folder above this file with a lock file. */
function repositoryFolder(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package-lock.json')) && dirname(folder) !== folder) folder = dirname(folder);
  return folder;
}
