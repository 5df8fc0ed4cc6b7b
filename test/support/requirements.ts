import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from '@jest/globals';

/** What `npm run setup` can provide to tests. */
export type Capability =
  | 'redis'
  | 'chromium'
  | 'qemu-system'
  | 'qemu-user'
  | 'u-boot'
  | 'cross-mips'
  | 'host-programs'
  | 'malta-el'
  | 'malta-be'
  | 'debian-mipsel'
  | 'debian-debuggers'
  | 'gcc-torture'
  | 'testfloat'
  | 'python-tests';

/** Guests that `npm run setup` fetches or builds. */
export type GuestName = Extract<Capability, `malta-${string}`>;

type Availability = { available: true } | { available: false; reason: string };

const cacheFolder = process.env['BOOTLAB_CACHE'] ?? join(homedir(), '.cache', 'bootlab');

/** Paths of a guest's kernel and initramfs, whose /init is test/guests/init. */
export function guest(name: GuestName): { kernel: string; initrd: string } {
  const folder = join(cacheFolder, 'guests', name);
  return { kernel: join(folder, 'kernel'), initrd: join(folder, 'initrd.cpio.gz') };
}

/** The tree of Debian's user programs for mipsel. */
export const debianMipselRoot = join(cacheFolder, 'guests', 'debian-mipsel');

/** A tree with Debian's strace and gdb for mipsel. */
export const debianDebuggersRoot = join(cacheFolder, 'guests', 'debian-debuggers');

/** The test suite of Debian's python3.11, to be seen at /usr/lib/python3.11/test. */
export const pythonTests = join(cacheFolder, 'guests', 'python-tests');

/** What the test guests print after `BOOT-OK`, on every architecture. */
export const GUEST_SELF_TEST_LINES: readonly string[] = [
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
 * A `describe` for tests that need something outside the repository. Where it is missing the tests do not run and the
 * runner prints why at its end; with `CI=true` that is a failure.
 */
export function describeWith(required: Capability | readonly Capability[], name: string, tests: () => void): void {
  const missing = [required].flat().flatMap((capability) => reasonAgainst(capability));
  if (missing.length === 0) {
    describe(name, tests);
    return;
  }
  const title = `cannot run here: ${missing.join('; ')}`;
  describe(name, () => {
    if (process.env['CI'] === 'true') {
      it(title, () => {
        throw new Error(`${title} (CI=true allows no missing requirement)`);
      });
    } else {
      it.skip(title, () => undefined);
    }
  });
}

let capabilities: Partial<Record<Capability, Availability>> | undefined;

function reasonAgainst(capability: Capability): string[] {
  capabilities ??= readCapabilities();
  const found = capabilities[capability] ?? { available: false, reason: 'not prepared; run `npm run setup`' };
  return found.available ? [] : [`${capability}: ${found.reason}`];
}

function readCapabilities(): Partial<Record<Capability, Availability>> {
  try {
    // Written by scripts/setup-tests.mjs, whose shape this is.
    return JSON.parse(readFileSync(join(cacheFolder, 'capabilities.json'), 'utf8')) as typeof capabilities & object;
  } catch {
    return {}; // setup never ran: every capability then says so
  }
}
