import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { ByteOrder } from '../core/index.js';
import { cacheFolder, MissingPrerequisite } from './prerequisites.js';

/** A kernel and an initramfs of real software, as paths. */
export interface Guest {
  kernel: string;
  initrd: string;
}

/**
 * Linux for the Malta board with its self-testing initramfs, from the cache that `npm run setup` fills.
 * @throws MissingPrerequisite naming the file
 */
export function maltaGuest(byteOrder: ByteOrder): Guest {
  const folder = cacheFolder('guests', byteOrder === 'little' ? 'malta-el' : 'malta-be');
  const guest = { kernel: join(folder, 'kernel'), initrd: join(folder, 'initrd.cpio.gz') };
  for (const path of [guest.kernel, guest.initrd]) {
    if (!existsSync(path))
      throw new MissingPrerequisite(`guest image ${path}`, "Run 'npm run setup', which fetches it");
  }
  return guest;
}
