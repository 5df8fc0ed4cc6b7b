import { gzipSync } from 'node:zlib';

const DIRECTORY = 0o040755;
const EXECUTABLE = 0o100755;
const CHARACTER_DEVICE = 0o020600;
const TIME_STAMP = Date.UTC(2026, 0, 1) / 1000;

interface Entry {
  readonly path: string;
  readonly mode: number;
  readonly data?: Uint8Array;
  /** Major and minor number. */
  readonly device?: readonly [number, number];
}

/** What the kernel starts: a root shell on the console, and the power off when it ends. */
const INIT = `#!/bin/busybox sh
/bin/busybox mkdir -p /proc /sys /dev /tmp /root /sbin /usr/bin /usr/sbin
/bin/busybox --install -s
export PATH=/bin:/sbin:/usr/bin:/usr/sbin HOME=/root
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev 2>/dev/null
cd /root
setsid cttyhack sh
poweroff -f
`;

/** An initial RAM disk with busybox as its only program, compressed. The same program gives the same bytes. */
export function busyboxInitramfs(busybox: Uint8Array): Buffer {
  return gzipSync(
    cpio([
      { path: '.', mode: DIRECTORY },
      { path: 'bin', mode: DIRECTORY },
      { path: 'bin/busybox', mode: EXECUTABLE, data: busybox },
      { path: 'dev', mode: DIRECTORY },
      { path: 'dev/console', mode: CHARACTER_DEVICE, device: [5, 1] },
      { path: 'init', mode: EXECUTABLE, data: Buffer.from(INIT) },
    ]),
    { level: 9 },
  );
}

/** A "newc" archive (Linux, Documentation/driver-api/early-userspace/buffer-format.rst). */
function cpio(entries: readonly Entry[]): Buffer {
  const trailer: Entry = { path: 'TRAILER!!!', mode: 0 };
  return Buffer.concat([...entries, trailer].flatMap((entry, index) => record(entry, index + 1)));
}

function record({ path, mode, data = new Uint8Array(), device = [0, 0] }: Entry, inode: number): Buffer[] {
  const name = Buffer.from(`${path}\0`);
  const links = mode === DIRECTORY ? 2 : 1;
  const time = mode === 0 ? 0 : TIME_STAMP;
  const fields = [inode, mode, 0, 0, links, time, data.length, 0, 0, ...device, name.length, 0];
  const header = Buffer.from(`070701${fields.map((field) => field.toString(16).padStart(8, '0')).join('')}`);
  return [padded(Buffer.concat([header, name])), padded(data)];
}

const padded = (bytes: Uint8Array): Buffer => Buffer.concat([bytes, Buffer.alloc(-bytes.length & 3)]);
