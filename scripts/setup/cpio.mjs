// An initramfs archive: cpio "newc" (Linux Documentation/driver-api/early-userspace/buffer-format.rst).
// The same entries give the same bytes: sorted by caller, numbered in order, one fixed time stamp, owner root.

/** @typedef {{ path: string, mode: number, data?: Uint8Array, device?: { major: number, minor: number } }} CpioEntry */

export const DIRECTORY = 0o040755;
export const EXECUTABLE = 0o100755;
export const SYMLINK = 0o120777;
export const CHARACTER_DEVICE = 0o020600;

const TIME_STAMP = Date.UTC(2026, 0, 1) / 1000;

/** @param {CpioEntry[]} entries @returns {Buffer} */
export function cpio(entries) {
  const trailer = { path: 'TRAILER!!!', mode: 0 };
  return Buffer.concat([...entries, trailer].flatMap((entry, index) => record(entry, index + 1)));
}

/** @param {CpioEntry} entry @param {number} inode */
function record({ path, mode, data = new Uint8Array(), device = { major: 0, minor: 0 } }, inode) {
  const name = Buffer.from(`${path}\0`);
  const fields = [
    inode,
    mode,
    0, // uid
    0, // gid
    (mode & 0o170000) === 0o040000 ? 2 : 1, // links
    mode === 0 ? 0 : TIME_STAMP,
    data.length,
    0, // device of the file itself, major
    0, // and minor
    device.major,
    device.minor,
    name.length,
    0, // checksum, used by the "crc" variant only
  ];
  const header = Buffer.from(`070701${fields.map((field) => field.toString(16).padStart(8, '0')).join('')}`);
  return [padded(Buffer.concat([header, name])), padded(data)];
}

/** @param {Uint8Array} bytes */
const padded = (bytes) => Buffer.concat([bytes, Buffer.alloc(-bytes.length & 3)]);
